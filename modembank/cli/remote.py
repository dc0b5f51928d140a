"""Talks to a running modembank over its REST API."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from modembank.cli.output import JsonObject, JsonValue
from modembank.errors import RemoteError

if TYPE_CHECKING:
    import httpx2

URL_VARIABLE = "MODEMBANK_URL"
KEY_VARIABLE = "MODEMBANK_API_KEY"
DEFAULT_URL = "http://127.0.0.1:8080"
# Where a running `modembank demo` leaves its address and key, in its working directory.
DEMO_CREDENTIALS = Path(".demo/credentials.json")
# A dial waits for a SIM, the host and, with media first, for ICE: about 10 s at worst.
REQUEST_TIMEOUT_S = 30.0
PAGE_SIZE = 200

Url = Annotated[
    str | None,
    typer.Option("--url", help=f"Address of the server, or {URL_VARIABLE}.  [default: {DEFAULT_URL}]"),
]
Key = Annotated[
    str | None,
    typer.Option("--key", help=f"API key; better in {KEY_VARIABLE}, where other users do not see it."),
]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is and how to prove who asks."""

    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {"Authorization": f"Bearer {self.key}"}


def find_server(url: str | None, key: str | None) -> Server:
    """Return the server from options, else the environment, else a demo that runs in this folder.

    Raises:
        RemoteError: no API key anywhere.
    """
    demo = _demo()
    url = url or os.environ.get(URL_VARIABLE) or (demo.url if demo else DEFAULT_URL)
    key = key or os.environ.get(KEY_VARIABLE) or (demo.key if demo else None)
    if not key:
        raise RemoteError(f"no API key: set {KEY_VARIABLE} or give --key (make one with `modembank keys create NAME`)")
    return Server(url.rstrip("/"), key)


class Remote:
    """A server's API, one request at a time."""

    def __init__(self, url: str | None, key: str | None) -> None:
        self._server = find_server(url, key)

    def get(self, path: str, **query: str | int) -> JsonObject:
        """GET a resource; raises RemoteError when refused or unreachable."""
        return self._request("GET", path, query=query)

    def post(self, path: str, body: JsonObject | None = None, *, timeout_s: float = REQUEST_TIMEOUT_S) -> JsonObject:
        """POST; raises like `get`."""
        return self._request("POST", path, body=body, timeout_s=timeout_s)

    def put(self, path: str, body: JsonObject, *, timeout_s: float = REQUEST_TIMEOUT_S) -> JsonObject:
        """PUT; raises like `get`."""
        return self._request("PUT", path, body=body, timeout_s=timeout_s)

    def delete(self, path: str) -> JsonObject:
        """DELETE; raises like `get`."""
        return self._request("DELETE", path)

    def patch(self, path: str, body: JsonObject) -> JsonObject:
        """PATCH; raises like `get`."""
        return self._request("PATCH", path, body=body)

    def all(self, path: str) -> list[JsonObject]:
        """GET every page of a list; raises like `get`."""
        rows: list[JsonObject] = []
        cursor: JsonValue = ""
        while cursor is not None:
            query = {"limit": PAGE_SIZE} | ({"cursor": str(cursor)} if cursor else {})
            page = self.get(path, **query)
            rows += cast("list[JsonObject]", page["data"])  # by the contract of every list
            cursor = page["next_cursor"]
        return rows

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str | int] | None = None,
        body: JsonObject | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> JsonObject:
        import httpx2

        with reachable(self._server):
            response = httpx2.request(
                method,
                self._server.url + path,
                params=query,
                json=body,
                headers=self._server.headers,
                timeout=timeout_s,
            )
        return read_answer(response)


@contextmanager
def reachable(server: Server) -> Generator[None]:
    """Turn transport errors into one sentence."""
    import httpx2

    try:
        yield
    except httpx2.ConnectError:
        raise RemoteError(
            f"no modembank answers at {server.url}; start one with `modembank serve` or name another with --url"
        ) from None
    except httpx2.TimeoutException:
        raise RemoteError(f"{server.url} did not answer in time") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise RemoteError(f"talking to {server.url} failed: {error}") from None


def read_answer(response: httpx2.Response) -> JsonObject:
    """Return an answer's JSON object; a problem becomes RemoteError with the server's sentence."""
    if response.status_code == 204:
        return {}
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RemoteError(f"{response.url} answered {response.status_code}, but not as a modembank does")
    if response.is_success:
        return cast(JsonObject, body)  # JSON objects have text keys
    raise RemoteError(f"{body.get('detail', body)} ({body.get('code', response.status_code)})")


def _demo() -> Server | None:
    try:
        found = json.loads(DEMO_CREDENTIALS.read_text())
        return Server(str(found["url"]), str(found["api_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None

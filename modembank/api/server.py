"""The HTTP server around the app: binds, tells its address, and stops without waiting for open event streams."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Generator

import uvicorn
from fastapi import FastAPI

from modembank.api.streams import Streams
from modembank.config import HttpSettings
from modembank.errors import SettingsError

# Requests that still run get this long at the end; event streams are closed at once and do not count.
GRACE_S = 3
# Clients have nothing to say on the event stream; pings are below this.
WEBSOCKET_MESSAGE_LIMIT = 4096
# A vanished page is noticed after at most two of these.
WEBSOCKET_PING_S = 20.0


def _no_denial(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn logs, as an error of ours, after each handshake that was denied in good order."""
    return record.msg != "ASGI callable returned without completing handshake."


class ApiServer:
    """Serves one app on one address. The caller handles signals and calls `stop`."""

    def __init__(self, app: FastAPI, http: HttpSettings) -> None:
        self._app = app
        self._http = http
        self._server: _Server | None = None
        self.port = http.port

    @property
    def streams(self) -> Streams:
        """The open event streams."""
        streams = self._app.state.streams
        assert isinstance(streams, Streams)
        return streams

    @property
    def url(self) -> str:
        """Address for a client on this machine; complete once `run` has called `ready`."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._http.host, self._http.host)  # noqa: S104  # read, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`; `ready` is called once requests are taken.

        Raises:
            SettingsError: the address cannot be listened on.
        """
        listener = self._bind()
        self.port = listener.getsockname()[1]
        logging.getLogger("uvicorn.error").addFilter(_no_denial)  # a second time changes nothing
        self._server = _Server(_config(self._app), self.streams, ready)
        await self._server.serve(sockets=[listener])

    def stop(self) -> None:
        """Take no more requests, close the event streams and let `run` return."""
        if self._server is not None:
            self._server.should_exit = True

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._http.host else socket.AF_INET
        try:
            return socket.create_server((self._http.host, self._http.port), family=family, backlog=512)
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {self._http.host} port {self._http.port} ({error.strerror}); "
                "stop the program that holds it or choose another port with --port or http.port"
            ) from None


class _Server(uvicorn.Server):
    """uvicorn, with two habits changed: it takes no signals, and open event streams do not delay its end."""

    def __init__(self, config: uvicorn.Config, streams: Streams, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._streams = streams
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # the process has more to stop than this server: service.py takes the signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.close()
        await super().shutdown(sockets=sockets)


def _config(app: FastAPI) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_MESSAGE_LIMIT,
        ws_ping_interval=WEBSOCKET_PING_S,
        ws_ping_timeout=WEBSOCKET_PING_S,
        ws_per_message_deflate=False,
    )

"""The outermost layer of the API: request ids, the limit of a body, security headers, the last resort."""

from __future__ import annotations

import logging
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modembank.api.problem import problem_response
from modembank.errors import BodyTooLargeError, ModembankError
from modembank.ids import new_id

log = logging.getLogger(__name__)

# The largest honest body is an SDP offer with all its candidates: a few KiB. The rest is margin.
BODY_LIMIT_BYTES = 128 * 1024
REQUEST_ID_HEADER = "X-Request-Id"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob: mediastream:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}

_CLIENTS_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Edge:
    """Give each request an id and each answer its headers; refuse large bodies; answer when all else failed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        scope["request_id"] = _request_id(Headers(scope=scope))
        answer = _Answer(scope, send)
        if scope["type"] == "websocket":
            await self._app(scope, receive, answer.send)
            return
        try:
            if _declared_bytes(Headers(scope=scope)) > BODY_LIMIT_BYTES:
                raise BodyTooLargeError(_too_large())
            await self._app(scope, _limited(receive), answer.send)
        except Exception as error:  # noqa: BLE001  # the supervisor of all requests: logged, answered, never hidden
            await self._last_resort(error, scope, receive, answer)

    async def _last_resort(self, error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if isinstance(error, ModembankError):
            ours = error
        else:
            log.error("%s %s %s failed", scope["request_id"], scope["method"], scope["path"], exc_info=error)
            ours = ModembankError("internal")
        if not answer.started:
            await problem_response(HTTPConnection(scope), ours)(scope, receive, answer.send)


class _Answer:
    """Watches one answer and adds what every answer carries."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start", "websocket.accept"}:
            self.started = True
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self._scope["request_id"]
            if message["type"] != "websocket.accept":
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if self._scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def _request_id(headers: Headers) -> str:
    offered = headers.get(REQUEST_ID_HEADER, "")
    return offered if _CLIENTS_ID.fullmatch(offered) else new_id("req")


def _declared_bytes(headers: Headers) -> int:
    declared = headers.get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT_BYTES:
            # This passes through FastAPI's body reader, which lets only this kind of error through.
            raise HTTPException(413, _too_large())
        return message

    return receive_limited


def _too_large() -> str:
    return f"A request body may have at most {BODY_LIMIT_BYTES} bytes."

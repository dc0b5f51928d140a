"""The event stream, over WebSocket and Server-Sent Events, resumable from the last id."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Header, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic_core import PydanticSerializationError
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from modembank.api.deps import READ_EVENTS, BankDep, KeyDep, SettingsDep, StreamsDep, TicketsDep, check_scope
from modembank.api.schemas.common import utf8_text
from modembank.api.schemas.events import Event
from modembank.api.schemas.system import EventTicket
from modembank.api.tickets import TICKET_LIFE_S
from modembank.bank import scopes
from modembank.bank.records import StreamEvent
from modembank.bank.wire import rfc3339
from modembank.errors import ForbiddenError, ModembankError, UnauthorizedError

tickets_router = APIRouter(tags=["events"])
router = APIRouter(tags=["events"])

EVENT_ID = r"^evt_[0-9A-HJKMNP-TV-Z]{26}(\.[0-9]{1,18})?$"
# RFC 6455 section 7.4.1: the server goes away; an unexpected condition.
GOING_AWAY = 1001
INTERNAL_ERROR = 1011

Ticket = Annotated[
    str | None, Query(max_length=128, description="From `POST /v1/event-tickets`, instead of the header.")
]
After = Annotated[str | None, Query(pattern=EVENT_ID, description="Id of the last event seen: resume just after it.")]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", pattern=EVENT_ID)]


async def stream_key(connection: HTTPConnection, bank: BankDep, tickets: TicketsDep, ticket: Ticket = None) -> str:
    """Return the id of the caller's key, from a one-time ticket or from the Authorization header.

    Raises:
        UnauthorizedError: neither is valid.
        ForbiddenError: the key lacks the scope; a ticket is only given to one that has it.
    """
    if ticket is not None:
        return tickets.redeem(ticket)
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise UnauthorizedError("Send an API key as Bearer, or a ticket from POST /v1/event-tickets.")
    key = await bank.keys.verify(secret.strip())
    check_scope(key, scopes.Scope.READ_EVENTS)
    return key.id


class _SseResponse(StreamingResponse):
    """Ends the subscription with the response, also when its first byte could never be sent."""

    media_type = "text/event-stream"

    def __init__(self, lines: AsyncGenerator[bytes], stack: AsyncExitStack) -> None:
        super().__init__(lines, headers={"X-Accel-Buffering": "no"})
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


StreamKey = Annotated[str, Depends(stream_key)]


@tickets_router.post(
    "/event-tickets",
    status_code=201,
    operation_id="create_event_ticket",
    dependencies=READ_EVENTS,
    summary="Get an event ticket",
)
async def create_ticket(key: KeyDep, tickets: TicketsDep) -> EventTicket:
    """Return a ticket for one `GET /v1/events?ticket=…`: browsers cannot send a header there."""
    return EventTicket(ticket=tickets.issue(key.id), expires_in_s=int(TICKET_LIFE_S))


@router.get(
    "/events",
    operation_id="follow_events",
    summary="Follow events",
    status_code=200,
    response_class=_SseResponse,
    responses={200: {"model": Event, "description": "Server-Sent Events; each `data:` is an event."}},
)
async def follow(
    key_id: StreamKey,
    streams: StreamsDep,
    after: After = None,
    levels: Annotated[bool, Query(description="Also send `call.levels`.")] = False,
    last_event_id: LastEventId = None,
) -> StreamingResponse:
    """Follow all events as Server-Sent Events; the same path answers a WebSocket handshake.

    Resume with `Last-Event-ID` (browsers do it by themselves) or `?after=`. When that event is not kept any more the
    first event is `stream.reset`: read the lists again.
    """
    stack = AsyncExitStack()
    events = await stack.enter_async_context(streams.follow(key_id, after=last_event_id or after, levels=levels))
    return _SseResponse(_lines(events), stack)


@router.websocket("/events")
async def follow_websocket(
    websocket: WebSocket,
    settings: SettingsDep,
    key_id: StreamKey,
    streams: StreamsDep,
    after: After = None,
    levels: bool = True,
) -> None:
    """Follow all events, one JSON text message each. What the client sends is ignored."""
    _check_origin(websocket, settings.http.allowed_origins)
    async with streams.follow(key_id, after=after, levels=levels) as events:
        await websocket.accept()
        sending = asyncio.create_task(_send(websocket, events))
        leaving = asyncio.create_task(_until_left(websocket))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)


async def _lines(events: AsyncGenerator[StreamEvent | None]) -> AsyncGenerator[bytes]:
    yield KEEPALIVE_COMMENT  # tells the client that it is connected, before anything happens
    async for event in events:
        yield KEEPALIVE_COMMENT if event is None else _sse(event)


async def _send(websocket: WebSocket, events: AsyncGenerator[StreamEvent | None]) -> None:
    try:
        async for event in events:
            if event is not None:  # the server pings by itself
                await websocket.send_text(_json(event))
        await websocket.close(GOING_AWAY, "the stream ended, come back later")
    except ModembankError:
        await websocket.close(INTERNAL_ERROR, "the stream failed, come back later")


async def _until_left(websocket: WebSocket) -> None:
    try:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            continue
    except WebSocketDisconnect:
        return


def _check_origin(websocket: WebSocket, allowed: tuple[str, ...]) -> None:
    """Refuse other sites' pages; no Origin means a script. Source: RFC 6455 section 10.2."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in allowed:
        return
    if urlsplit(origin).netloc.lower() != websocket.headers.get("host", "").lower():
        raise ForbiddenError(f"Pages of {origin} may not follow events; add it to http.allowed_origins.")


def _json(event: StreamEvent) -> str:
    shown = Event(id=event.id, type=event.type, at=event.at, sequence=event.sequence, data=event.data)
    try:
        return shown.model_dump_json()
    except PydanticSerializationError:
        # One text that UTF-8 cannot carry, kept by an older version or told by a modem, must not end the stream.
        plain = {"id": event.id, "type": event.type, "at": rfc3339(event.at), "sequence": event.sequence}
        return utf8_text(json.dumps({**plain, "data": event.data}, ensure_ascii=False, separators=(",", ":")))


def _sse(event: StreamEvent) -> bytes:
    return format_sse_event(data_str=_json(event), id=event.id)

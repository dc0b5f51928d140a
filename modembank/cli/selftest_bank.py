"""A running server as the self-test sees it: REST requests, and the event stream for DTMF digits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

import httpx2

from modembank.cli.call_run import ask_ice_servers
from modembank.cli.output import JsonObject, JsonValue
from modembank.cli.remote import PAGE_SIZE, REQUEST_TIMEOUT_S, Server, reachable, read_answer
from modembank.errors import RemoteError
from modembank.media.records import IceServer
from modembank.selftest.result import Line
from modembank.selftest.run import CallView, Joined

# A stream that is silent for longer than its keep-alives is dead.
STREAM_SILENCE_S = 45.0
# The server's clock and ours may differ by less than this while both are right.
CLOCKS_S = 5.0


class RemoteBank:
    """Implements `selftest.run.Bank`."""

    def __init__(self, server: Server, client: httpx2.AsyncClient) -> None:
        self._server = server
        self._client = client
        self._digits: defaultdict[str, str] = defaultdict(str)
        self._events: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    async def dial(self, line: Line, to: str, offer_sdp: str, max_duration_s: float) -> Joined:
        """See `Bank.dial`."""
        body: JsonObject = {
            "to": to,
            "from": line.sim_id,
            "max_duration_s": max_duration_s,
            "metadata": {"purpose": "selftest"},
            "webrtc": {"type": "offer", "sdp": offer_sdp},
        }
        return _joined(await self._post("/v1/calls", body))

    async def incoming(self, line: Line, caller: str, not_before: float) -> str | None:
        """See `Bank.incoming`."""
        query: dict[str, str | int] = {"direction": "inbound", "status": "ringing", "sim_id": line.sim_id}
        calls = (await self._get("/v1/calls", **query))["data"]
        for call in cast("list[JsonObject]", calls):  # by the contract of the route
            created = _seconds(call["created_at"]) or 0.0
            if call["from"] in (caller, None) and created > not_before - CLOCKS_S:
                return str(call["id"])
        return None

    async def answer(self, call_id: str, offer_sdp: str) -> Joined:
        """See `Bank.answer`."""
        body: JsonObject = {"webrtc": {"type": "offer", "sdp": offer_sdp}}
        return _joined(await self._post(f"/v1/calls/{call_id}/actions/answer", body))

    async def hang_up(self, call_id: str) -> None:
        """See `Bank.hang_up`."""
        await self._post(f"/v1/calls/{call_id}/actions/hangup")

    async def press(self, call_id: str, digits: str) -> None:
        """See `Bank.press`."""
        await self._post(f"/v1/calls/{call_id}/actions/dtmf", {"digits": digits})

    async def call(self, call_id: str) -> CallView:
        """See `Bank.call`."""
        call = await self._get(f"/v1/calls/{call_id}")
        created = _seconds(call["created_at"])
        assert created is not None  # every call has one
        return CallView(
            ended=call["ended_at"] is not None,
            created_at=created,
            dialing_at=_seconds(call["dialing_at"]),
            ringing_at=_seconds(call["ringing_at"]),
            answered_at=_seconds(call["answered_at"]),
            ended_at=_seconds(call["ended_at"]),
            end=_end(call),
        )

    def digits(self, call_id: str) -> str:
        """See `Bank.digits`."""
        return self._digits[call_id]

    async def sims(self) -> list[JsonObject]:
        """Return all SIMs, as the API shows them."""
        return await self._all("/v1/sims")

    async def modems(self) -> list[JsonObject]:
        """Return all modems, as the API shows them."""
        return await self._all("/v1/modems")

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """Return the STUN and TURN servers of the bank."""
        with reachable(self._server):
            return await ask_ice_servers(self._client)

    async def follow(self) -> None:
        """Begin to follow the events."""
        self._events = asyncio.create_task(self._follow())
        waiting = asyncio.create_task(self._connected.wait())
        await asyncio.wait({waiting, self._events}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._events.done():
            self._events.result()  # raises why there is no stream

    async def leave(self) -> None:
        """Stop following."""
        if self._events is not None:
            self._events.cancel()
            await asyncio.gather(self._events, return_exceptions=True)

    async def _follow(self) -> None:
        timeout = httpx2.Timeout(REQUEST_TIMEOUT_S, read=STREAM_SILENCE_S)
        with reachable(self._server):
            async with self._client.sse("/v1/events", params={"levels": "false"}, timeout=timeout) as source:
                if not source.response.is_success:
                    await source.response.aread()
                    read_answer(source.response)
                self._connected.set()
                async for message in source:
                    event = message.json()
                    if isinstance(event, dict) and event.get("type") == "call.dtmf":
                        self._take_digit(event["data"])

    def _take_digit(self, data: JsonObject) -> None:
        call = data["call"]
        if isinstance(call, dict) and not data["from_far"]:
            self._digits[str(call["id"])] += str(data["digit"])

    async def _all(self, path: str) -> list[JsonObject]:
        rows: list[JsonObject] = []
        cursor: JsonValue = ""
        while cursor is not None:
            more: dict[str, str | int] = {"cursor": str(cursor)} if cursor else {}
            page = await self._get(path, limit=PAGE_SIZE, **more)
            rows += cast("list[JsonObject]", page["data"])  # by the contract of every list
            cursor = page["next_cursor"]
        return rows

    async def _get(self, path: str, **query: str | int) -> JsonObject:
        with reachable(self._server):
            return read_answer(await self._client.get(path, params=query))

    async def _post(self, path: str, body: JsonObject | None = None) -> JsonObject:
        with reachable(self._server):
            return read_answer(await self._client.post(path, json=body or {}))


@asynccontextmanager
async def remote_bank(server: Server) -> AsyncIterator[RemoteBank]:
    """Talk to a server until the block ends."""
    async with httpx2.AsyncClient(base_url=server.url, headers=server.headers, timeout=REQUEST_TIMEOUT_S) as client:
        bank = RemoteBank(server, client)
        await bank.follow()
        try:
            yield bank
        finally:
            await bank.leave()


def _joined(call: JsonObject) -> Joined:
    answer = call["webrtc"]
    if not isinstance(answer, dict):
        raise RemoteError("the server took the call without its sound; is it of the same version as this command?")
    return Joined(str(call["id"]), str(answer["sdp"]))


def _end(call: JsonObject) -> str:
    hangup = call["hangup"]
    if not isinstance(hangup, dict):
        return ""
    return f"the call ended as {call['status']} ({str(hangup['cause']).replace('_', ' ')}, by {hangup['source']})"


def _seconds(stamp: JsonValue) -> float | None:
    return None if stamp is None else datetime.fromisoformat(str(stamp)).timestamp()

"""One call from the command line: dial, follow its events, talk, hang up."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from modembank.cli.output import JsonObject
from modembank.cli.remote import REQUEST_TIMEOUT_S, Server, reachable, read_answer
from modembank.errors import RemoteError
from modembank.media.records import IceServer
from modembank.webrtc.client import WavVoice, WebrtcClient

# The last words are on their way when the file is through; GSM adds some tenths of a second.
AFTER_PLAY_S = 1.0
POLL_S = 0.1
# A stream that is silent for longer than its keep-alives is dead.
STREAM_SILENCE_S = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do in the call. `body` is the dial request without an offer."""

    body: JsonObject
    play: Path | None
    record: Path | None
    dtmf: str | None
    duration_s: float | None


class CallRun:
    """Carries a plan out; `show` gets every event of the call."""

    def __init__(self, server: Server, plan: Plan, show: Callable[[JsonObject], None]) -> None:
        self._server = server
        self._plan = plan
        self._show = show
        self._call_id = ""
        self._peer: WebrtcClient | None = None
        self._voice = WavVoice(plan.play) if plan.play else None
        self._interrupted = False
        self._background: set[asyncio.Task[None]] = set()

    async def run(self) -> JsonObject:
        """Return the call as it ended.

        Raises:
            RemoteError: the server refused, or cannot be reached (any more).
            MediaError: the WAV file cannot be read.
        """
        timeout = httpx2.Timeout(REQUEST_TIMEOUT_S, read=STREAM_SILENCE_S)
        with reachable(self._server):
            async with httpx2.AsyncClient(
                base_url=self._server.url, headers=self._server.headers, timeout=timeout
            ) as client:
                try:
                    return await self._run(client)
                finally:
                    await self._leave()

    async def _run(self, client: httpx2.AsyncClient) -> JsonObject:
        # The stream is open before the call exists, so that none of its events is missed.
        async with client.sse("/v1/events") as source:
            if not source.response.is_success:
                await source.response.aread()
                read_answer(source.response)
            self._hang_up_on_signals(client)
            await self._dial(client)
            if self._interrupted:
                self._start(self._hang_up(client))
            async for message in source:
                event = message.json()
                if isinstance(event, dict) and self._is_ours(event):
                    self._show(event)
                    await self._react(client, event)
                    if event["type"] == "call.ended":
                        return _call_of(event)
        raise RemoteError(f"the event stream ended; call {self._call_id} may still run")

    def _hang_up_on_signals(self, client: httpx2.AsyncClient) -> None:
        def interrupt() -> None:
            self._interrupted = True
            if self._call_id:
                self._start(self._hang_up(client))

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)

    async def _dial(self, client: httpx2.AsyncClient) -> None:
        body = dict(self._plan.body)
        if self._voice is not None or self._plan.record is not None:
            self._peer = WebrtcClient(ice_servers=await ask_ice_servers(client))
            body["webrtc"] = {"type": "offer", "sdp": await self._peer.offer()}
        call = read_answer(await client.post("/v1/calls", json=body))
        self._call_id = str(call["id"])
        if self._peer is not None:
            answer = call["webrtc"]
            assert isinstance(answer, dict)  # an offer is always answered
            await self._peer.accept(str(answer["sdp"]))

    def _is_ours(self, event: JsonObject) -> bool:
        return str(event["type"]).startswith("call.") and _call_of(event).get("id") == self._call_id

    async def _react(self, client: httpx2.AsyncClient, event: JsonObject) -> None:
        if event["type"] != "call.answered":
            return
        if self._peer is not None:
            self._peer.forget()
            if self._voice is not None:
                self._peer.say(self._voice)
        if self._plan.dtmf:
            path = f"/v1/calls/{self._call_id}/actions/dtmf"
            read_answer(await client.post(path, json={"digits": self._plan.dtmf}))
        if self._plan.duration_s is not None or self._voice is not None:
            self._start(self._hang_up_later(client))

    async def _hang_up_later(self, client: httpx2.AsyncClient) -> None:
        if self._plan.duration_s is not None:
            await asyncio.sleep(self._plan.duration_s)
        elif self._voice is not None:
            while not self._voice.finished:  # noqa: ASYNC110  # the voice is pulled frame by frame, it tells nobody
                await asyncio.sleep(POLL_S)
            await asyncio.sleep(AFTER_PLAY_S)
        await self._hang_up(client)

    async def _hang_up(self, client: httpx2.AsyncClient) -> None:
        with suppress(RemoteError, httpx2.HTTPError):  # the event stream tells whether the call ended
            read_answer(await client.post(f"/v1/calls/{self._call_id}/actions/hangup"))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _leave(self) -> None:
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._peer is not None:
            if self._plan.record is not None:
                self._peer.save(self._plan.record)
            await self._peer.close()


async def ask_ice_servers(client: httpx2.AsyncClient) -> tuple[IceServer, ...]:
    """Return the STUN and TURN servers of the bank; raises RemoteError when refused."""
    listed = read_answer(await client.get("/v1/ice-servers"))["ice_servers"]
    assert isinstance(listed, list)  # by the contract of the route
    servers = [entry for entry in listed if isinstance(entry, dict)]
    return tuple(
        IceServer(
            urls=tuple(str(url) for url in urls) if isinstance(urls := server["urls"], list) else (str(urls),),
            username=_text(server.get("username")),
            credential=_text(server.get("credential")),
        )
        for server in servers
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _call_of(event: JsonObject) -> JsonObject:
    data = event["data"]
    call = data.get("call") if isinstance(data, dict) else None
    return call if isinstance(call, dict) else {}

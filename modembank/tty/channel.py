"""The AT channel: one writer, one reader, deadlines. The engine decides; here we wait.

After a deadline has passed the port is not free: drain until quiet, write ESC, which ends the prompt of a message that
the modem may be stuck in, and a sentinel, and take up work again once the sentinel is answered. A late answer
therefore never reaches the next command.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from modembank.at.command import AtCommand
from modembank.at.engine import AtCounters, AtEngine, Doubtful, Prompt, Urc
from modembank.at.mask import mask_command
from modembank.at.result import Result
from modembank.errors import AtBusyError, AtTimeoutError, ModemFloodError, ModemSilentError, PortLostError
from modembank.tty.flood import FloodMeter
from modembank.tty.trace import Trace, TraceLine, Way
from modembank.tty.transport import BAUD, Transport, TransportOpener

_log = logging.getLogger(__name__)

# Source: 3GPP TS 27.005 section 3.5.1.
_SUBMIT = b"\x1a"
_ESCAPE = b"\x1b"


@dataclass(frozen=True, slots=True)
class ChannelTimings:
    """What the channel waits for, in seconds."""

    quiet_s: float = 0.3  # a late answer comes in one burst; this much silence ends it
    drain_s: float = 3.0  # a modem that floods us with URCs is never quiet
    sentinel_s: float = 5.0  # twice unanswered and the modem is taken for hung
    settle_s: float = 0.5  # how long OK may come after a NO CARRIER that was another call's
    prompt_s: float = 10.0  # the prompt comes at once, or the modem does not want the message
    queue: int = 32  # commands that may wait; more means somebody does not look at answers
    flood_lines_s: int = 200  # unasked lines a second; a busy modem tells ten
    flood_s: float = 5.0  # so many seconds in a row, and the port is closed: others need the time
    patience: float = 1.0  # factor on the deadline of each command

    def scaled(self, factor: float) -> ChannelTimings:
        """All waits times `factor`; counts stay."""
        return replace(
            self,
            quiet_s=self.quiet_s * factor,
            drain_s=self.drain_s * factor,
            sentinel_s=self.sentinel_s * factor,
            settle_s=self.settle_s * factor,
            prompt_s=self.prompt_s * factor,
            flood_s=self.flood_s * factor,
            patience=self.patience * factor,
        )


class UrcSink(Protocol):
    """Who listens to unsolicited result codes."""

    def urc_received(self, line: str) -> None:
        """One URC; must not block."""

    def channel_lost(self, error: PortLostError) -> None:
        """The port is gone or the modem hangs; told once, not after `close`."""


@dataclass(slots=True)
class _Job:
    command: AtCommand
    answer: asyncio.Future[Result]
    on_written: Callable[[], None] | None


@dataclass(slots=True)
class _Owed:
    """A payload that the modem has not asked for yet, with the deadline that starts anew when it is written."""

    job: _Job
    payload: bytes
    deadline: asyncio.Timeout


class AtChannel:
    """One modem's AT port. Made by `open`, ended by `close`."""

    def __init__(self, sink: UrcSink, timings: ChannelTimings | None = None) -> None:
        self._sink = sink
        self._timings = timings or ChannelTimings()
        self._engine = AtEngine()
        self._trace = Trace()
        self._transport: Transport | None = None
        self._jobs: deque[_Job] = deque()
        self._job: _Job | None = None  # the one being served
        self._wake = asyncio.Event()
        self._result: asyncio.Future[Result] | None = None
        self._owed: _Owed | None = None
        self._heard = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._error: PortLostError | None = None
        self._floods = FloodMeter(self._timings.flood_lines_s, self._timings.flood_s)
        self.timeouts = 0
        self.answered_s: float | None = None

    @classmethod
    async def open(
        cls,
        opener: TransportOpener,
        path: Path,
        sink: UrcSink,
        timings: ChannelTimings | None = None,
        baud: int = BAUD,
    ) -> Self:
        """Open the port and start to listen. Raises what the opener raises."""
        channel = cls(sink, timings)
        channel._transport = await opener(path, channel, baud)
        channel._worker = asyncio.create_task(channel._work(), name=f"at {path.name}")
        return channel

    @property
    def counters(self) -> AtCounters:
        """What was dropped, and why."""
        return self._engine.counters

    async def run(self, command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        """Run one command and return its information text.

        `on_written` is called when the bytes have been handed to the port. The deadline starts then. Of a command
        with a payload, the payload's bytes count; it is not written any more once the caller was cancelled.

        Raises:
            AtTimeoutError: no final result code in time; the command may have been carried out.
            AtBusyError: too many commands wait; this one was not sent.
            CmeError, CmsError, AtResultError: the modem said no.
            PortLostError: the port is gone, or the modem hangs.
        """
        if self._error is not None:
            raise PortLostError(str(self._error))
        if len(self._jobs) >= self._timings.queue:
            raise AtBusyError("too many commands wait for this modem")
        job = _Job(command, asyncio.get_running_loop().create_future(), on_written)
        self._jobs.append(job)
        self._wake.set()
        return (await job.answer).checked()

    def trace(self, limit: int) -> tuple[TraceLine, ...]:
        """The last lines, masked."""
        return self._trace.read(limit)

    def transcript(self, limit: int) -> tuple[TraceLine, ...]:
        """The last lines, redacted."""
        return self._trace.redacted(limit)

    async def close(self) -> None:
        """Let the port go; whoever waits for an answer gets PortLostError."""
        self._end(PortLostError("the port was closed"), tell=False)
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker

    def data_received(self, data: bytes) -> None:
        """From the transport."""
        self._heard.set()
        events = self._engine.feed(data)
        for line in self._engine.lines:
            self._trace.add(Way.FROM_MODEM, line)
        for event in events:
            match event:
                case Result():
                    self._settle_with(event)
                case Urc(text):
                    self._sink.urc_received(text)
                    self._count_unasked()
                case Doubtful(text):
                    self._sink.urc_received(text)
                    self._arm_settling()
                case Prompt():
                    self._pay()

    def _count_unasked(self) -> None:
        """A modem that floods us would take the time of all others: its port is closed."""
        if self._floods.line(time.monotonic()):
            self._trace.add(Way.NOTE, "the modem floods us with lines nobody asked for")
            self._end(ModemFloodError("the modem tells hundreds of lines a second unasked"), tell=True)

    def connection_lost(self, error: Exception | None) -> None:
        """From the transport."""
        self._end(PortLostError(f"the port went away: {error or 'closed by the other side'}"), tell=True)

    async def _work(self) -> None:
        while True:
            while not self._jobs:
                self._wake.clear()
                await self._wake.wait()
            job = self._jobs.popleft()
            if job.answer.done():  # its caller was cancelled before we wrote
                continue
            self._job = job
            await self._serve(job)
            if self._engine.suspect and not await self._resync():
                self._trace.add(Way.NOTE, "the modem answers no more")
                self._end(ModemSilentError("the modem answers no more"), tell=True)
                return

    async def _serve(self, job: _Job) -> None:
        """Write one command and wait for its result or its deadline."""
        try:
            timeout_s = job.command.timeout_s * self._timings.patience
            result = await self._exchange(self._engine.send(job.command), timeout_s, job)
        except PortLostError as error:
            _fail(job.answer, error)
            self._end(error, tell=True)
            return
        if result is not None:
            if not job.answer.done():
                job.answer.set_result(result)
            return
        self.timeouts += 1
        self._engine.give_up()
        name = mask_command(job.command.text)
        self._trace.add(Way.NOTE, f"no answer to AT{name} within {timeout_s:g} s")
        _fail(job.answer, AtTimeoutError(name, timeout_s))

    async def _resync(self) -> bool:
        """Make the port usable after a deadline; False when two sentinels stayed without answer."""
        for _ in range(2):
            await self._drain()
            try:
                self._write(_ESCAPE, "<ESC>")
                if await self._exchange(self._engine.resync(), self._timings.sentinel_s, None) is not None:
                    return True
            except PortLostError:
                return False
        return False

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.drain_s):
                while await self._hear(self._timings.quiet_s):
                    pass

    async def _hear(self, timeout_s: float) -> bool:
        self._heard.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def _exchange(self, line: bytes, timeout_s: float, job: _Job | None) -> Result | None:
        """Write a line and return its result, None past the deadline. Raises PortLostError."""
        payload = job.command.payload if job is not None else None
        self._result = asyncio.get_running_loop().create_future()
        self._write(line, line.decode("ascii").rstrip("\r"))
        if job is not None and payload is None and job.on_written is not None:
            job.on_written()
        try:
            async with asyncio.timeout(timeout_s if payload is None else self._timings.prompt_s) as deadline:
                if job is not None and payload is not None:
                    self._owed = _Owed(job, payload.encode("ascii"), deadline)
                return await self._result
        except TimeoutError:
            return None
        finally:
            self._result = self._owed = None

    def _pay(self) -> None:
        """The modem asks for what belongs to the running command: write it once, and give it its time."""
        owed, self._owed = self._owed, None
        if owed is None:
            return
        try:
            if owed.job.answer.done():  # its caller was cancelled
                self._write(_ESCAPE, "<ESC>")
                return
            self._write(owed.payload + _SUBMIT, owed.payload.decode("ascii"))
        except PortLostError as error:
            self._end(error, tell=True)
            return
        if owed.job.on_written is not None:
            owed.job.on_written()
        timeout_s = owed.job.command.timeout_s * self._timings.patience
        owed.deadline.reschedule(asyncio.get_running_loop().time() + timeout_s)

    def _write(self, data: bytes, shown: str) -> None:
        if self._transport is None:
            raise PortLostError(str(self._error))
        self._trace.add(Way.TO_MODEM, shown)
        self._transport.write(data)

    def _arm_settling(self) -> None:
        if self._settling is None:
            loop = asyncio.get_running_loop()
            self._settling = loop.call_later(self._timings.settle_s, self._settle)

    def _settle(self) -> None:
        self._settling = None
        result = self._engine.settle()
        if result is not None:
            self._settle_with(result)

    def _settle_with(self, result: Result) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self.answered_s = time.monotonic()
        if self._result is not None and not self._result.done():
            self._result.set_result(result)

    def _end(self, error: PortLostError, *, tell: bool) -> None:
        if self._error is not None:
            return
        self._error = error
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        if self._settling is not None:
            self._settling.cancel()
        if self._result is not None:
            _fail(self._result, error)
        if self._job is not None:
            _fail(self._job.answer, error)
        while self._jobs:
            _fail(self._jobs.popleft().answer, error)
        if tell:
            self._sink.channel_lost(error)


def _fail(future: asyncio.Future[Result], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)

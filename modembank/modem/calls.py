"""Call control of one modem: commands down, the tracker's findings up.

Source: 3GPP TS 27.007 sections 6.2 (D), 6.5 (+CHUP), 6.10 (+CEER), 7.13 (+CHLD), 7.18 (+CLCC).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from modembank.at import command as at
from modembank.at.calls import (
    CallKind,
    Cause,
    CurrentCall,
    Direction,
    Evidence,
    Indication,
    read_call_code,
    read_ceer,
    read_voice_calls,
)
from modembank.dialects import Dialect
from modembank.errors import AtError, AtResultError, AtTimeoutError, DialFailedError, PortLostError, WrongStateError
from modembank.modem.call_state import CallState
from modembank.modem.events import CallProgress, CallRelease, ModemSink, Stamp
from modembank.modem.timings import ModemTimings
from modembank.modem.tracker import CallTracker, Ended, Output, TrackedCall
from modembank.modem.voice import arm_voice

_log = logging.getLogger(__name__)
_NORMAL = 16
_TEMPORARY_FAILURE = 41
_NO_ANSWER = 19
_TIMER_EXPIRY = 102
_GONE = {
    Evidence.PORT_LOST: Cause(_TEMPORARY_FAILURE, "the modem was lost"),
    Evidence.RESET: Cause(_TEMPORARY_FAILURE, "the modem restarted"),
}


class Run(Protocol):
    """Runs one command on the modem's channel, see `AtChannel.run`."""

    async def __call__(self, command: at.AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        """Return the information text."""


def now() -> Stamp:
    """This moment on both clocks."""
    return Stamp(datetime.now(UTC), time.monotonic())


class CallControl:
    """The calls of one modem from the opening of its port to its loss."""

    def __init__(
        self, run: Run, dialect: Dialect, sink: ModemSink, timings: ModemTimings, on_busy: Callable[[], None]
    ) -> None:
        self._run = run
        self._dialect = dialect
        self._sink = sink
        self._timings = timings
        self._on_busy = on_busy
        self._tracker = CallTracker(timings.unseen_s)
        self._poke = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._dialling = asyncio.Lock()
        self._later: list[Output] = []
        self._finishing: asyncio.Task[None] | None = None
        self._hanging: asyncio.Task[None] | None = None
        self._rejecting: asyncio.Task[None] | None = None
        self._witnessed_s = time.monotonic()
        self._hang_up_wanted = False
        self.blind = True  # no call URCs were granted: +CLCC is the only witness
        self.atd_written = False

    @property
    def busy(self) -> bool:
        """Whether a call is there whose release has not been told."""
        return not self._idle.is_set()

    # ---- from the modem -------------------------------------------------------------------------------------

    def observe(self, indication: Indication) -> None:
        """A URC about a call came."""
        self._handle(self._tracker.observe(indication, now()))
        self._poke.set()

    def end(self, evidence: Evidence) -> None:
        """The modem restarted or is lost: whatever call there was is over."""
        self._handle(self._tracker.end(evidence, now()))

    async def close(self) -> None:
        """Wait until everything is told; no task stays behind."""
        for task in (self._hanging, self._rejecting, self._finishing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, AtError, PortLostError):
                    await task

    async def watch(self) -> None:
        """Ask the referee after every event and, while a call is up, from time to time. Raises PortLostError."""
        while True:
            await self._wait_for_reason()
            await self._ask_referee()
            self._check_deadlines()

    # ---- from the owner -------------------------------------------------------------------------------------

    async def dial(self, number: str) -> None:
        """Arm the voice path, prove it, make sure no call is there, then write exactly one ATD.

        After DialFailedError, NoVoiceError, InvalidNumberError nothing was charged. After AtTimeoutError or a
        cancellation with `atd_written` the call may exist; its `call_released` will be told.
        """
        command = at.dial(number)
        async with self._dialling:
            self.atd_written = False
            self._hang_up_wanted = False
            if self._tracker.call is not None:
                raise DialFailedError("the modem has a call")
            await self._idle.wait()
            await self._clear_the_way()
            if self._tracker.call is not None or self._hang_up_wanted:
                raise DialFailedError("a call came in, or the call was given up, before ATD was written")
            call = self._tracker.dial(number, now())
            self._settle()
            await self._write_atd(command, call)

    async def answer(self) -> None:
        """`ATA`. Raises WrongStateError without an incoming call, DialFailedError when the caller was faster."""
        call = self._tracker.call
        if call is None or call.state is not CallState.INCOMING:
            raise WrongStateError("no call is coming in")
        await arm_voice(self._run, self._dialect.voice)
        try:
            await self._run(at.ANSWER)
        except AtResultError as error:
            raise DialFailedError(f"the call could not be answered: {error.result}") from error
        finally:
            self._poke.set()

    async def hang_up(self) -> None:
        """End the call and wait until its end is sure and told; without a call nothing happens."""
        await self._hang_up_with(self._dialect.hang_up)

    async def reject(self) -> None:
        """Refuse the incoming call. Raises WrongStateError."""
        call = self._tracker.call
        if call is None or call.state not in {CallState.INCOMING, CallState.RUMOURED}:
            raise WrongStateError("no call is coming in")
        await self._hang_up_with(self._dialect.reject)

    async def send_dtmf(self, digit: str) -> None:
        """One digit. Raises AtSyntaxError, WrongStateError, AtResultError."""
        command = at.dtmf(digit)
        if self._tracker.call is None:
            raise WrongStateError("DTMF needs a call")
        await self._run(command)

    async def hold(self, on: bool) -> None:
        """Put the call on hold or take it back. Raises WrongStateError, AtResultError."""
        call = self._tracker.call
        wanted = CallState.HELD if on else CallState.ACTIVE
        if call is None or call.state not in {CallState.ACTIVE, CallState.HELD}:
            raise WrongStateError("only a connected call can be held")
        if call.state is not wanted:
            await self._run(at.SWAP)
            self._poke.set()

    async def list_calls(self) -> tuple[CurrentCall, ...]:
        """The voice calls that `+CLCC` shows."""
        return read_voice_calls(await self._run(at.LIST_CALLS))

    async def clear_calls(self) -> int:
        """Hang up whatever `+CLCC` shows and return how many calls that were."""
        calls = await self.list_calls()
        if not calls:
            return 0
        if self._tracker.call is not None:
            self._tracker.call.local = True
        await self._release(self._dialect.hang_up, self._none_listed)
        return len(calls)

    # ---- dialling -------------------------------------------------------------------------------------------

    async def _clear_the_way(self) -> None:
        calls = read_voice_calls(await arm_voice(self._run, self._dialect.voice, at.LIST_CALLS))
        if not calls:
            return
        self._handle(self._tracker.referee(calls, None, now()))
        if self._tracker.call is not None:
            raise DialFailedError("a call is coming in")
        _log.warning("a left-over call is hung up before dialling")
        await self.clear_calls()

    async def _write_atd(self, command: at.AtCommand, call: TrackedCall) -> None:
        try:
            await self._run(command, self._mark_written)
        except AtResultError as error:
            self._handle(self._tracker.end(Evidence.FINAL, now()) if self._tracker.call is call else [])
            raise DialFailedError(f"ATD was answered with {error.result}", read_call_code(error.result).q850) from error
        except BaseException:
            if not self.atd_written and self._tracker.call is call:
                self._handle(self._tracker.end(Evidence.ATD, now()))
            call.accepted = self.atd_written  # perhaps: from now on its absence from +CLCC counts
            self._poke.set()
            raise
        self._handle(self._tracker.accept(now()))
        self._poke.set()

    def _mark_written(self) -> None:
        self.atd_written = True

    # ---- hanging up -----------------------------------------------------------------------------------------

    async def _hang_up_with(self, command: at.AtCommand) -> None:
        self._hang_up_wanted = True
        if self._tracker.call is None:
            await self._idle.wait()
            return
        self._tracker.call.local = True
        if self._hanging is None or self._hanging.done():
            self._hanging = asyncio.create_task(self._release(command, self._is_idle), name="hang up")
        await asyncio.shield(self._hanging)

    async def _release(self, command: at.AtCommand, gone: Callable[[], Awaitable[bool]]) -> None:
        """Climb until the call is gone: +CHUP, +CHLD=1x for each call, radio off and on."""
        if await self._try_release((command,), gone):
            return
        _log.warning("a call outlived %s; releasing it by its index", command.text)
        calls = await self.list_calls()
        if await self._try_release(tuple(at.release_call(call.index) for call in calls), gone):
            return
        _log.error("a call outlived every release; the radio is switched off and on")
        for radio in (at.RADIO_OFF, at.RADIO_ON):
            with contextlib.suppress(AtResultError, AtTimeoutError):
                await self._run(radio)
            if radio is at.RADIO_OFF:
                await asyncio.sleep(self._timings.radio_off_s)
        self.end(Evidence.DEADLINE)
        await self._idle.wait()

    async def _try_release(self, commands: tuple[at.AtCommand, ...], gone: Callable[[], Awaitable[bool]]) -> bool:
        for command in commands:
            with contextlib.suppress(AtResultError, AtTimeoutError):
                await self._run(command)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.hang_up_s):
                while not await gone():  # noqa: ASYNC110  # the modem has no event for it
                    await asyncio.sleep(self._timings.absent_s)
                return True
        return False

    async def _is_idle(self) -> bool:
        self._poke.set()
        if self._tracker.call is None:
            await self._idle.wait()
        return not self.busy

    async def _none_listed(self) -> bool:
        return not await self.list_calls()

    # ---- the referee ----------------------------------------------------------------------------------------

    async def _wait_for_reason(self) -> None:
        call = self._tracker.call
        period = None
        if call is not None:
            period = self._timings.blind_poll_s if self.blind else self._timings.call_poll_s
            period = self._timings.absent_s if call.absences else period
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(period):
                await self._poke.wait()
        if self._poke.is_set():
            await asyncio.sleep(self._timings.referee_s)
        self._poke.clear()

    async def _ask_referee(self) -> None:
        mark = self._tracker.mark()
        if self._tracker.call is None:
            self._witnessed_s = time.monotonic()
        try:
            calls = await self.list_calls()
        except AtError as error:
            _log.warning("+CLCC failed: %s", error)
            return
        self._witnessed_s = time.monotonic()
        self._handle(self._tracker.referee(calls, mark, now()))

    def _check_deadlines(self) -> None:
        call = self._tracker.call
        if call is None or call.local:
            return
        age = time.monotonic() - call.since_s
        if time.monotonic() - self._witnessed_s > self._timings.witness_s:
            self._expire(call, Cause(_TEMPORARY_FAILURE, "the modem does not tell about its call any more"))
        elif call.accepted and not call.progressed and age > self._timings.progress_s:
            self._expire(call, Cause(_TIMER_EXPIRY, f"no progress within {self._timings.progress_s:g} s"))
        elif call.state in {CallState.DIALING, CallState.ALERTING} and age > self._timings.alerting_s:
            self._expire(call, Cause(_NO_ANSWER, f"no answer within {self._timings.alerting_s:g} s"))

    def _expire(self, call: TrackedCall, verdict: Cause) -> None:
        call.verdict = verdict
        call.local = True
        if self._hanging is None or self._hanging.done():
            self._hanging = asyncio.create_task(self._release(self._dialect.hang_up, self._is_idle))

    # ---- telling --------------------------------------------------------------------------------------------

    def _handle(self, outputs: list[Output]) -> None:
        self._later += outputs
        self._tell()
        self._settle()

    def _tell(self) -> None:
        """Tell in order; the end of a call waits for its cause, and what follows waits behind it."""
        while self._later and self._finishing is None:
            output = self._later.pop(0)
            if isinstance(output, Ended):
                self._finish(output)
            else:
                self._tell_progress(output)

    def _tell_progress(self, progress: CallProgress) -> None:
        self._sink.call_progress(progress)
        if progress.kind is CallKind.WAITING and (self._rejecting is None or self._rejecting.done()):
            self._rejecting = asyncio.create_task(self._reject_waiting(), name="reject waiting call")

    async def _reject_waiting(self) -> None:
        with contextlib.suppress(AtError, PortLostError):
            await self._run(at.REJECT_WAITING)

    def _finish(self, ended: Ended) -> None:
        if ended.evidence in _GONE:
            self._tell_release(ended, _GONE[ended.evidence])
            return
        if ended.call.verdict is not None:
            self._tell_release(ended, ended.call.verdict)
            return
        self._finishing = asyncio.create_task(self._find_cause(ended), name="release cause")

    async def _find_cause(self, ended: Ended) -> None:
        cause = None
        try:
            async with asyncio.timeout(self._timings.cause_s):
                info = await self._run(at.READ_CAUSE)
            cause = read_ceer(info[0]) if info else None
        except (AtError, PortLostError, TimeoutError) as error:
            _log.info("no cause: %s", error)
        finally:
            self._finishing = None
            self._tell_release(ended, cause or _presume(ended.call))
            self._tell()
            self._settle()

    def _tell_release(self, ended: Ended, cause: Cause) -> None:
        call, stamp = ended.call, ended.stamp
        self._sink.call_released(
            CallRelease(
                call.direction,
                call.number,
                cause.q850,
                cause.text,
                ended.evidence,
                call.local,
                stamp.at,
                stamp.monotonic_s,
            )
        )

    def _settle(self) -> None:
        idle = self._tracker.call is None and self._finishing is None
        if idle is self._idle.is_set():
            return
        if idle:
            self._idle.set()
        else:
            self._idle.clear()
        self._on_busy()


def _presume(call: TrackedCall) -> Cause:
    """The cause when +CEER knows none."""
    if call.local:
        return Cause(_NORMAL, "hung up")
    if call.code is not None:
        return read_call_code(call.code)
    return Cause(None, "the far end hung up" if call.direction is Direction.MO else "the caller hung up")

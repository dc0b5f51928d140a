"""Call control of one modem: commands down, the tracker's findings up.

Source: 3GPP TS 27.007 sections 6.2 (D), 6.5 (+CHUP), 7.13 (+CHLD), 7.18 (+CLCC).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from modembank.at import command as at
from modembank.at.calls import CallKind, Cause, CurrentCall, Evidence, Indication, read_call_code, read_voice_calls
from modembank.dialects import Dialect, VoiceMoment
from modembank.errors import (
    AtError,
    AtResultError,
    DialFailedError,
    ModemError,
    NoVoiceError,
    NumberBlacklistedError,
    WrongStateError,
)
from modembank.modem.ask import Ask
from modembank.modem.call_state import CallState
from modembank.modem.events import ModemSink, Stamp
from modembank.modem.release import Gone, release
from modembank.modem.teller import Teller
from modembank.modem.timings import ModemTimings
from modembank.modem.tracker import CallTracker, Ended, Output, TrackedCall
from modembank.modem.voice import VoiceSwitch

_log = logging.getLogger(__name__)
_ON_THE_WAY = {CallKind.DIALING, CallKind.ALERTING}
_NO_ANSWER = 19
_TEMPORARY_FAILURE = 41
_TIMER_EXPIRY = 102


def now() -> Stamp:
    """This moment on both clocks."""
    return Stamp(datetime.now(UTC), time.monotonic())


class CallControl:
    """The calls of one modem from the opening of its port to its loss."""

    def __init__(
        self,
        ask: Ask,
        dialect: Dialect,
        voice: VoiceSwitch,
        sink: ModemSink,
        timings: ModemTimings,
        on_busy: Callable[[], None],
    ) -> None:
        self._ask = ask
        self._dialect = dialect
        self._timings = timings
        self._on_busy = on_busy
        self._tracker = CallTracker(timings.unseen_s)
        self._teller = Teller(ask, sink, dialect, timings.cause_s, self._settle)
        self._poke = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._dialling = asyncio.Lock()
        self.voice = voice
        self._voiced: int | None = None  # the serial of the call that voice was switched on for
        self._voicing: asyncio.Task[None] | None = None
        self._hanging: asyncio.Task[bool] | None = None
        self._given_up = False
        self._witnessed_s = time.monotonic()
        self.blind = True  # no call URCs were granted: +CLCC is the only witness
        self.atd_written = False

    @property
    def busy(self) -> bool:
        """Whether there is a call whose release has not been told."""
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
        """Tell what is left to tell; the channel is closed, so that what still runs ends by itself."""
        running = {task for task in (self._hanging, self._voicing) if task is not None}
        if running:
            await asyncio.wait(running)
        await self._teller.close()

    async def watch(self) -> None:
        """Ask the referee after every event and, while a call is up, from time to time. Raises PortLostError."""
        while True:
            await self._wait_for_reason()
            await self._ask_referee()
            self._check_deadlines()

    # ---- from the owner -------------------------------------------------------------------------------------

    async def dial(self, number: str) -> None:
        """Arm the voice path, prove it, make sure no call is there, then write exactly one ATD.

        After DialFailedError, its kind NumberBlacklistedError, NoVoiceError and InvalidNumberError nothing was
        charged. After AtTimeoutError or a cancellation with `atd_written` the call may exist; its release will be told.
        """
        command = at.dial(number)
        async with self._dialling:
            self.atd_written = False
            self._given_up = False
            if self._tracker.call is not None:
                raise DialFailedError("the modem has a call")
            await self._idle.wait()
            await self._clear_the_way()
            if self._tracker.call is not None or self._given_up:
                raise DialFailedError("a call came in, or the dial was given up, before ATD was written")
            call = self._tracker.dial(number, now())
            self._settle()
            await self._write_atd(command, call)

    async def answer(self) -> None:
        """`ATA`. Raises WrongStateError without an incoming call, DialFailedError when the caller was faster."""
        call = self._tracker.call
        if call is None or call.state is not CallState.INCOMING:
            raise WrongStateError("no call is coming in")
        await self.voice.prepare()
        try:
            await self._ask(at.ANSWER)
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
        call, dialect = self._tracker.call, self._dialect
        index = call.index if call is not None and call.index is not None else 1
        command = at.dtmf(digit, dialect.dtmf, index, dialect.dtmf_digits)
        if call is None:
            raise WrongStateError("DTMF needs a call")
        await self._ask(command)

    async def hold(self, on: bool) -> None:
        """Put the call on hold or take it back. Raises WrongStateError, AtResultError."""
        call = self._tracker.call
        wanted = CallState.HELD if on else CallState.ACTIVE
        if call is None or call.state not in {CallState.ACTIVE, CallState.HELD}:
            raise WrongStateError("only a connected call can be held")
        if call.state is not wanted:
            await self._ask(at.SWAP)
            self._poke.set()

    async def list_calls(self) -> tuple[CurrentCall, ...]:
        """The voice calls that `+CLCC` shows."""
        return read_voice_calls(await self._ask(at.LIST_CALLS))

    async def clear_calls(self) -> int:
        """Hang up whatever `+CLCC` shows and return how many calls that were. Raises ModemError: it does not let go."""
        calls = await self.list_calls()
        if calls:
            if self._tracker.call is not None:
                self._tracker.call.local = True
            if not await self._release(self._dialect.hang_up, self._none_listed):
                raise ModemError("the modem holds a call that it does not let go of")
        return len(calls)

    # ---- dialling -------------------------------------------------------------------------------------------

    async def _clear_the_way(self) -> None:
        calls = read_voice_calls(await self.voice.prepare(at.LIST_CALLS))
        if not calls:
            return
        self._handle(self._tracker.referee(calls, None, now()))
        if self._tracker.call is not None:
            raise DialFailedError("a call is coming in")
        _log.warning("a left-over call is hung up before dialling")
        await self.clear_calls()

    async def _write_atd(self, command: at.AtCommand, call: TrackedCall) -> None:
        try:
            await self._ask(command, self._mark_written)
        except AtResultError as error:
            self._drop(call, Evidence.FINAL)
            refused = await self._teller.why_refused(error.result)
            if refused is not None:
                raise NumberBlacklistedError(refused.text) from error
            q850 = read_call_code(error.result).q850
            raise DialFailedError(f"ATD was answered with {error.result}", q850) from error
        except BaseException:
            if not self.atd_written:
                self._drop(call, Evidence.ATD)
            call.accepted = self.atd_written  # perhaps it was: from now on its absence from +CLCC counts
            raise
        finally:
            self._poke.set()
        self._handle(self._tracker.accept(now()))

    def _mark_written(self) -> None:
        self.atd_written = True

    def _drop(self, call: TrackedCall, evidence: Evidence) -> None:
        if self._tracker.call is call:
            self.end(evidence)

    # ---- hanging up -----------------------------------------------------------------------------------------

    async def _hang_up_with(self, command: at.AtCommand) -> None:
        self._given_up = True
        if self._tracker.call is None:
            await self._idle.wait()
            return
        self._tracker.call.local = True
        await asyncio.shield(self._start_release(command))

    def _start_release(self, command: at.AtCommand) -> asyncio.Task[bool]:
        if self._hanging is None or self._hanging.done():
            self._hanging = asyncio.create_task(self._release(command, self._is_gone), name="hang up")
            self._hanging.add_done_callback(_log_failure)
        return self._hanging

    async def _release(self, command: at.AtCommand, gone: Gone) -> bool:
        """Whether the modem has confirmed the end."""
        await self.voice.turn_off()
        by_index = self.list_calls if self._dialect.release_by_index else None
        gone_for_sure = await release(self._ask, command, gone, by_index, self._timings)
        if not gone_for_sure:
            self.end(Evidence.DEADLINE)
        await self._idle.wait()
        return gone_for_sure

    async def _is_gone(self) -> bool:
        self._poke.set()
        return self._tracker.call is None

    async def _none_listed(self) -> bool:
        return not await self.list_calls()

    # ---- the referee ----------------------------------------------------------------------------------------

    async def _wait_for_reason(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll_period_s()):
                await self._poke.wait()
                await asyncio.sleep(self._timings.referee_s)
        self._poke.clear()

    def _poll_period_s(self) -> float | None:
        call = self._tracker.call
        if call is None:
            return None
        if call.absences:
            return self._timings.absent_s
        return self._timings.blind_poll_s if self.blind else self._timings.call_poll_s

    async def _ask_referee(self) -> None:
        mark = self._tracker.mark()
        if mark is None:
            self._witnessed_s = time.monotonic()
        try:
            calls = await self.list_calls()
        except AtError as error:
            _log.warning("+CLCC failed: %s", error)
            return
        self._witnessed_s = time.monotonic()
        self._handle(self._tracker.referee(calls, mark, now()))

    def _check_deadlines(self) -> None:
        call, timings = self._tracker.call, self._timings
        if call is None or call.local:
            return
        age_s = time.monotonic() - call.since_s
        if time.monotonic() - self._witnessed_s > timings.witness_s:
            self._expire(call, Cause(_TEMPORARY_FAILURE, "the modem tells nothing about its call any more"))
        elif call.accepted and not call.progressed and age_s > timings.progress_s:
            self._expire(call, Cause(_TIMER_EXPIRY, f"no progress within {timings.progress_s:g} s"))
        elif call.state in {CallState.DIALING, CallState.ALERTING} and age_s > timings.alerting_s:
            self._expire(call, Cause(_NO_ANSWER, f"no answer within {timings.alerting_s:g} s"))

    def _expire(self, call: TrackedCall, verdict: Cause) -> None:
        call.verdict = verdict
        call.local = True
        self._start_release(self._dialect.hang_up)

    # ---- up -------------------------------------------------------------------------------------------------

    def _handle(self, outputs: list[Output]) -> None:
        self._teller.tell(outputs)
        self._settle()
        for output in outputs:
            self._switch_voice(output)

    def _switch_voice(self, output: Output) -> None:
        """Where voice could not be prepared: on in its moment, off when the call is over."""
        call, moment = self._tracker.call, self.voice.moment
        if moment is None:
            return
        if isinstance(output, Ended):
            if self._voiced == output.call.serial:  # also after our own hang-up: switching on may still be under way
                self._start_voicing(self.voice.turn_off())
            return
        due = output.kind is CallKind.ANSWERED or (moment is VoiceMoment.AFTER_DIAL and output.kind in _ON_THE_WAY)
        if due and call is not None and self._voiced != call.serial:
            self._voiced = call.serial
            self._start_voicing(self._turn_voice_on(call))

    def _start_voicing(self, work: Coroutine[None, None, None]) -> None:
        if self._voicing is not None:
            self._voicing.cancel()
        self._voicing = asyncio.create_task(work, name="voice")
        self._voicing.add_done_callback(_log_failure)

    async def _turn_voice_on(self, call: TrackedCall) -> None:
        try:
            await self.voice.turn_on()
        except NoVoiceError as error:
            if self._tracker.call is call and not call.local:
                self._expire(call, Cause(_TEMPORARY_FAILURE, str(error)))  # a call without sound only costs money

    def _settle(self) -> None:
        idle = self._tracker.call is None and not self._teller.busy
        if idle is self._idle.is_set():
            return
        if idle:
            self._idle.set()
        else:
            self._idle.clear()
        self._on_busy()


def _log_failure(task: asyncio.Task[None] | asyncio.Task[bool]) -> None:
    """Nobody may be waiting for a release: its failure is said here, too."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("a call could not be released, or its voice switched: %s", error)

"""The calls of one modem: the list behind +CLCC and the URCs of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from modembank.emulator.audio import AudioStream
from modembank.emulator.connection import Connection
from modembank.emulator.identity import number_type
from modembank.emulator.network import CAUSE_BUSY, CAUSE_NO_ANSWER, CAUSE_NORMAL, CAUSE_OUT_OF_ORDER
from modembank.emulator.redial import RedialList
from modembank.emulator.reply import OK, RefusedError, Reply
from modembank.emulator.settings import PCM_OFF, PCM_ON_TTY
from modembank.emulator.signals import SILENCE
from modembank.emulator.timers import Timers

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

RING_EVERY_S = 5.0
RING_AFTER_END_S = 0.1
LATE_NO_CARRIER_S = 3.0
LATE_AFTER_DIAL_S = 1.0
MAX_INDEX = 7


class CallState(IntEnum):
    """`<stat>` of +CLCC and of ccinfo. Source: 3GPP TS 27.007 clause 7.18; -1 is Quectel's."""

    ACTIVE = 0
    HELD = 1
    DIALING = 2
    ALERTING = 3
    INCOMING = 4
    WAITING = 5
    ENDED = -1


WITH_AUDIO = (CallState.ACTIVE, CallState.HELD, CallState.DIALING, CallState.ALERTING)


@dataclass(slots=True)
class Call:
    """One entry of +CLCC."""

    index: int
    outgoing: bool
    number: str
    state: CallState
    connection: Connection | None = None
    answered_s: float | None = None
    cause: int | None = None
    """Of the network's release; none if the host ended the call."""
    told_dialing: bool = False
    told_active: bool = False
    told_end: bool = False

    def seconds(self) -> int:
        """Return how long it has been connected."""
        if self.answered_s is None:
            return 0
        return round(asyncio.get_running_loop().time() - self.answered_s)

    on_result: Callable[[Reply], None] | None = None


class VoiceUnit:
    """Call control of one modem; the subscriber that the network sees."""

    clocked = True

    def __init__(self, modem: Modem) -> None:
        self.calls: list[Call] = []
        self.cause = 0
        self.redial = RedialList()
        self._modem = modem
        self._stream: AudioStream | None = None
        self._timers = Timers()
        self._next_ring: asyncio.TimerHandle | None = None
        self._late = False

    # What the host asks for.

    def dial(self, number: str, complete_on_answer: bool) -> Reply:
        """Answer ATD; the call starts when OK is written."""
        if self._modem.sim is None:
            raise RefusedError(cme=10)
        if not self._modem.radio.serves_voice():
            raise RefusedError(final="NO CARRIER") if self._modem.volatile.cmee == 0 else RefusedError(cme=30)
        if any(call.state not in (CallState.ACTIVE, CallState.HELD) for call in self.calls) or len(self.calls) > 1:
            raise RefusedError(cme=3)
        self.redial.admit(number, self._modem.faults)
        call = Call(self._free_index(), True, number, CallState.DIALING)
        if complete_on_answer:
            return Reply(deferred=lambda done: self._start_deferred(call, done))
        return Reply(after=lambda: self._start(call))

    def answer(self, at_once: bool) -> Reply:
        """Answer ATA; the call is connected after OK, or at once."""
        ringing = [call for call in self.calls if call.state is CallState.INCOMING]
        if not ringing:
            raise RefusedError(final="NO CARRIER")
        if at_once:
            self._pick_up(ringing[0])
            return OK
        return Reply(after=lambda: self._pick_up(ringing[0]))

    def hang_up(self, calls: list[Call], cause: int = CAUSE_NORMAL) -> Reply:
        """Release calls after OK."""
        if self._modem.faults.hangup_ignored > 0:
            self._modem.faults.hangup_ignored -= 1
            return OK
        manners = self._modem.family.manners
        lines = [line for call in calls for line in manners.hanging_up(self._modem, call)]
        return Reply(tuple(lines), after=lambda: self._release(calls, cause))

    def chld(self, operation: str) -> Reply:
        """Answer +CHLD. Source: 3GPP TS 22.030 clause 6.5.5.1."""
        held = [call for call in self.calls if call.state is CallState.HELD]
        active = [call for call in self.calls if call.state is CallState.ACTIVE]
        waiting = [call for call in self.calls if call.state is CallState.WAITING]
        if operation == "0":
            return self.hang_up(waiting or held, CAUSE_BUSY if waiting else CAUSE_NORMAL)
        if operation == "1":
            return Reply(after=lambda: self._replace(active, waiting or held))
        if operation == "2":
            return Reply(after=lambda: self._swap(active, waiting or held))
        if len(operation) == 2 and operation[0] in "12" and operation[1].isdigit():
            return self._chld_one(operation[0], int(operation[1]), active)
        raise RefusedError(cme=4 if operation in ("3", "4") else 50)

    def _chld_one(self, what: str, index: int, active: list[Call]) -> Reply:
        chosen = [call for call in self.calls if call.index == index]
        if not chosen:
            raise RefusedError(cme=22)
        if what == "1":
            return self.hang_up(chosen)
        others = [call for call in active if call is not chosen[0]]
        return Reply(after=lambda: self._swap(others, chosen))

    def press(self, digits: str) -> Reply:
        """Answer +VTS: digits go to the far end of the active call, or of one that speaks before it answers."""
        active = [
            call
            for call in self.calls
            if call.connection is not None and (call.state is CallState.ACTIVE or call.connection.early_media)
        ]
        if not active:
            raise RefusedError(cme=3)
        for digit in digits:
            if active[0].connection is not None:
                active[0].connection.press(self, digit)
        return OK

    # What the network says.

    def reachable(self) -> bool:
        """Return whether the network can page this modem."""
        return self._modem.present and self._modem.radio.serves_voice()

    def offer(self, connection: Connection) -> bool:
        """Ring for an incoming call, or say that this subscriber is busy."""
        if self.calls and not (self._modem.volatile.waiting_service and len(self.calls) == 1):
            return False
        if any(call.state not in (CallState.ACTIVE, CallState.HELD) for call in self.calls):
            return False
        state = CallState.WAITING if self.calls else CallState.INCOMING
        call = Call(self._free_index(), False, connection.caller.number, state, connection)
        self.calls.append(call)
        if state is CallState.WAITING:
            if self._modem.volatile.waiting_urc:
                self._modem.urc(f'+CCWA: "{call.number}",{number_type(call.number)},1')
        else:
            self._ring()
        self._show(call)
        return True

    def on_alerting(self, connection: Connection) -> None:
        """The far phone rings."""
        if not self._modem.faults.no_alerting:
            self._change(connection, CallState.ALERTING)

    def on_early_media(self, connection: Connection) -> None:
        """The network plays something: the dialling call is told again, with tone_info 1."""
        call = self._find(connection)
        if call is not None:
            self._modem.family.manners.early_media(self._modem, call)

    def on_answered(self, connection: Connection) -> None:
        """The call is connected."""
        call = self._change(connection, CallState.ACTIVE)
        if call is not None and call.on_result is not None:
            call.on_result(Reply((f'+COLP: "{call.number}",{number_type(call.number)}',)))
            call.on_result = None

    def on_released(self, connection: Connection, cause: int) -> None:
        """The network or the far side ended the call."""
        call = self._find(connection)
        if call is None:
            return
        self.cause = call.cause = cause
        if call.outgoing:
            self.redial.ended(call.number, answered=call.answered_s is not None)
        self._forget(call)
        text = "NO CARRIER"
        if call.outgoing and call.state in (CallState.DIALING, CallState.ALERTING):
            text = {CAUSE_BUSY: "BUSY", CAUSE_NO_ANSWER: "NO ANSWER"}.get(cause, text)
        if call.on_result is not None:
            call.on_result(Reply(final=text))
        elif self._modem.faults.late_no_carrier:
            self._say_late()
        elif text in self._modem.family.call_results:
            self._modem.urc(text)

    def on_dtmf(self, connection: Connection, digit: str) -> None:
        """The modem hears a DTMF digit."""
        self._modem.family.manners.digit_heard(self._modem, digit)

    def voice(self, connection: Connection, uplink: bytes) -> bytes:
        """Return silence: a modem fetches by its own clock and is never asked."""
        return SILENCE

    # What the machine does to us.

    def drop_all(self, cause: int = CAUSE_OUT_OF_ORDER) -> None:
        """The radio link is lost: every call ends at both sides."""
        for call in list(self.calls):
            if call.connection is not None:
                call.connection.release(cause)

    def vanish(self) -> None:
        """The modem is off: the far sides learn it, the host does not."""
        calls, self.calls = self.calls, []
        for call in calls:
            if call.connection is not None:
                call.connection.release(CAUSE_OUT_OF_ORDER, by=self)
        self._timers.cancel()
        self.redial.clear()
        self.refresh_audio()

    def refresh_audio(self) -> None:
        """Let audio flow exactly while +QPCMV=1,0 and a call with audio are both there."""
        modem = self._modem
        if modem.family.pcm_ends_with_call and not self.calls:
            modem.volatile.pcm = PCM_OFF
        wanted = modem.volatile.pcm == PCM_ON_TTY and any(call.state in WITH_AUDIO for call in self.calls)
        if wanted and self._stream is None and modem.audio_port is not None:
            port, faults, counters = modem.audio_port, modem.faults, modem.counters
            wide = faults.pcm_16khz or modem.wants_16khz()
            self._stream = AudioStream(port, faults, counters, self.exchange, modem.say_pcm_busy, wide=wide)
            modem.start_audio(self._stream)
        elif not wanted and self._stream is not None:
            self._stream.stop()
            self._stream = None
            modem.publish("audio_ended", **modem.counters.as_record())

    @property
    def stream(self) -> AudioStream | None:
        """Return the running audio stream."""
        return self._stream

    # Helpers.

    def exchange(self, uplink: bytes) -> bytes:
        """Give one frame of the host's to the call and return what the host hears."""
        if self._modem.simple("+CMUT") == 1:
            uplink = SILENCE
        for call in self.calls:
            if call.state in (CallState.ACTIVE, CallState.DIALING, CallState.ALERTING) and call.connection:
                return call.connection.exchange(self, uplink)
        return SILENCE

    def _free_index(self) -> int:
        taken = {call.index for call in self.calls}
        first = 2 if self._modem.radio.has_bearer() else 1
        return next(index for index in range(first, MAX_INDEX + 1) if index not in taken)

    def _start_deferred(self, call: Call, done: Callable[[Reply], None]) -> None:
        call.on_result = done
        self._start(call)

    def _start(self, call: Call) -> None:
        sim = self._modem.sim
        if sim is None:
            return
        self._hold([other for other in self.calls if other.state is CallState.ACTIVE])
        self.calls.append(call)
        call.connection = self._modem.network.dial(self, sim.number, call.number)
        self._show(call)
        self.refresh_audio()
        if self._late:
            self._late = False
            self._timers.after(LATE_AFTER_DIAL_S, lambda: self._modem.urc("NO CARRIER"))

    def _pick_up(self, call: Call) -> None:
        if call in self.calls and call.connection is not None:
            call.connection.answer()

    def _release(self, calls: list[Call], cause: int) -> None:
        for call in list(calls):
            if call not in self.calls:
                continue
            unanswered = call.state in (CallState.INCOMING, CallState.WAITING)
            # User determined user busy. Source: 3GPP TS 24.008 clause 5.4.2
            self.cause = CAUSE_BUSY if unanswered and cause == CAUSE_NORMAL else cause
            self._forget(call)
            if call.connection is not None:
                call.connection.release(self.cause, by=self)
            if call.on_result is not None:
                call.on_result(Reply(final="NO CARRIER"))
            if self._modem.faults.late_no_carrier:
                self._say_late()

    def _say_late(self) -> None:
        self._late = True
        self._timers.after(LATE_NO_CARRIER_S, self._say_late_unless_dialled)

    def _say_late_unless_dialled(self) -> None:
        if self._late:
            self._late = False
            self._modem.urc("NO CARRIER")

    def _replace(self, active: list[Call], others: list[Call]) -> None:
        self._release(active, CAUSE_NORMAL)
        self._resume(others)

    def _swap(self, active: list[Call], others: list[Call]) -> None:
        self._hold(active)
        self._resume(others)

    def _hold(self, calls: list[Call]) -> None:
        for call in calls:
            call.state = CallState.HELD
            self._show(call)

    def _resume(self, calls: list[Call]) -> None:
        for call in calls[:1]:
            if call.state is CallState.WAITING:
                self._pick_up(call)
            elif call.state is CallState.HELD:
                call.state = CallState.ACTIVE
                self._show(call)

    def _find(self, connection: Connection) -> Call | None:
        return next((call for call in self.calls if call.connection is connection), None)

    def _change(self, connection: Connection, state: CallState) -> Call | None:
        call = self._find(connection)
        if call is not None and call.state is not state:
            call.state = state
            self._show(call)
            self.refresh_audio()
        return call

    def _forget(self, call: Call) -> None:
        self.calls.remove(call)
        self._show(call, ended=True)
        if not call.outgoing and self._modem.faults.ring_after_end:
            self._timers.after(RING_AFTER_END_S, lambda: self._modem.urc("RING"))
        self.refresh_audio()

    def _ring(self) -> None:
        self._timers.stop(self._next_ring)
        ringing = [call for call in self.calls if call.state is CallState.INCOMING]
        if not ringing:
            return
        modem, number = self._modem, ringing[0].number
        if modem.volatile.indications["ring"]:
            modem.urc("+CRING: VOICE" if modem.simple("+CRC") else "RING")
        if modem.simple("+CLIP"):
            modem.urc(f'+CLIP: "{number}",{number_type(number)},,,,0')
        self._next_ring = self._timers.after(RING_EVERY_S, self._ring)

    def _show(self, call: Call, ended: bool = False) -> None:
        state = CallState.ENDED if ended else call.state
        if state is CallState.ACTIVE and call.answered_s is None:
            call.answered_s = asyncio.get_running_loop().time()
        self._modem.family.manners.call_changed(self._modem, call, state)

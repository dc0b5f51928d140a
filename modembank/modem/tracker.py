"""One modem's one call, put together from events with +CLCC as referee; pure.

Events name a call by an id of their own kind, so that the late end of an earlier call is told from the end of this
one; NO CARRIER and BUSY name none and only ask the referee.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modembank.at.calls import CallKind, Cause, ClccState, CurrentCall, Direction, Evidence, Indication, cause_of
from modembank.modem.call_state import CallEvent, CallState, advance, can_advance
from modembank.modem.events import CallProgress, Stamp

ABSENT_TWICE = 2
_RINGING = {ClccState.INCOMING, ClccState.WAITING}
_CONNECTED = {CallState.ACTIVE, CallState.HELD}
_UNANSWERED = {CallState.DIALING: CallKind.DIALING, CallState.ALERTING: CallKind.ALERTING}
_CLCC_KIND = {
    ClccState.ACTIVE: CallKind.ANSWERED,
    ClccState.HELD: CallKind.HELD,
    ClccState.DIALING: CallKind.DIALING,
    ClccState.ALERTING: CallKind.ALERTING,
    ClccState.INCOMING: CallKind.INCOMING,
    ClccState.WAITING: CallKind.INCOMING,
}
_EVENT = {
    CallKind.DIALING: CallEvent.DIAL,
    CallKind.ALERTING: CallEvent.ALERT,
    CallKind.ANSWERED: CallEvent.ANSWER,
    CallKind.HELD: CallEvent.HOLD,
    CallKind.INCOMING: CallEvent.RING,
}


@dataclass(slots=True)
class TrackedCall:
    """What is known of the call. `accepted`: ATD was answered with OK, so that absence counts."""

    serial: int
    direction: Direction
    number: str | None
    state: CallState
    since_s: float
    accepted: bool = False
    progressed: bool = False
    listed: bool = False  # +CLCC has shown it
    told: bool = False
    local: bool = False  # we hung up
    network_tone: bool | None = None
    index: int | None = None  # in +CLCC
    ids: dict[Evidence, int] = field(default_factory=dict)
    absences: int = 0
    code: str | None = None  # BUSY, NO CARRIER …, a hint to the cause
    verdict: Cause | None = None  # ours when a deadline ended the call, else the network's


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over; it has left the tracker."""

    call: TrackedCall
    evidence: Evidence
    stamp: Stamp


Output = CallProgress | Ended


@dataclass(slots=True)
class CallTracker:
    """At most one call. Methods return what to tell, in order."""

    unseen_s: float
    call: TrackedCall | None = None
    _serial: int = 0

    def dial(self, number: str, stamp: Stamp) -> TrackedCall:
        """ATD is about to be written."""
        assert self.call is None
        return self._start(Direction.MO, number, CallState.NEW, stamp)

    def accept(self, stamp: Stamp) -> list[Output]:
        """ATD was answered with OK."""
        call = self.call
        if call is None or call.direction is not Direction.MO:
            return []
        call.accepted = True
        return self._step(call, CallKind.DIALING, Evidence.ATD, stamp)

    def mark(self) -> int | None:
        """Before +CLCC is sent: which call's absence from the answer will count."""
        return self.call.serial if self.call is not None and self.call.accepted else None

    def end(self, evidence: Evidence, stamp: Stamp) -> list[Output]:
        """The call is over for sure: deadline, reset, port lost."""
        call, self.call = self.call, None
        if call is None:
            return []
        call.state = advance(call.state, CallEvent.RELEASE)
        perhaps_charged = call.direction is Direction.MO and call.accepted
        return [Ended(call, evidence, stamp)] if call.told or perhaps_charged else []

    def observe(self, indication: Indication, stamp: Stamp) -> list[Output]:
        """A URC told something about a call."""
        call = self.call
        if indication.kind is CallKind.RELEASED:
            return self._observe_release(indication, stamp)
        if indication.kind is CallKind.WAITING:
            return [self._waiting(indication.number, indication.evidence, stamp)]
        if call is None:
            if indication.kind is not CallKind.INCOMING:
                return []  # left over from before we came; clear_calls() is for those
            call = self._start(Direction.MT, indication.number, CallState.RUMOURED, stamp)
        elif self._is_other(call, indication):
            ringing = indication.kind is CallKind.INCOMING and indication.index is not None
            return [self._waiting(indication.number, indication.evidence, stamp)] if ringing else []
        heard_tone = bool(indication.network_tone) and not call.network_tone
        self._learn(call, indication)
        if indication.evidence in {Evidence.RING, Evidence.CLIP}:
            return []  # a RING may be the last one of a call that is over: +CLCC confirms
        outputs = self._step(call, indication.kind, indication.evidence, stamp)
        if not outputs and heard_tone and call.state in _UNANSWERED:
            return [self._progress(call, _UNANSWERED[call.state], indication.evidence, stamp)]
        return outputs

    def referee(self, calls: tuple[CurrentCall, ...], mark: int | None, stamp: Stamp) -> list[Output]:
        """+CLCC was answered; `mark` as taken before it was sent."""
        outputs: list[Output] = []
        call = self.call
        if call is None:
            ringing = next((one for one in calls if one.state is ClccState.INCOMING), None)
            if ringing is None:
                return []
            call = self._start(Direction.MT, ringing.number, CallState.RUMOURED, stamp)
        mine = _find(calls, call)
        others = (one for one in calls if one is not mine and one.state in _RINGING)
        outputs.extend(self._waiting(other.number, Evidence.CLCC, stamp) for other in others)
        if mine is not None:
            call.listed, call.absences, call.index = True, 0, mine.index
            call.number = call.number or mine.number
            outputs += self._step(call, _CLCC_KIND[mine.state], Evidence.CLCC, stamp)
        elif mark == call.serial:
            outputs += self._count_absence(call, stamp)
        return outputs

    def _start(self, direction: Direction, number: str | None, state: CallState, stamp: Stamp) -> TrackedCall:
        self._serial += 1
        incoming = direction is Direction.MT
        self.call = TrackedCall(
            self._serial, direction, number, state, stamp.monotonic_s, accepted=incoming, progressed=incoming
        )
        return self.call

    def _is_other(self, call: TrackedCall, indication: Indication) -> bool:
        if indication.direction is not None and indication.direction is not call.direction:
            return True
        bound = call.ids.get(indication.evidence)
        return bound is not None and indication.index is not None and bound != indication.index

    def _learn(self, call: TrackedCall, indication: Indication) -> None:
        if indication.index is not None:
            call.ids.setdefault(indication.evidence, indication.index)
        call.number = call.number or indication.number
        if indication.network_tone is not None:
            call.network_tone = indication.network_tone

    def _step(self, call: TrackedCall, kind: CallKind, evidence: Evidence, stamp: Stamp) -> list[Output]:
        """Take a step that the table knows; everything else is a repetition or late."""
        if evidence is not Evidence.ATD:
            call.progressed = True
        event = _EVENT[kind]
        if event is CallEvent.ANSWER and call.state is CallState.HELD:
            event, kind = CallEvent.RETRIEVE, CallKind.ACTIVE
        if not can_advance(call.state, event):
            return []
        call.state = advance(call.state, event)
        call.told = True
        return [self._progress(call, kind, evidence, stamp)]

    def _progress(self, call: TrackedCall, kind: CallKind, evidence: Evidence, stamp: Stamp) -> CallProgress:
        return CallProgress(kind, call.direction, call.number, evidence, stamp.at, stamp.monotonic_s, call.network_tone)

    def _waiting(self, number: str | None, evidence: Evidence, stamp: Stamp) -> CallProgress:
        return CallProgress(CallKind.WAITING, Direction.MT, number, evidence, stamp.at, stamp.monotonic_s)

    def _observe_release(self, indication: Indication, stamp: Stamp) -> list[Output]:
        call = self.call
        if call is None:
            return []
        if indication.index is None:
            if call.accepted and indication.code is not None:
                call.code = indication.code
            return []
        if call.ids.get(indication.evidence) != indication.index or self._is_other(call, indication):
            return []
        if indication.q850 is not None:
            call.verdict = call.verdict or cause_of(indication.q850)
        return self.end(indication.evidence, stamp)

    def _count_absence(self, call: TrackedCall, stamp: Stamp) -> list[Output]:
        call.absences += 1
        if call.absences < ABSENT_TWICE:
            return []
        known = call.listed or call.direction is Direction.MT
        if not known and stamp.monotonic_s - call.since_s < self.unseen_s:
            return []
        if not call.told:  # a RING that nothing confirmed
            self.call = None
            return []
        return self.end(Evidence.CLCC, stamp)


def _find(calls: tuple[CurrentCall, ...], call: TrackedCall) -> CurrentCall | None:
    """Our call among those listed: by its index, else the one of its direction that can be it."""
    fitting = [
        one
        for one in calls
        if one.direction is call.direction and not (call.state in _CONNECTED and one.state in _RINGING)
    ]
    return next((one for one in fitting if one.index == call.index), fitting[0] if fitting else None)

"""From the way a call ended to its record: pure functions over one table.

Source of the cause numbers: 3GPP TS 24.008 section 10.5.4.11 and annex H, which follow ITU-T Q.850.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is known when a call is over.

    `asked` is our own release (who wanted it and why), None when the network or the modem ended the call.
    """

    direction: Direction
    answered: bool
    asked: tuple[HangupSource, Cause] | None
    q850: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the record will say it."""

    status: CallStatus
    source: HangupSource
    cause: Cause
    q850: int | None


CAUSES: Mapping[int, Cause] = {
    1: Cause.UNASSIGNED_NUMBER,
    3: Cause.UNASSIGNED_NUMBER,
    8: Cause.CALL_BARRED,
    16: Cause.NORMAL_CLEARING,
    17: Cause.USER_BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    21: Cause.CALL_REJECTED,
    22: Cause.UNASSIGNED_NUMBER,
    26: Cause.NORMAL_CLEARING,
    27: Cause.NETWORK_FAILURE,
    28: Cause.INVALID_NUMBER,
    29: Cause.CALL_BARRED,
    31: Cause.NORMAL_CLEARING,
    34: Cause.CONGESTION,
    38: Cause.NETWORK_FAILURE,
    41: Cause.NETWORK_FAILURE,
    42: Cause.CONGESTION,
    44: Cause.CONGESTION,
    47: Cause.CONGESTION,
    50: Cause.CALL_BARRED,
    55: Cause.CALL_BARRED,
    57: Cause.CALL_BARRED,
    58: Cause.CONGESTION,
    63: Cause.CALL_BARRED,
    68: Cause.CALL_BARRED,
    87: Cause.CALL_BARRED,
    88: Cause.CALL_BARRED,
    102: Cause.NETWORK_FAILURE,
    111: Cause.NETWORK_FAILURE,
    127: Cause.NETWORK_FAILURE,
}

_UNANSWERED: Mapping[Cause, CallStatus] = {
    Cause.USER_BUSY: CallStatus.BUSY,
    Cause.NO_ANSWER: CallStatus.NO_ANSWER,
    Cause.CALL_REJECTED: CallStatus.REJECTED,
    Cause.ORIGINATOR_CANCEL: CallStatus.CANCELED,
}

# An answered call that our side lost did not end the way either person wanted.
_BROKEN = frozenset({Cause.MODEM_LOST, Cause.MODEM_FAILED, Cause.SERVER_RESTART, Cause.HOST_UNREACHABLE})

# Released by the network, not by a person.
_NETWORK = frozenset(
    {
        Cause.UNASSIGNED_NUMBER,
        Cause.INVALID_NUMBER,
        Cause.CONGESTION,
        Cause.NETWORK_FAILURE,
        Cause.CALL_BARRED,
        Cause.UNSPECIFIED,
    }
)


def outcome(ending: Ending) -> Outcome:
    """Return status, source and cause for one end of call."""
    if ending.asked is not None:
        source, cause = ending.asked
        return Outcome(status=_asked_status(ending, cause), source=source, cause=cause, q850=ending.q850)
    cause = CAUSES.get(ending.q850, Cause.UNSPECIFIED) if ending.q850 is not None else Cause.UNSPECIFIED
    if ending.answered and cause is Cause.UNSPECIFIED:
        cause = Cause.NORMAL_CLEARING  # an answered call that just ends was hung up by the other person
    remote = HangupSource.CALLEE if ending.direction is Direction.OUTBOUND else HangupSource.CALLER
    source = HangupSource.SYSTEM if cause in _NETWORK else remote
    if ending.answered:
        return Outcome(status=CallStatus.COMPLETED, source=source, cause=cause, q850=ending.q850)
    if ending.direction is Direction.INBOUND:
        return Outcome(status=CallStatus.NO_ANSWER, source=remote, cause=Cause.ORIGINATOR_CANCEL, q850=ending.q850)
    return Outcome(status=_UNANSWERED.get(cause, CallStatus.FAILED), source=source, cause=cause, q850=ending.q850)


def _asked_status(ending: Ending, cause: Cause) -> CallStatus:
    if cause in _BROKEN:
        return CallStatus.FAILED
    if ending.answered:
        return CallStatus.COMPLETED
    return _UNANSWERED.get(cause, CallStatus.FAILED)

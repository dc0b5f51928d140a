"""The life of a call as one table.

A call joins a GSM side and a far side; the table follows the GSM side, because only it costs money and only it can be
answered by the person who was called. Timers and side effects stay in `call.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from modembank.bus.vocabulary import CallStatus
from modembank.errors import IllegalTransitionError


class CallState(StrEnum):
    """Where a call stands."""

    NEW = "new"
    CONNECTING = "connecting"  # waits for the far side's media, nothing was dialled
    DIALING = "dialing"
    ALERTING = "alerting"
    INCOMING = "incoming"
    ANSWERING = "answering"  # ATA was sent
    ACTIVE = "active"
    RELEASING = "releasing"  # we asked the modem to release
    RELEASED = "released"


class CallInput(StrEnum):
    """What can happen to it."""

    AWAIT_MEDIA = "await_media"
    DIAL = "dial"
    ALERT = "alert"
    ANSWER = "answer"
    RING = "ring"
    PICK_UP = "pick_up"
    HANG_UP = "hang_up"
    RELEASE = "release"


_S, _I = CallState, CallInput

TRANSITIONS: Mapping[tuple[CallState, CallInput], CallState] = {
    (_S.NEW, _I.AWAIT_MEDIA): _S.CONNECTING,
    (_S.NEW, _I.DIAL): _S.DIALING,
    (_S.CONNECTING, _I.DIAL): _S.DIALING,
    (_S.DIALING, _I.ALERT): _S.ALERTING,
    (_S.DIALING, _I.ANSWER): _S.ACTIVE,  # some networks skip alerting
    (_S.ALERTING, _I.ALERT): _S.ALERTING,  # told twice: by the URC and by +CLCC
    (_S.ALERTING, _I.ANSWER): _S.ACTIVE,
    (_S.NEW, _I.RING): _S.INCOMING,
    (_S.INCOMING, _I.RING): _S.INCOMING,  # RING repeats every 5 s
    (_S.INCOMING, _I.PICK_UP): _S.ANSWERING,
    (_S.ANSWERING, _I.RING): _S.ANSWERING,
    (_S.ANSWERING, _I.ANSWER): _S.ACTIVE,
    (_S.INCOMING, _I.ANSWER): _S.ACTIVE,  # auto-answer (ATS0) or a key on the device
    (_S.ACTIVE, _I.ANSWER): _S.ACTIVE,
    (_S.ACTIVE, _I.ALERT): _S.ACTIVE,  # a late line never takes an answer back
    # Between our release and the modem's confirmation its lines about the call still come in.
    (_S.RELEASING, _I.ALERT): _S.RELEASING,
    (_S.RELEASING, _I.ANSWER): _S.RELEASING,
    (_S.RELEASING, _I.RING): _S.RELEASING,
    **{(state, _I.HANG_UP): _S.RELEASING for state in _S if state is not _S.RELEASED},
    **{(state, _I.RELEASE): _S.RELEASED for state in _S},
    (_S.RELEASED, _I.HANG_UP): _S.RELEASED,  # hang-up and release may cross
}

STATUS: Mapping[CallState, CallStatus] = {
    _S.NEW: CallStatus.QUEUED,
    _S.CONNECTING: CallStatus.QUEUED,
    _S.DIALING: CallStatus.DIALING,
    _S.ALERTING: CallStatus.RINGING,
    _S.INCOMING: CallStatus.RINGING,
    _S.ANSWERING: CallStatus.RINGING,
    _S.ACTIVE: CallStatus.IN_PROGRESS,
}


def advance(state: CallState, happened: CallInput) -> CallState:
    """Return the next state.

    Raises:
        IllegalTransitionError: the table has no such row; the call stays as it was.
    """
    try:
        return TRANSITIONS[state, happened]
    except KeyError:
        raise IllegalTransitionError(f"{happened} in state {state}") from None

"""The modem's side of one call: a table and one function. Source: 3GPP TS 24.008 section 5.1 (abridged)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from modembank.errors import IllegalTransitionError


class CallState(StrEnum):
    """Where a call is. `rumoured`: RING was heard, nothing has confirmed it yet."""

    NEW = "new"
    DIALING = "dialing"
    ALERTING = "alerting"
    RUMOURED = "rumoured"
    INCOMING = "incoming"
    ACTIVE = "active"
    HELD = "held"
    RELEASED = "released"


class CallEvent(StrEnum):
    """What can happen to a call."""

    DIAL = "dial"
    ALERT = "alert"
    RING = "ring"
    ANSWER = "answer"
    HOLD = "hold"
    RETRIEVE = "retrieve"
    RELEASE = "release"


S, E = CallState, CallEvent

TRANSITIONS: Mapping[tuple[CallState, CallEvent], CallState] = {
    (S.NEW, E.DIAL): S.DIALING,
    (S.NEW, E.ALERT): S.ALERTING,  # the dialing event was lost
    (S.NEW, E.ANSWER): S.ACTIVE,
    (S.DIALING, E.ALERT): S.ALERTING,
    (S.DIALING, E.ANSWER): S.ACTIVE,  # some networks skip alerting
    (S.ALERTING, E.ANSWER): S.ACTIVE,
    (S.RUMOURED, E.RING): S.INCOMING,
    (S.RUMOURED, E.ANSWER): S.ACTIVE,
    (S.INCOMING, E.ANSWER): S.ACTIVE,
    (S.ACTIVE, E.HOLD): S.HELD,
    (S.HELD, E.RETRIEVE): S.ACTIVE,
    **{(state, E.RELEASE): S.RELEASED for state in S if state is not S.RELEASED},
}


def advance(state: CallState, event: CallEvent) -> CallState:
    """Return the next state. Raises IllegalTransitionError."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(f"{event} in state {state}") from None


def can_advance(state: CallState, event: CallEvent) -> bool:
    """Whether the table knows this event in this state; a late or repeated one it does not."""
    return (state, event) in TRANSITIONS

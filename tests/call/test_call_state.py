"""The table of a call's life, and how an end is put into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource
from modembank.call.outcome import CAUSES, Ending, outcome
from modembank.call.state import TRANSITIONS, CallInput, CallState, advance
from modembank.errors import IllegalTransitionError

ENDINGS = st.builds(
    Ending,
    direction=st.sampled_from(Direction),
    answered=st.booleans(),
    asked=st.none() | st.tuples(st.sampled_from(HangupSource), st.sampled_from(Cause)),
    q850=st.none() | st.integers(0, 127),
)


@given(steps=st.lists(st.sampled_from(CallInput), max_size=30))
def test_whatever_happens_a_release_ends_the_call_for_good(steps: list[CallInput]) -> None:
    state = CallState.NEW
    for step in [*steps, CallInput.RELEASE]:
        try:
            state = advance(state, step)
        except IllegalTransitionError:
            continue
    assert state is CallState.RELEASED
    for step in CallInput:
        if (state, step) in TRANSITIONS:
            assert advance(state, step) is CallState.RELEASED


def test_only_the_modems_evidence_leads_to_an_answered_call() -> None:
    into_active = {step for (state, step), to in TRANSITIONS.items() if to is CallState.ACTIVE is not state}
    assert into_active == {CallInput.ANSWER}
    into_alerting = {step for (state, step), to in TRANSITIONS.items() if to is CallState.ALERTING}
    assert into_alerting == {CallInput.ALERT}


def test_an_answer_may_come_without_alerting_and_is_never_taken_back() -> None:
    assert advance(CallState.DIALING, CallInput.ANSWER) is CallState.ACTIVE
    assert advance(CallState.ACTIVE, CallInput.ALERT) is CallState.ACTIVE


@given(ending=ENDINGS)
def test_every_ending_gives_a_final_status(ending: Ending) -> None:
    result = outcome(ending)
    assert result.status.ended
    assert result.q850 == ending.q850
    if not ending.answered:
        assert result.status is not CallStatus.COMPLETED
    elif ending.asked is None:
        assert result.status is CallStatus.COMPLETED


@pytest.mark.parametrize(
    ("q850", "status", "cause", "source"),
    [
        (17, CallStatus.BUSY, Cause.USER_BUSY, HangupSource.CALLEE),
        (19, CallStatus.NO_ANSWER, Cause.NO_ANSWER, HangupSource.CALLEE),
        (21, CallStatus.REJECTED, Cause.CALL_REJECTED, HangupSource.CALLEE),
        (1, CallStatus.FAILED, Cause.UNASSIGNED_NUMBER, HangupSource.SYSTEM),
        (42, CallStatus.FAILED, Cause.CONGESTION, HangupSource.SYSTEM),
        (None, CallStatus.FAILED, Cause.UNSPECIFIED, HangupSource.SYSTEM),
    ],
)
def test_an_outbound_call_that_was_not_answered(
    q850: int | None, status: CallStatus, cause: Cause, source: HangupSource
) -> None:
    result = outcome(Ending(direction=Direction.OUTBOUND, answered=False, asked=None, q850=q850))
    assert (result.status, result.cause, result.source) == (status, cause, source)


def test_a_missed_incoming_call_names_its_caller() -> None:
    result = outcome(Ending(direction=Direction.INBOUND, answered=False, asked=None, q850=16))
    assert (result.status, result.source) == (CallStatus.NO_ANSWER, HangupSource.CALLER)


def test_a_lost_modem_is_a_failure_even_after_the_answer() -> None:
    asked = (HangupSource.SYSTEM, Cause.MODEM_LOST)
    result = outcome(Ending(direction=Direction.OUTBOUND, answered=True, asked=asked, q850=None))
    assert (result.status, result.cause) == (CallStatus.FAILED, Cause.MODEM_LOST)


def test_the_cause_table_speaks_of_q850_numbers_only() -> None:
    assert all(1 <= number <= 127 for number in CAUSES)

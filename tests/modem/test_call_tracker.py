"""One call put together from events and +CLCC: every order of evidence, nothing told twice, nothing backwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at.calls import ClccState, CurrentCall, Direction, Evidence, Indication
from modembank.errors import IllegalTransitionError
from modembank.modem.call_state import TRANSITIONS, CallEvent, CallState, advance
from modembank.modem.events import CallKind, CallProgress, Stamp
from modembank.modem.tracker import CallTracker, Ended, Output

NUMBER = "+447700900901"
CALLER = "+447700900123"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
UNSEEN_S = 3.0


def at(second: float) -> Stamp:
    return Stamp(EPOCH, second)


def event(kind: CallKind, evidence: Evidence = Evidence.DSCI, index: int | None = 2, **more: object) -> Indication:
    return Indication(kind, evidence, index, Direction.MO, NUMBER, **more)  # type: ignore[arg-type]


def listed(state: ClccState, direction: Direction = Direction.MO, index: int = 2) -> CurrentCall:
    return CurrentCall(index, direction, state, 0, NUMBER if direction is Direction.MO else CALLER)


def kinds(outputs: list[Output]) -> list[str]:
    return [one.kind.value if isinstance(one, CallProgress) else "ended" for one in outputs]


def dialled() -> CallTracker:
    tracker = CallTracker(UNSEEN_S)
    tracker.dial(NUMBER, at(0))
    assert kinds(tracker.accept(at(0))) == ["dialing"]
    return tracker


def test_every_transition_of_the_table_and_no_other() -> None:
    for state in CallState:
        for happening in CallEvent:
            if (state, happening) in TRANSITIONS:
                assert advance(state, happening) is TRANSITIONS[state, happening]
            else:
                with pytest.raises(IllegalTransitionError):
                    advance(state, happening)


def test_a_released_call_takes_no_event() -> None:
    assert not [key for key in TRANSITIONS if key[0] is CallState.RELEASED]
    assert all((state, CallEvent.RELEASE) in TRANSITIONS for state in CallState if state is not CallState.RELEASED)


def test_answered_is_never_inferred_from_alerting() -> None:
    tracker = dialled()
    for _ in range(3):
        tracker.observe(event(CallKind.ALERTING), at(1))
        tracker.referee((listed(ClccState.ALERTING),), tracker.mark(), at(2))
    assert tracker.call is not None and tracker.call.state is CallState.ALERTING


def test_a_referee_that_is_behind_takes_nothing_back() -> None:
    tracker = dialled()
    tracker.observe(event(CallKind.ANSWERED), at(1))
    assert tracker.referee((listed(ClccState.ALERTING),), tracker.mark(), at(1)) == []
    assert tracker.call is not None and tracker.call.state is CallState.ACTIVE


def test_absent_twice_is_over_and_absent_once_is_not() -> None:
    tracker = dialled()
    tracker.referee((listed(ClccState.ACTIVE),), tracker.mark(), at(1))
    assert tracker.referee((), tracker.mark(), at(2)) == []
    tracker.referee((listed(ClccState.ACTIVE),), tracker.mark(), at(3))
    assert tracker.referee((), tracker.mark(), at(4)) == []
    assert kinds(tracker.referee((), tracker.mark(), at(5))) == ["ended"]


def test_a_call_not_listed_yet_is_given_time() -> None:
    tracker = dialled()
    for second in (0.1, 0.3, 0.5, UNSEEN_S - 0.1):
        assert tracker.referee((), tracker.mark(), at(second)) == []
    assert kinds(tracker.referee((), tracker.mark(), at(UNSEEN_S + 0.1))) == ["ended"]


def test_an_answer_asked_for_before_the_call_says_nothing_about_it() -> None:
    tracker = CallTracker(0.0)
    mark = tracker.mark()
    tracker.dial(NUMBER, at(0))
    tracker.accept(at(0))
    for second in range(5):
        assert tracker.referee((), mark, at(second)) == []


@pytest.mark.parametrize("code", ["NO CARRIER", "BUSY", "NO ANSWER"])
def test_codes_without_an_id_end_nothing(code: str) -> None:
    tracker = dialled()
    late = Indication(CallKind.RELEASED, Evidence.FINAL, code=code)
    assert tracker.observe(late, at(1)) == []
    assert tracker.call is not None and tracker.call.code == code


def test_the_end_of_an_earlier_call_by_its_id() -> None:
    tracker = dialled()
    earlier = event(CallKind.RELEASED, index=2)
    assert tracker.observe(earlier, at(0.1)) == []  # nothing has named this call yet: it is the one before
    tracker.observe(event(CallKind.DIALING, index=3), at(0.2))
    assert tracker.observe(earlier, at(0.3)) == []
    assert kinds(tracker.observe(event(CallKind.RELEASED, index=3), at(1))) == ["ended"]


def test_the_second_witness_of_an_end_is_not_told() -> None:
    tracker = dialled()
    tracker.observe(event(CallKind.DIALING), at(0.1))
    tracker.observe(event(CallKind.DIALING, Evidence.CCINFO), at(0.1))
    assert kinds(tracker.observe(event(CallKind.RELEASED), at(1))) == ["ended"]
    assert tracker.observe(event(CallKind.RELEASED, Evidence.CCINFO), at(1)) == []
    assert tracker.referee((), tracker.mark(), at(1)) == []


def test_a_ring_alone_is_a_rumour_and_goes_without_a_word() -> None:
    tracker = CallTracker(UNSEEN_S)
    ring = Indication(CallKind.INCOMING, Evidence.RING, direction=Direction.MT)
    assert tracker.observe(ring, at(0)) == []
    assert tracker.referee((), tracker.mark(), at(0.1)) == []
    assert tracker.referee((), tracker.mark(), at(0.3)) == []
    assert tracker.call is None


def test_a_rumour_has_no_end_to_tell() -> None:
    tracker = CallTracker(UNSEEN_S)
    tracker.observe(Indication(CallKind.INCOMING, Evidence.RING, direction=Direction.MT), at(0))
    assert tracker.end(Evidence.PORT_LOST, at(1)) == []


def test_ring_clip_and_referee_make_one_incoming_call_with_its_number() -> None:
    tracker = CallTracker(UNSEEN_S)
    ring = Indication(CallKind.INCOMING, Evidence.RING, direction=Direction.MT)
    tracker.observe(ring, at(0))
    tracker.observe(Indication(CallKind.INCOMING, Evidence.CLIP, None, Direction.MT, CALLER), at(0))
    told = tracker.referee((listed(ClccState.INCOMING, Direction.MT),), tracker.mark(), at(0.1))
    assert kinds(told) == ["incoming"]
    assert isinstance(told[0], CallProgress) and told[0].number == CALLER
    assert tracker.observe(ring, at(5)) == []
    assert tracker.referee((listed(ClccState.INCOMING, Direction.MT),), tracker.mark(), at(5)) == []


def test_a_second_caller_is_waiting_and_our_call_stays() -> None:
    tracker = dialled()
    ours, other = listed(ClccState.ACTIVE), listed(ClccState.WAITING, Direction.MT, 3)
    assert kinds(tracker.referee((ours, other), tracker.mark(), at(1))) == ["waiting", "answered"]
    assert tracker.call is not None and tracker.call.number == NUMBER


def test_a_tone_that_comes_later_is_told_once_more() -> None:
    tracker = dialled()
    assert tracker.observe(event(CallKind.DIALING, network_tone=False), at(0.1)) == []
    told = tracker.observe(event(CallKind.DIALING, network_tone=True), at(0.2))
    assert [one.network_tone for one in told if isinstance(one, CallProgress)] == [True]
    assert tracker.observe(event(CallKind.DIALING, network_tone=True), at(0.3)) == []


def test_hold_and_back() -> None:
    tracker = dialled()
    steps = [CallKind.ANSWERED, CallKind.HELD, CallKind.HELD, CallKind.ANSWERED]
    told = [kinds(tracker.observe(event(kind), at(1))) for kind in steps]
    assert told == [["answered"], ["held"], [], ["active"]]


def test_a_refused_dial_was_no_call() -> None:
    tracker = CallTracker(UNSEEN_S)
    tracker.dial(NUMBER, at(0))
    assert tracker.end(Evidence.FINAL, at(1)) == []
    assert tracker.call is None


ORDER = ["dialing", "alerting", "answered"]
happenings = st.one_of(
    st.sampled_from([CallKind.DIALING, CallKind.ALERTING, CallKind.ANSWERED, CallKind.RELEASED]).flatmap(
        lambda kind: st.sampled_from([Evidence.DSCI, Evidence.CCINFO]).map(lambda source: event(kind, source))
    ),
    st.sampled_from([(), (listed(ClccState.DIALING),), (listed(ClccState.ALERTING),), (listed(ClccState.ACTIVE),)]),
    st.just(Indication(CallKind.RELEASED, Evidence.FINAL, code="NO CARRIER")),
)


@given(st.lists(happenings, max_size=25))
def test_any_mix_of_evidence_tells_each_step_once_in_order_and_one_end(mix: list[object]) -> None:
    tracker = dialled()
    told: list[str] = ["dialing"]
    for second, one in enumerate(mix):
        outputs = (
            tracker.observe(one, at(second))
            if isinstance(one, Indication)
            else tracker.referee(one, tracker.mark(), at(second))  # type: ignore[arg-type]
        )
        told += kinds(outputs)
    steps = [kind for kind in told if kind != "ended"]
    assert steps == sorted(set(steps), key=ORDER.index)
    assert told.count("ended") <= 1
    if "ended" in told:
        assert told[-1] == "ended" and tracker.call is None
    last = tracker.end(Evidence.PORT_LOST, at(99))
    assert len(last) + told.count("ended") == 1
    assert all(isinstance(one, Ended) for one in last)

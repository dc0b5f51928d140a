"""The ladder under every order of troubles and any clock: budgets hold, it only goes up, and it ends."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.bus.vocabulary import HealingStep, ModemState, Trouble
from modembank.host.ladder import (
    ORDER,
    PLANS,
    RESTING,
    Climb,
    Decision,
    Finding,
    Freed,
    Healed,
    Isolate,
    LadderTimings,
    Patient,
    decide,
    failed,
    free,
)
from modembank.host.vitals import Fall, Vitals, VitalTimings, diagnose, is_well

TIMINGS = LadderTimings()
ALL = frozenset(HealingStep) - {HealingStep.QUARANTINE}


def climb_until_the_end(trouble: Trouble, able: frozenset[HealingStep] = ALL) -> tuple[list[Decision], float]:
    """A trouble that nothing helps against: what is tried, and how long that takes."""
    patient, now_s, told_s = Patient(), 1000.0, 1000.0
    decisions: list[Decision] = []
    while not isinstance(decisions[-1] if decisions else None, Isolate):
        finding = Finding(trouble, told_s, "it is so")
        patient, decision = decide(patient, finding, now_s, well=False, in_call=False, able=able, timings=TIMINGS)
        if decision is not None:
            decisions.append(decision)
            told_s = now_s + 0.5  # it fails again at once
        now_s += 1.0
        if now_s > 10_000:
            break
    return decisions, now_s - 1000.0


def test_a_silent_modem_goes_up_every_rung_and_then_into_quarantine() -> None:
    decisions, took_s = climb_until_the_end(Trouble.SILENT)
    steps = [one.step for one in decisions if isinstance(one, Climb)]
    assert steps == list(PLANS[Trouble.SILENT])
    assert isinstance(decisions[-1], Isolate)
    assert decisions[-1].until_s - (1000.0 + took_s - 1.0) == TIMINGS.quarantine_s[0]
    assert took_s < 120


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - RESTING))
@pytest.mark.parametrize("able", [ALL, frozenset({HealingStep.REOPEN}), frozenset[HealingStep]()])
def test_every_trouble_that_is_the_modems_own_ends_in_quarantine(
    trouble: Trouble, able: frozenset[HealingStep]
) -> None:
    decisions, _ = climb_until_the_end(trouble, able)
    assert isinstance(decisions[-1], Isolate)
    assert {one.step for one in decisions if isinstance(one, Climb)} <= able


@pytest.mark.parametrize("trouble", sorted(RESTING))
def test_what_only_others_can_end_never_leads_to_quarantine(trouble: Trouble) -> None:
    decisions, _ = climb_until_the_end(trouble)
    assert not any(isinstance(one, Isolate) for one in decisions)
    assert len(decisions) > len(PLANS[trouble]), "after a rest there is another round"


def test_each_quarantine_is_longer_until_the_modem_was_well_for_long() -> None:
    patient, now_s, lengths = Patient(), 0.0, []
    for _ in range(6):
        while True:
            now_s += 10.0
            finding = Finding(Trouble.PORT_HANGS, now_s - 5.0, "it hangs")
            patient, decision = decide(patient, finding, now_s, well=False, in_call=False, able=ALL, timings=TIMINGS)
            if isinstance(decision, Isolate):
                lengths.append(decision.until_s - now_s)
                now_s = decision.until_s
                break
    assert lengths == sorted(lengths)
    assert lengths[-1] == TIMINGS.quarantine_s[-1]
    patient = free(patient)
    healed = []
    for _ in range(100):
        now_s += 10.0
        patient, decision = decide(patient, None, now_s, well=True, in_call=False, able=ALL, timings=TIMINGS)
        healed += [decision] if isinstance(decision, Healed) else []
    assert len(healed) == 1
    assert patient.quarantines == 0
    assert patient.finding is None


def test_a_step_has_its_time_before_the_next_one() -> None:
    finding = Finding(Trouble.NOT_STARTING, 0.0, "it is so")
    patient, first = decide(Patient(), finding, 100.0, well=False, in_call=False, able=ALL, timings=TIMINGS)
    assert isinstance(first, Climb)
    patience_s = TIMINGS.patience_s[first.step]
    for now_s, expected in ((100.0 + patience_s - 1, None), (100.0 + patience_s + 1, Climb)):
        _, decision = decide(patient, finding, now_s, well=False, in_call=False, able=ALL, timings=TIMINGS)
        assert type(decision) is (expected or type(None))


def test_a_step_that_could_not_be_used_is_not_waited_for() -> None:
    finding = Finding(Trouble.PORT_HANGS, 0.0, "it is so")
    patient, first = decide(Patient(), finding, 100.0, well=False, in_call=False, able=ALL, timings=TIMINGS)
    assert isinstance(first, Climb)
    _, second = decide(failed(patient), finding, 102.0, well=False, in_call=False, able=ALL, timings=TIMINGS)
    assert isinstance(second, Climb)
    assert ORDER.index(second.step) > ORDER.index(first.step)


LOOKS = st.lists(
    st.tuples(
        st.floats(0.1, 900.0),  # seconds since the look before
        st.one_of(st.none(), st.sampled_from(Trouble)),
        st.booleans(),  # told again, or the same finding as before
        st.booleans(),  # well
        st.sampled_from([False, False, False, True]),  # in a call
        st.sets(st.sampled_from(sorted(ALL))),
    ),
    max_size=120,
)


@given(LOOKS)
def test_whatever_happens_budgets_hold_and_nobody_is_touched_without_need(
    looks: list[tuple[float, Trouble | None, bool, bool, bool, set[HealingStep]]],
) -> None:
    patient, now_s, told_s = Patient(), 0.0, 0.0
    used: list[tuple[HealingStep, float]] = []
    foot = 0
    for gap_s, trouble, again, well, in_call, able in looks:
        now_s += gap_s
        told_s = now_s - 0.05 if again else told_s
        finding = None if trouble is None else Finding(trouble, told_s, "it is so")
        quarantined, until_s, resting = patient.quarantined, patient.until_s, patient.until_s is not None
        patient, decision = decide(patient, finding, now_s, well=well, in_call=in_call, able=able, timings=TIMINGS)
        if isinstance(decision, Freed) or patient.finding is None or resting:
            foot = 0
        if quarantined and until_s is not None and now_s < until_s:
            assert decision is None
        if not isinstance(decision, Climb):
            continue
        assert finding is not None
        assert not in_call
        assert not quarantined
        assert decision.step in able
        assert decision.step in PLANS[finding.trouble]
        assert ORDER.index(decision.step) >= foot
        assert 1 <= decision.number <= decision.total
        foot = ORDER.index(decision.step)
        used.append((decision.step, now_s))
        for step, count in Counter(step for step, _ in used).items():
            budget = TIMINGS.budgets[step]
            recent = [at_s for kind, at_s in used if kind is step and now_s - at_s < budget.window_s]
            assert len(recent) <= budget.count, (step, count)


def vitals(state: ModemState, **changes: object) -> Vitals:
    facts: dict[str, object] = {"state": state, "state_since_s": 0.0, "state_detail": "words", "in_call": False}
    return Vitals(**(facts | changes))  # type: ignore[arg-type]  # by the names above


@pytest.mark.parametrize(
    ("facts", "now_s", "trouble"),
    [
        (vitals(ModemState.READY, answered_s=0.0), 100.0, None),
        (vitals(ModemState.READY, answered_s=0.0), 241.0, Trouble.SILENT),
        (vitals(ModemState.STARTING), 119.0, None),
        (vitals(ModemState.STARTING), 121.0, Trouble.NOT_STARTING),
        (vitals(ModemState.SEARCHING), 299.0, None),
        (vitals(ModemState.SEARCHING), 301.0, Trouble.UNREGISTERED),
        (vitals(ModemState.DENIED), 9999.0, None),
        (vitals(ModemState.NO_SIM), 9999.0, None),
        (vitals(ModemState.SIM_LOCKED), 9999.0, None),
        (vitals(ModemState.READY, mute_calls=1), 1.0, None),
        (vitals(ModemState.READY, mute_calls=2), 1.0, Trouble.NO_AUDIO),
        (vitals(ModemState.STARTING, stuck_since_s=0.5), 1.0, Trouble.CALL_STUCK),
        (vitals(ModemState.READY, fall=Fall(Trouble.PORT_LOST, 0.5, "gone")), 1.0, Trouble.PORT_LOST),
    ],
)
def test_each_sign_of_life_that_fails_is_found(facts: Vitals, now_s: float, trouble: Trouble | None) -> None:
    finding = diagnose(facts, now_s, VitalTimings())
    assert (finding.trouble if finding is not None else None) is trouble
    if facts.fall is not None:
        assert not is_well(facts, trouble)


def test_a_modem_that_lost_its_network_is_well_when_it_is_back() -> None:
    searching = vitals(ModemState.SEARCHING)
    assert not is_well(searching, Trouble.UNREGISTERED)
    assert is_well(searching, Trouble.SILENT)
    assert is_well(vitals(ModemState.READY), Trouble.UNREGISTERED)

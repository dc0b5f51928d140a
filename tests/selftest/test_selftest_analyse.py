"""From a recording to facts and checks: a line whose faults are known, and what the checks say of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modembank.config import SelftestSettings
from modembank.selftest import programme
from modembank.selftest.analyse import CLIENT_BUFFER_S, Heard, analyse, with_digits
from modembank.selftest.judge import judge_call, judge_sound
from modembank.selftest.programme import Samples
from modembank.selftest.result import Aspect, CallTimes, Check, SoundFacts, Verdict

RATE_HZ = 8000
SAID_AT = 100.0
WHOLE = programme.programme(tone_s=1.2, speech_s=2.6)
LIMITS = SelftestSettings()
SILENCE = np.zeros(RATE_HZ)


def recorded(samples: Samples, delay_s: float, jitter_s: float = 0.0) -> Heard:
    """Return a recording of 20 ms frames whose first sample is `delay_s` (and the client's buffer) late."""
    chance = np.random.default_rng(1)
    late = delay_s + CLIENT_BUFFER_S
    arrivals = [
        (start, SAID_AT + late + start / RATE_HZ + float(chance.uniform(0, jitter_s)))
        for start in range(0, len(samples), 160)
    ]
    return Heard(samples, arrivals)


def facts(heard: Samples, delay_s: float = 0.1, own: Samples = SILENCE) -> SoundFacts:
    padded = np.concatenate([heard, np.zeros(RATE_HZ)])
    found = analyse(WHOLE, SAID_AT, recorded(padded, delay_s), own)
    return with_digits(found, "159#", "159#", SILENCE)


def failed(checks: tuple[Check, ...]) -> set[Aspect]:
    return {check.aspect for check in checks if check.verdict is Verdict.FAIL}


def test_a_good_line_passes() -> None:
    found = facts(WHOLE.samples)
    checks = judge_sound(found, LIMITS)
    assert failed(checks) == set()
    assert found.delay_ms == pytest.approx(100, abs=1)
    assert found.level_dbm0 == pytest.approx(-10, abs=0.1)
    assert (found.gaps, found.slips, found.drift_ms) == (0, 0, 0)
    assert max(abs(db) for _, db in found.response_db) < 0.2
    assert {check.aspect for check in checks if check.verdict is Verdict.UNKNOWN} <= {Aspect.PESQ}


@pytest.mark.parametrize("delay_s", [0.0, 0.123, 0.6])
def test_delay_is_that_of_the_line_and_not_of_the_jitter(delay_s: float) -> None:
    padded = np.concatenate([WHOLE.samples, np.zeros(RATE_HZ)])
    found = analyse(WHOLE, SAID_AT, recorded(padded, delay_s, jitter_s=0.004), SILENCE)
    assert found.delay_ms == pytest.approx(1000 * delay_s, abs=4)
    late = Aspect.DELAY in failed(judge_sound(found, LIMITS))
    assert late == (delay_s > 0.4)


def test_delay_in_the_recording_counts_like_delay_of_its_frames() -> None:
    heard = np.concatenate([np.zeros(2000), WHOLE.samples])
    assert facts(heard, delay_s=0.05).delay_ms == pytest.approx(300, abs=1)


def test_a_silent_direction_is_named_and_the_rest_is_not_guessed() -> None:
    checks = judge_sound(facts(np.zeros(len(WHOLE.samples))), LIMITS)
    assert failed(checks) == {Aspect.SOUND}
    assert Verdict.OK not in {check.verdict for check in checks if check.aspect is Aspect.LEVEL}


@pytest.mark.parametrize(("gain_db", "fails"), [(-6, False), (-15, True), (5, False), (8, True)])
def test_levels(gain_db: float, fails: bool) -> None:
    found = facts(WHOLE.samples * 10 ** (gain_db / 20))
    assert found.level_dbm0 == pytest.approx(-10 + gain_db, abs=0.1)
    assert failed(judge_sound(found, LIMITS)) == ({Aspect.LEVEL} if fails else set())


def test_holes_are_drop_outs() -> None:
    heard = WHOLE.samples.copy()
    for start in range(0, len(heard), 1600):
        heard[start : start + 160] = 0
    found = facts(heard)
    assert found.gap_ms == pytest.approx(120, abs=30)
    assert Aspect.DROP_OUTS in failed(judge_sound(found, LIMITS))


def test_holes_of_the_testing_machine_are_nobodys_fault() -> None:
    heard = WHOLE.samples.copy()
    for start in range(0, len(heard), 1600):
        heard[start : start + 160] = 0
    late = replace(facts(heard * 10 ** (-15 / 20)), stood_still_ms=90)
    checks = judge_sound(late, LIMITS)
    assert failed(checks) == {Aspect.LEVEL}, "a standstill makes holes, but no level"
    (holes,) = (check for check in checks if check.aspect is Aspect.DROP_OUTS)
    assert (holes.verdict, "stood still for 90 ms" in holes.found) == (Verdict.UNKNOWN, True)


def test_a_muffled_line_fails_by_its_frequencies() -> None:
    heard = WHOLE.samples.copy()
    for _ in range(6):
        heard = (heard + np.roll(heard, 1)) / 2
    assert Aspect.RESPONSE in failed(judge_sound(facts(heard), LIMITS))


def test_frames_left_out_between_the_parts_do_not_spoil_the_frequencies() -> None:
    heard = np.delete(WHOLE.samples, slice(WHOLE.tone.end - 600, WHOLE.tone.end + 40))
    found = facts(heard)
    assert found.drift_ms == -80
    assert max(abs(db) for _, db in found.response_db) < 0.5


def test_noise_and_echo() -> None:
    noise = np.random.default_rng(2).normal(0, 0.02, len(WHOLE.samples))
    assert Aspect.NOISE in failed(judge_sound(facts(WHOLE.samples + noise), LIMITS))
    assert failed(judge_sound(facts(WHOLE.samples, own=0.2 * WHOLE.samples), LIMITS)) == {Aspect.ECHO}


@pytest.mark.parametrize(("told", "fails"), [("159#", False), ("159", True), ("1599#", True), ("", True)])
def test_digits(told: str, fails: bool) -> None:
    found = with_digits(facts(WHOLE.samples), "159#", told, SILENCE)
    assert (Aspect.DTMF in failed(judge_sound(found, LIMITS))) == fails


GOOD = CallTimes(
    out_ringing=2.0,
    in_ringing=2.1,
    answer=4.0,
    in_answered=4.2,
    out_answered=4.3,
    hang_up=30.0,
    out_ended=30.1,
    in_ended=30.6,
)


@pytest.mark.parametrize(
    ("changes", "aspects"),
    [
        ({}, set()),
        ({"out_ringing": None}, {Aspect.ALERTING}),
        ({"in_ringing": 20.0}, {Aspect.SET_UP}),
        ({"out_answered": None}, {Aspect.ANSWERED}),
        ({"out_answered": 2.5}, {Aspect.ANSWERED}),
        ({"out_answered": 9.0}, {Aspect.ANSWERED}),
        ({"in_ended": None}, {Aspect.HANG_UP}),
        ({"in_ended": 40.0}, {Aspect.HANG_UP}),
        ({"hung_up_by_caller": False, "out_ended": None}, {Aspect.HANG_UP}),
        ({"in_ringing": None, "answer": None, "hang_up": None}, {Aspect.CONNECTED}),
    ],
)
def test_times_of_a_call(changes: dict[str, float | None], aspects: set[Aspect]) -> None:
    assert failed(judge_call(replace(GOOD, **changes), LIMITS)) == aspects  # type: ignore[arg-type]  # by name

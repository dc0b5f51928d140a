"""Measurements on sounds whose delay, level, holes and filter are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.selftest import measure, programme
from modembank.selftest.digits import HIGH_HZ, LOW_HZ, digits_in
from modembank.selftest.programme import Samples
from modembank.selftest.score import pesq_score

RATE_HZ = 8000


def noise(count: int, dbfs: float) -> Samples:
    return np.random.default_rng(862).normal(0, 10 ** (dbfs / 20), count)


def tone(length_s: float = 2.0) -> Samples:
    return programme.sine(programme.TONE_HZ, length_s)


def test_the_programme_is_what_it_says() -> None:
    whole = programme.programme()
    assert 10 < whole.length_s < 15
    assert measure.tone_dbfs(whole.of(whole.tone), programme.TONE_HZ) == pytest.approx(programme.SAID_DBFS, abs=0.05)
    for hz, step in zip(programme.STEPS_HZ, whole.steps, strict=True):
        assert measure.tone_dbfs(whole.of(step), hz) == pytest.approx(programme.SAID_DBFS, abs=0.1)
    for part in whole.chirps:
        found = measure.find(whole.samples[part.start : part.end + 400], programme.chirp())
        assert found is not None
        assert (found.at, found.score) == (0, pytest.approx(1))
    assert measure.level_dbfs(whole.of(whole.quiet)) == -90
    assert measure.level_dbfs(whole.of(whole.speech)) == pytest.approx(-22, abs=1)
    back = programme.from_pcm(b"".join(programme.to_frames(whole.samples)))
    assert np.abs(back[: len(whole.samples)] - whole.samples).max() < 1e-4


@given(st.integers(0, 12_000), st.floats(-30, 6))
def test_a_known_delay_is_found_at_any_level(delay: int, gain_db: float) -> None:
    said = programme.chirp() * 10 ** (gain_db / 20)
    heard = np.concatenate([np.zeros(delay), said, np.zeros(500)]) + noise(delay + len(said) + 500, -60)
    found = measure.find(heard, programme.chirp())
    assert found is not None
    assert found.at == delay


@pytest.mark.parametrize("heard", [np.zeros(16_000), noise(16_000, -20), tone(), programme.speech()[:16_000]])
def test_no_marker_is_found_where_there_is_none(heard: Samples) -> None:
    assert measure.find(heard, programme.chirp()) is None


def test_less_than_a_marker_has_none() -> None:
    assert measure.find(programme.chirp()[:-1], programme.chirp()) is None


@pytest.mark.parametrize("gain_db", [0.0, -6.0, -20.0])
def test_a_known_level(gain_db: float) -> None:
    heard = tone() * 10 ** (gain_db / 20) + noise(16_000, -50)
    assert measure.tone_dbfs(heard, programme.TONE_HZ) == pytest.approx(programme.SAID_DBFS + gain_db, abs=0.2)


def test_silence_has_the_floor_for_a_level() -> None:
    assert measure.level_dbfs(np.zeros(0)) == measure.level_dbfs(np.zeros(99)) == -90
    assert measure.tone_dbfs(np.zeros(0), 1020) == measure.tone_dbfs(np.zeros(99), 1020) == -90


def test_a_filter_shows_in_the_steps() -> None:
    """A mean over two samples is a filter of known gain: cos(pi f / rate)."""
    whole = programme.programme()
    heard = (whole.samples + np.roll(whole.samples, 1)) / 2
    for hz, step in zip(programme.STEPS_HZ, whole.steps, strict=True):
        lost_db = measure.tone_dbfs(heard[step.start : step.end], hz) - programme.SAID_DBFS
        assert lost_db == pytest.approx(20 * np.log10(np.cos(np.pi * hz / RATE_HZ)), abs=0.2)


@pytest.mark.parametrize("length", [160, 320, 1600])
def test_a_known_hole(length: int) -> None:
    heard = tone()
    heard[4000 : 4000 + length] = 0
    (gap,) = measure.gaps(heard + noise(len(heard), -60))
    assert gap.start_s == pytest.approx(0.5, abs=0.011)
    assert gap.length_s == pytest.approx(length / RATE_HZ, abs=0.011)
    assert measure.slips(heard, programme.TONE_HZ) == 0


def test_a_steady_tone_has_neither_holes_nor_slips() -> None:
    rippled = tone() * (1 + 0.3 * np.sin(2 * np.pi * 5 * np.arange(16_000) / RATE_HZ)) + noise(16_000, -40)
    assert measure.gaps(rippled) == ()
    assert measure.slips(rippled, programme.TONE_HZ) == 0
    assert measure.gaps(np.zeros(0)) == ()
    assert measure.slips(np.zeros(99), programme.TONE_HZ) == 0


@pytest.mark.parametrize("places", [[4000], [4000, 9000], [3000, 6000, 9007]])
def test_frames_left_out_are_slips(places: list[int]) -> None:
    heard = tone()
    for place in reversed(places):
        heard = np.delete(heard, slice(place, place + 160))
    assert measure.slips(heard, programme.TONE_HZ) == len(places)
    assert measure.gaps(heard) == ()


def test_a_frame_said_twice_is_a_slip() -> None:
    heard = tone()
    assert measure.slips(np.concatenate([heard[:8000], heard[7840:]]), programme.TONE_HZ) == 1


def test_a_clock_that_is_off_is_no_slip() -> None:
    """500 ppm, much more than any modem's: the tone is half a hertz too high."""
    at = np.arange(16_000) * (1 + 500e-6)
    assert measure.slips(0.2 * np.sin(2 * np.pi * programme.TONE_HZ * at / RATE_HZ), programme.TONE_HZ) == 0


def test_speech_that_arrives_matches_and_other_sound_does_not() -> None:
    said = programme.speech()
    late = np.concatenate([np.zeros(3000), said * 0.3, np.zeros(3000)])
    assert measure.speech_match(said, late + noise(len(late), -60)) == pytest.approx(1, abs=0.05)
    other = measure.speech_match(said, noise(len(late), -20))
    assert other is not None
    assert other < 0.4
    assert measure.speech_match(said, np.zeros(100)) is None


def test_pesq_scores_or_says_how_to_get_it() -> None:
    said = programme.speech()
    clean = pesq_score(said, said)
    if clean.value is None:
        assert "pip install" in clean.note
    else:
        assert clean.value > 4.4
        noisy = pesq_score(said, said + noise(len(said), -35)).value
        assert noisy is not None
        assert noisy < clean.value - 1
        assert pesq_score(said, np.zeros(len(said))).value is None


def keyed(digits: str, on_s: float = 0.1) -> Samples:
    at = np.arange(round(on_s * RATE_HZ)) / RATE_HZ
    parts: list[Samples] = []
    for digit in digits:
        row = next(row for row, keys in enumerate(("123A", "456B", "789C", "*0#D")) if digit in keys)
        column = ("123A", "456B", "789C", "*0#D")[row].index(digit)
        parts += [
            0.2 * np.sin(2 * np.pi * LOW_HZ[row] * at) + 0.2 * np.sin(2 * np.pi * HIGH_HZ[column] * at),
            np.zeros(800),
        ]
    return np.concatenate(parts)


@given(st.text("0123456789*#ABCD", min_size=1, max_size=6))
def test_digits_in_band(digits: str) -> None:
    heard = keyed(digits)
    assert digits_in(heard + noise(len(heard), -40)) == digits


@pytest.mark.parametrize("heard", [programme.speech(), noise(16_000, -20), tone(), keyed("5", on_s=0.02)])
def test_no_digits_in_other_sound(heard: Samples) -> None:
    assert digits_in(heard) == ""


def test_a_level_is_found_in_spite_of_slips_and_holes() -> None:
    heard = np.delete(tone(), slice(4000, 4160))
    heard[9000:9800] = 0
    assert measure.steady_dbfs(heard, programme.TONE_HZ) == pytest.approx(programme.SAID_DBFS, abs=0.1)
    assert measure.best_dbfs(heard[8000:10_000], programme.TONE_HZ) == pytest.approx(programme.SAID_DBFS, abs=0.1)
    assert measure.steady_dbfs(tone()[:100], programme.TONE_HZ) == pytest.approx(programme.SAID_DBFS, abs=1)

"""A modem whose sound comes at another rate than it was set to."""

from __future__ import annotations

import pytest

from modembank.media.rate_watch import WINDOWS, RateWatch


def told(frames_a_second: float, seconds: float = 20.0, stall_s: tuple[float, float] = (0.0, 0.0)) -> list[float]:
    """What is told when it is looked at ten times a second; within `stall_s` nothing comes, then all of it at once."""
    watch, found = RateWatch(), []
    for step in range(round(seconds * 10)):
        now_s = step / 10
        counted_s = stall_s[0] if stall_s[0] <= now_s < stall_s[1] else now_s
        factor = watch.look(int(counted_s * frames_a_second), now_s + 1000)
        if factor is not None:
            found.append(factor)
    return found


@pytest.mark.parametrize(("frames", "factor"), [(100, 2.0), (25, 0.5)])
def test_twice_and_half_are_told_once(frames: float, factor: float) -> None:
    assert told(frames) == [factor]


@pytest.mark.parametrize("frames", [49.99, 50, 50.01, 45, 55, 0, 10])
def test_drift_and_silence_are_not_told(frames: float) -> None:
    assert told(frames) == []


def test_what_comes_in_a_burst_after_a_standstill_is_not_told() -> None:
    assert told(50, stall_s=(5.0, 7.5)) == []


def test_it_takes_some_seconds() -> None:
    assert told(100, seconds=WINDOWS) == []
    assert told(100, seconds=WINDOWS + 1.0) == [2.0]

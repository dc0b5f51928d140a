"""The parts of a self-test call that need no call."""

from __future__ import annotations

import pytest

from modembank.selftest.programme import programme, to_frames
from modembank.selftest.run import ProgrammeVoice, clock_skew_s


@pytest.mark.parametrize(
    ("asked", "stamped", "returned", "skew_s"),
    [(10, 11, 12, 0), (10, 10, 12, 0), (10, 12, 12, 0), (10, 15, 12, 3), (10, 7, 12, -3), (10, 3611, 11, 3600)],
)
def test_clocks_are_taken_for_equal_unless_they_cannot_be(
    asked: float, stamped: float, returned: float, skew_s: float
) -> None:
    assert clock_skew_s(asked, stamped, returned) == skew_s


async def test_the_voice_says_everything_once_and_then_nothing() -> None:
    whole = programme(tone_s=0.2, speech_s=0.5)
    voice = ProgrammeVoice(whole)
    frames = to_frames(whole.samples)
    assert [voice.next() for _ in frames] == list(frames)
    assert not voice.finished.is_set()
    assert not any(voice.next())
    assert voice.finished.is_set()
    assert voice.started_at is not None

"""Ringback tones: frequencies, cadence and level as the recommendation has them."""

from __future__ import annotations

import numpy as np
import pytest

from modembank.media import pcm, tones
from modembank.media.records import FRAME_BYTES, FRAME_S, RATE_HZ, SILENCE


def cadence(frames: tuple[bytes, ...]) -> list[tuple[bool, float]]:
    runs: list[tuple[bool, float]] = []
    for frame in frames:
        on = frame != SILENCE
        if runs and runs[-1][0] == on:
            runs[-1] = (on, round(runs[-1][1] + FRAME_S, 3))
        else:
            runs.append((on, FRAME_S))
    return runs


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("GB", [(True, 0.4), (False, 0.2), (True, 0.4), (False, 2.0)]),
        ("US", [(True, 2.0), (False, 4.0)]),
        ("de", [(True, 1.0), (False, 4.0)]),
        ("ZZ", [(True, 1.0), (False, 4.0)]),
    ],
)
def test_cadence(country: str, expected: list[tuple[bool, float]]) -> None:
    assert cadence(tones.ringback_frames(country)) == expected


@pytest.mark.parametrize(("country", "hz"), [("GB", (400, 450)), ("US", (440, 480)), ("FR", (440,))])
def test_frequencies(country: str, hz: tuple[int, ...]) -> None:
    on = b"".join(frame for frame in tones.ringback_frames(country)[:20])
    values = np.frombuffer(on, np.int16).astype(float)
    spectrum = abs(np.fft.rfft(values * np.hanning(len(values)), RATE_HZ))
    top = sorted(int(i) for i in np.argsort(spectrum)[-200:] if spectrum[i] > spectrum.max() * 0.7)
    for wanted in hz:
        assert any(abs(found - wanted) <= 3 for found in top)
    assert all(any(abs(found - wanted) <= 5 for wanted in hz) for found in top)


@pytest.mark.parametrize("country", sorted(tones.RINGBACK))
def test_every_countrys_tone_is_as_loud_as_recommended(country: str) -> None:
    frames = tones.ringback_frames(country)
    assert all(len(frame) == FRAME_BYTES for frame in frames)
    on = b"".join(frame for frame in frames if frame != SILENCE)
    # E.180 section 3 allows -10 dBm0 +- 5 dB, we make -13; 0 dBm0 is 3.14 dB below a full-scale sine (G.711),
    # which itself is 3.01 dB below full scale.
    assert pcm.dbfs(pcm.rms(on)) + 6.15 == pytest.approx(-13.0, abs=1.0)


def test_a_loop_goes_on_and_rewinds() -> None:
    loop = tones.Loop((b"a", b"b"))
    assert [loop.next() for _ in range(3)] == [b"a", b"b", b"a"]
    loop.rewind()
    assert loop.next() == b"a"


def test_comfort_noise_is_there_and_faint() -> None:
    level = pcm.dbfs(pcm.rms(b"".join(tones.comfort_frames())))
    assert -72 < level < -60

"""What one line says to the other, with the place of every part: 8 kHz, mono, samples between -1 and 1.

Levels are RMS. 0 dBm0 is 3.14 dB below a sine that reaches full scale. Source: ITU-T G.711 section 4, tables 5 and 6
(A-law); the reference frequency 1020 Hz is that of ITU-T O.6, and no whole number of its periods fits into a frame
of 20 ms, so that a frame left out shows as a jump of its phase.
"""

from __future__ import annotations

import math
import wave
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from modembank.media.records import FRAME_SAMPLES, RATE_HZ

Samples = NDArray[np.float64]

DBM0_OFFSET = 3.14 + 3.01
"""What to add to an RMS level in dBFS to have dBm0."""

SAID_DBM0 = -10.0
"""Level of every tone. Source: ITU-T G.712 section 5 measures at -10 dBm0."""
SAID_DBFS = SAID_DBM0 - DBM0_OFFSET

TONE_HZ = 1020.0
STEPS_HZ = (300.0, 400.0, 500.0, 630.0, 800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0, 3150.0, 3400.0)
CHIRP_HZ = (300.0, 3400.0)

_CHIRP_S = 0.24
_STEP_S = 0.14
_PAUSE_S = 0.2
_FADE_S = 0.005
"""Tones begin and end softly: a click is wide-band, and a voice activity detector takes it for speech."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the programme, in samples from its begin."""

    start: int
    count: int

    @property
    def end(self) -> int:
        """The first sample behind it."""
        return self.start + self.count


@dataclass(frozen=True, slots=True)
class Programme:
    """The samples and where their parts lie; `chirps` are the markers at begin, middle and end."""

    samples: Samples
    chirps: tuple[Part, Part, Part]
    tone: Part
    steps: tuple[Part, ...]
    quiet: Part
    speech: Part

    def of(self, part: Part) -> Samples:
        """Return the samples of a part."""
        return self.samples[part.start : part.end]

    @property
    def length_s(self) -> float:
        """How long it takes to say."""
        return len(self.samples) / RATE_HZ


@cache
def programme(tone_s: float = 3.0, speech_s: float = 5.38) -> Programme:
    """Return the programme; both parts can be cut short."""
    joined = _Joiner()
    joined.pause()
    first = joined.add(chirp())
    quiet = joined.pause(0.4)
    tone = joined.add(sine(TONE_HZ, tone_s))
    joined.pause()
    steps = tuple(joined.add(sine(hz, _STEP_S)) for hz in STEPS_HZ)
    joined.pause()
    middle = joined.add(chirp())
    joined.pause()
    words = joined.add(speech()[: int(speech_s * RATE_HZ)])
    joined.pause()
    last = joined.add(chirp())
    joined.pause()
    return Programme(joined.samples(), (first, middle, last), tone, steps, quiet, words)


def chirp() -> Samples:
    """Return a marker: a sine whose frequency rises linearly; its correlation has one sharp peak."""
    count = round(_CHIRP_S * RATE_HZ)
    at = np.arange(count) / RATE_HZ
    low, high = CHIRP_HZ
    phase = 2 * np.pi * (low * at + (high - low) * at**2 / (2 * _CHIRP_S))
    return _faded(_amplitude(SAID_DBFS) * np.sin(phase))


def sine(hz: float, length_s: float) -> Samples:
    """Return a tone at `SAID_DBM0`."""
    at = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    return _faded(_amplitude(SAID_DBFS) * np.sin(2 * np.pi * hz * at))


@cache
def speech() -> Samples:
    """Return 5.4 s of speech at -22 dBFS, telephone band; made with espeak-ng, the same at every test and machine."""
    with resources.files("modembank.selftest").joinpath("speech.wav").open("rb") as raw, wave.open(raw) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


def to_frames(samples: Samples) -> tuple[bytes, ...]:
    """Return s16 frames of 20 ms; the last one is filled with silence."""
    padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME_SAMPLES)])
    pcm = np.clip(np.round(padded * 32767), -32768, 32767).astype("<i2")
    return tuple(frame.tobytes() for frame in pcm.reshape(-1, FRAME_SAMPLES))


def from_pcm(pcm: bytes) -> Samples:
    """Return s16 samples as numbers between -1 and 1."""
    return np.frombuffer(pcm, "<i2") / 32768.0


def _amplitude(dbfs: float) -> float:
    return float(math.sqrt(2) * 10 ** (dbfs / 20))


def _faded(samples: Samples) -> Samples:
    count = round(_FADE_S * RATE_HZ)
    edge = np.ones(len(samples))
    edge[:count] = np.linspace(0, 1, count)
    edge[-count:] = np.linspace(1, 0, count)
    return samples * edge


class _Joiner:
    """Puts parts one after the other; each begins with a frame."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []
        self._at = 0

    def add(self, samples: Samples) -> Part:
        padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME_SAMPLES)])
        part = Part(self._at, len(samples))
        self._parts.append(padded)
        self._at += len(padded)
        return part

    def pause(self, length_s: float = _PAUSE_S) -> Part:
        return self.add(np.zeros(round(length_s * RATE_HZ)))

    def samples(self) -> Samples:
        return np.concatenate(self._parts)

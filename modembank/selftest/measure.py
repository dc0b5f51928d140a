"""Measurements on what was heard, pure: samples at 8 kHz between -1 and 1 in, numbers out. Levels are RMS in dBFS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import numpy as np

from modembank.media.records import FLOOR_DBFS, RATE_HZ
from modembank.selftest.programme import Samples

# G.711 passes 300 to 3400 Hz (ITU-T G.712); what lies outside is nobody's to keep.
BAND_HZ = (300.0, 3400.0)
# A marker that correlates less than this is noise: chance reaches about 0.15 with 1920 samples.
FOUND_SCORE = 0.35
# Windows of 10 ms: short against a lost frame of 20 ms, long against a period of the tone.
_WINDOW = 80
_PIECE = 200
# A window so far below the tone's median is a hole; codecs of GSM ripple by 3 dB.
_GAP_DB = 12.0
# A lost frame of 20 ms turns the phase of 1020 Hz by 144 degrees, an inserted one too; codecs by less than 20.
_SLIP_RAD = 0.8
# Speech: windows of 0.4 s; quieter ones than this share of the loudest are pauses, and correlate with nothing.
_SPEECH_WINDOW_S = 0.4
_QUIET_SHARE = 0.05
# How far a playout buffer may stretch or shrink time around the common delay.
WANDER_S = 0.25


@dataclass(frozen=True, slots=True)
class Found:
    """Where a marker lies, in samples, and how well it fits (0 to 1)."""

    at: int
    score: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in the sound, in seconds from the begin of the piece."""

    start_s: float
    length_s: float


def level_dbfs(samples: Samples) -> float:
    """Return the level of everything in it, `FLOOR_DBFS` for silence."""
    return _dbfs(float(np.sqrt(np.mean(samples**2)))) if len(samples) else FLOOR_DBFS


def tone_dbfs(samples: Samples, hz: float) -> float:
    """Return the level of one tone in it; a frequency that is off by less than 2 Hz in half a second counts."""
    if not len(samples):
        return FLOOR_DBFS
    window = np.hanning(len(samples) + 2)[1:-1]
    turned = samples * window * np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(len(samples)))
    amplitude = 2 * abs(complex(turned.sum())) / float(window.sum())
    return _dbfs(amplitude / math.sqrt(2))


def steady_dbfs(tone: Samples, hz: float) -> float:
    """Return the level of a long tone, whatever jumps and holes it has: the median over pieces of 25 ms."""
    return median(_pieces_dbfs(tone, hz))


def best_dbfs(tone: Samples, hz: float) -> float:
    """Return the level of a short tone's loudest 25 ms: jumps and holes only take away."""
    return max(_pieces_dbfs(tone, hz))


def find(heard: Samples, marker: Samples) -> Found | None:
    """Return where a marker begins, by normalised correlation; None when nothing resembles it."""
    if len(heard) < len(marker):
        return None
    size = 1 << (len(heard) + len(marker)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(marker, size)), size)
    dots = product[: len(heard) - len(marker) + 1]
    sums = np.concatenate([[0.0], np.cumsum(heard**2)])
    energy = sums[len(marker) :] - sums[: -len(marker)]
    # What is 60 dB below the marker is no marker, however well it fits.
    least = float(marker @ marker) * 1e-6
    scores = np.abs(dots) / np.sqrt(np.maximum(energy, least) * float(marker @ marker))
    best = int(np.argmax(scores))
    score = float(scores[best])
    return Found(best, score) if score >= FOUND_SCORE else None


def gaps(tone: Samples) -> tuple[Gap, ...]:
    """Return the holes of a steady tone, of 10 ms and more."""
    levels = _windows(tone)
    if not len(levels):
        return ()
    quiet = levels < float(np.median(levels)) * 10 ** (-_GAP_DB / 20)
    step = _WINDOW / RATE_HZ
    return tuple(Gap(start * step, count * step) for start, count in _runs(quiet))


def slips(tone: Samples, hz: float) -> int:
    """Return how often a steady tone's phase jumps: frames left out or repeated. Holes are not counted."""
    count = len(tone) // _WINDOW
    if count < 8:
        return 0
    turns = np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(count * _WINDOW))
    phasors = (tone[: count * _WINDOW] * turns).reshape(count, _WINDOW).mean(axis=1)
    # Two windows apart, so that a window that holds the jump itself is left out.
    steps = np.angle(phasors[2:] * np.conj(phasors[:-2]))
    steps = np.angle(np.exp(1j * (steps - np.median(steps))))
    levels = np.abs(phasors)
    loud = levels > float(np.median(levels)) * 10 ** (-_GAP_DB / 20)
    # A hole has no phase; whoever fills it may go on with another one.
    sound = np.convolve(~loud, np.ones(5), mode="same") == 0
    jumps = (np.abs(steps) > _SLIP_RAD) & sound[1:-1]
    return len(_runs(jumps))


def speech_match(said: Samples, heard: Samples, rate_hz: int = RATE_HZ) -> float | None:
    """Return how much of what was said was heard, 0 to 1: the energy-weighted mean over windows of 0.4 s.

    `heard` may begin anywhere and be delayed; each window may wander a little around the common delay, because a
    playout buffer stretches time. None when no window of speech lies inside the recording.
    """
    said, heard = telephone_band(said, rate_hz), telephone_band(heard, rate_hz)
    offset = _best_offset(said, heard)
    size, wander = int(_SPEECH_WINDOW_S * rate_hz), int(WANDER_S * rate_hz)
    scores: list[float] = []
    weights: list[float] = []
    for start in range(0, len(said) - size, size):
        window = said[start : start + size]
        begin = start + offset - wander
        if begin < 0 or begin + size + 2 * wander > len(heard):
            continue
        scores.append(_best_match(window, heard[begin : begin + size + 2 * wander]))
        weights.append(float(window @ window))
    loudest = max(weights, default=0.0)
    strong = [weight if weight > _QUIET_SHARE * loudest else 0.0 for weight in weights]
    return float(np.average(scores, weights=strong)) if sum(strong) > 0 else None


def telephone_band(samples: Samples, rate_hz: int = RATE_HZ) -> Samples:
    """Return what a telephone keeps of a sound."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    spectrum[(frequency < BAND_HZ[0]) | (frequency > BAND_HZ[1])] = 0
    return np.fft.irfft(spectrum, len(samples))


def envelope_dbfs(samples: Samples, points: int) -> tuple[float, ...]:
    """Return the level over time as so many points, for a picture."""
    return tuple(round(level_dbfs(piece), 1) for piece in np.array_split(samples, points) if len(piece))


def _pieces_dbfs(tone: Samples, hz: float) -> list[float]:
    pieces = [tone[start : start + _PIECE] for start in range(0, len(tone) - _PIECE + 1, _PIECE)]
    return [tone_dbfs(piece, hz) for piece in pieces] or [tone_dbfs(tone, hz)]


def _windows(samples: Samples) -> Samples:
    count = len(samples) // _WINDOW
    squares: Samples = np.mean(samples[: count * _WINDOW].reshape(count, _WINDOW) ** 2, axis=1)
    return np.sqrt(squares)


def _runs(marks: np.typing.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and length of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))
    return [(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _dbfs(rms: float) -> float:
    return max(FLOOR_DBFS, 20 * math.log10(max(rms, 1e-9)))


def _best_offset(said: Samples, heard: Samples) -> int:
    size = 1 << (len(said) + len(heard)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    offset = int(np.argmax(np.fft.irfft(product, size)))
    return offset - size if offset > size // 2 else offset


def _best_match(window: Samples, where: Samples) -> float:
    dots = np.correlate(where, window, mode="valid")
    energy = np.convolve(where**2, np.ones(len(window)), mode="valid")
    norms = np.sqrt(np.maximum(energy, 1e-12) * max(float(window @ window), 1e-12))
    return float(np.max(dots / norms))

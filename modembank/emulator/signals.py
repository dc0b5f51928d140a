"""Sounds of the emulated far parties, cut into frames: 8 kHz, mono, s16le, 320 bytes = 20 ms."""

from __future__ import annotations

import functools
import math
import random
import wave
from array import array
from collections.abc import Iterable
from pathlib import Path

from modembank.errors import EmulatorError

RATE_HZ = 8000
FRAME_S = 0.02
FRAME_SAMPLES = 160
FRAME_BYTES = 320
WIDE_FRAME_BYTES = 640
"""20 ms at 16 kHz; such frames go through the network as they are."""
SILENCE = bytes(FRAME_BYTES)

TONE_HZ = 1000.0
TONE_DBFS = -10.0
"""Level of a sine: 0 dBFS is a sine whose peaks reach full scale."""

WIDE_TONE_HZ = 6000.0
"""Above what 8 kHz can carry: it is heard over a 16 kHz path or not at all."""

DTMF_DBFS = -9.0
DTMF_ON_S = 0.2
DTMF_HZ = {
    digit: (low, high)
    for low, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, digit in zip((1209, 1336, 1477, 1633), row, strict=True)
}
"""Source: ITU-T Q.23 table 1."""

Frames = tuple[bytes, ...]


def to_frames(samples: array[int]) -> Frames:
    """Cut samples into frames; the last one is filled with silence."""
    data = samples.tobytes()
    data += bytes(-len(data) % FRAME_BYTES)
    return tuple(data[place : place + FRAME_BYTES] for place in range(0, len(data), FRAME_BYTES))


def sines(parts: tuple[tuple[float, float], ...], duration_s: float) -> array[int]:
    """Return the sum of sines; each part is (frequency in Hz, level in dBFS)."""
    tones = [(2 * math.pi * hz / RATE_HZ, 32767 * 10 ** (dbfs / 20)) for hz, dbfs in parts]
    count = round(duration_s * RATE_HZ)
    return array("h", (round(sum(a * math.sin(w * n) for w, a in tones)) for n in range(count)))


@functools.cache
def tone() -> Frames:
    """Return one second of the tone party; it can be repeated without a step."""
    return to_frames(sines(((TONE_HZ, TONE_DBFS),), 1.0))


@functools.cache
def wide_tone() -> Frames:
    """Return one frame of the wide-band tone party at 16 kHz; it can be repeated without a step."""
    step = 2 * math.pi * WIDE_TONE_HZ / (2 * RATE_HZ)
    peak = 32767 * 10 ** (TONE_DBFS / 20)
    return (array("h", (round(peak * math.sin(step * n)) for n in range(2 * FRAME_SAMPLES))).tobytes(),)


@functools.cache
def dtmf(digits: str, every_s: float) -> Frames:
    """Return digits in band, one each `every_s`."""
    samples = array("h")
    for digit in digits:
        low, high = DTMF_HZ[digit]
        samples += sines(((low, DTMF_DBFS), (high, DTMF_DBFS)), min(DTMF_ON_S, every_s / 2))
        samples += array("h", bytes(2 * (round(every_s * RATE_HZ) - len(samples) % round(every_s * RATE_HZ))))
    return to_frames(samples)


@functools.cache
def announcement() -> Frames:
    """Return the three rising information tones and a spoken-like tail. Source: ITU-T E.180 clause 11."""
    samples = array("h")
    for hz in (950.0, 1400.0, 1800.0):
        samples += sines(((hz, -12.0),), 0.33)
    return to_frames(samples) + speech_like(2)


@functools.cache
def speech_like(seed: int = 1, duration_s: float = 4.0) -> Frames:
    """Return a deterministic signal with the pitch, formants, syllables and pauses of speech.

    It never repeats itself within its length, so that a correlation has one clear peak.
    """
    chance = random.Random(seed)
    samples = array("h")
    while len(samples) < duration_s * RATE_HZ:
        samples += _syllable(chance)
        samples += array("h", bytes(2 * chance.randrange(160, 1600)))
    return to_frames(samples[: round(duration_s * RATE_HZ)])


def _syllable(chance: random.Random) -> array[int]:
    pitch_hz = chance.uniform(95, 180)
    formants = [(chance.uniform(low, high), weight) for low, high, weight in _FORMANTS]
    count = chance.randrange(900, 2400)
    partials = []
    for number in range(1, int(3400 / pitch_hz)):
        hz = number * pitch_hz
        gain = sum(weight / (1 + ((hz - centre) / 120) ** 2) for centre, weight in formants)
        partials.append((2 * math.pi * hz / RATE_HZ, gain, chance.uniform(0, 6.28)))
    voiced = [sum(g * math.sin(w * n + p) for w, g, p in partials) for n in range(count)]
    scale = 9000 / max(1e-9, max(abs(value) for value in voiced))
    return array("h", (round(v * scale * math.sin(math.pi * n / count)) for n, v in enumerate(voiced)))


_FORMANTS = ((300, 800, 1.0), (900, 2200, 0.6), (2300, 3100, 0.25))


def read_wav(path: Path) -> Frames:
    """Return the frames of a WAV file.

    Raises:
        EmulatorError: the file cannot be read or is not 8 kHz, mono, 16 bit.
    """
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise EmulatorError(f"{path} cannot be read as WAV: {error}") from error
    if shape != (RATE_HZ, 1, 2):
        raise EmulatorError(f"{path} must be 8000 Hz, mono, 16 bit; it is {shape[0]} Hz with {shape[1]} channels")
    return to_frames(array("h", data))


def to_16khz(frame: bytes) -> bytes:
    """Return 20 ms of 8 kHz sound at 16 kHz; a sample between two is their mean."""
    narrow = array("h", frame)
    wide = array("h")
    for place, sample in enumerate(narrow):
        after = narrow[min(place + 1, len(narrow) - 1)]
        wide.extend((sample, (sample + after) // 2))
    return wide.tobytes()


def to_8khz(frame: bytes) -> bytes:
    """Return 20 ms of 16 kHz sound at 8 kHz; two samples become their mean."""
    wide = array("h", frame)
    return array("h", ((one + two) // 2 for one, two in zip(wide[::2], wide[1::2], strict=True))).tobytes()


def write_wav(path: Path, frames: Iterable[bytes]) -> None:
    """Write frames of 20 ms as a WAV file, at 16 kHz if one of them is."""
    frames = tuple(frames)
    wide = any(len(frame) == WIDE_FRAME_BYTES for frame in frames)
    pcm = b"".join(to_16khz(frame) if wide and len(frame) == FRAME_BYTES else frame for frame in frames)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(2 * RATE_HZ if wide else RATE_HZ)
        file.writeframes(pcm)

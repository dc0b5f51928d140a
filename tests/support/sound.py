"""Listening to recordings: tones by FFT, speech by correlation."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np

from modembank.selftest.measure import speech_match
from modembank.selftest.programme import Samples


def make_speech(path: Path, *, rate_hz: int = 48_000) -> Path:
    """Let espeak-ng speak into a WAV file of the rate; about eight seconds with a pause at the end."""
    text = (
        "Good morning, this is the modem bank. Seven quick foxes jump over the lazy dog, "
        "and we can hear every single word of it, from one end to the other."
    )
    raw = path.with_suffix(".espeak.wav")
    subprocess.run(["espeak-ng", "-s", "150", "-a", "120", "-w", str(raw), text], check=True)
    samples, rate = read_wav(raw)
    write_wav(path, np.concatenate([resample(samples, rate, rate_hz), np.zeros(rate_hz)]), rate_hz)
    return path


def read_wav(path: Path) -> tuple[Samples, int]:
    """Return mono samples between -1 and 1, and the rate in Hz."""
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return data.reshape(-1, file.getnchannels())[:, 0] / 32768.0, file.getframerate()


def write_wav(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write mono s16."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())


def resample(samples: Samples, rate_hz: int, to_hz: int) -> Samples:
    """Band-limited, by zeroing or cutting the spectrum."""
    if rate_hz == to_hz:
        return samples
    count = round(len(samples) * to_hz / rate_hz)
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, complex)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return np.fft.irfft(kept, count) * (count / len(samples))


def correlation(said: Samples, heard: Samples, rate_hz: int) -> float:
    """How much of what was said was heard, 0 to 1: the energy-weighted mean over windows of 0.4 s.

    `heard` may begin anywhere and be delayed; each window may wander a little around the common delay, because a
    browser's playout buffer stretches time.
    """
    score = speech_match(said, heard, rate_hz)
    assert score is not None, "no window of speech lies inside the recording"
    return score


def level_dbfs(samples: Samples, tone_hz: float, rate_hz: int) -> float:
    """Level of one tone in dB relative to a full-scale sine, from a Hann-windowed FFT."""
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window)) / (window.sum() / 2)
    bin_hz = rate_hz / len(samples)
    centre = round(tone_hz / bin_hz)
    peak = float(spectrum[max(0, centre - 3) : centre + 4].max())
    return 20 * np.log10(max(peak, 1e-9))

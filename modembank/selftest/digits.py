"""DTMF digits in a recording: for modems that tell no digits by themselves.

Source: ITU-T Q.23 table 1 (frequencies); the guards are those of the field for cellular codecs: a digit lasts at
least 40 ms, tones of one digit differ by at most 10 dB, and most of the sound is theirs.
"""

from __future__ import annotations

import numpy as np

from modembank.media.records import RATE_HZ
from modembank.selftest.programme import Samples

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS = ("123A", "456B", "789C", "*0#D")
_WINDOW = 160
_STEP = 80
_LEAST_WINDOWS = 4
_TWIST_DB = 10.0
_SHARE = 0.7
_LEAST_RMS = 0.003  # -50 dBFS


def digits_in(heard: Samples) -> str:
    """Return the digits that stand in band, in order."""
    found: list[str] = []
    run, before = 0, ""
    for start in range(0, len(heard) - _WINDOW + 1, _STEP):
        now = _digit(heard[start : start + _WINDOW])
        run = run + 1 if now == before else 1
        before = now
        if now and run == _LEAST_WINDOWS:
            found.append(now)
    return "".join(found)


def _digit(window: Samples) -> str:
    power = float(np.mean(window**2))
    if power < _LEAST_RMS**2:
        return ""
    low, high = _powers(window, LOW_HZ), _powers(window, HIGH_HZ)
    row, column = int(np.argmax(low)), int(np.argmax(high))
    twist = abs(10 * np.log10(max(low[row], 1e-12) / max(high[column], 1e-12)))
    if twist > _TWIST_DB or low[row] + high[column] < _SHARE * power:
        return ""
    return _KEYS[row][column]


def _powers(window: Samples, tones: tuple[float, ...]) -> list[float]:
    at = np.arange(len(window)) / RATE_HZ
    return [2 * abs(complex(np.mean(window * np.exp(-2j * np.pi * hz * at)))) ** 2 for hz in tones]

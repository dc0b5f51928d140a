"""Ringback tones by country, comfort noise, test tones.

Source: ITU-T E.180/Q.35 (03/98) sections 3 and 5, and the national tones that the ITU-T lists in "Various
tones used in national networks" (Operational Bulletin 781 annex). Modulated tones (f x m) are made as the
two side frequencies f - m/2 and f + m/2, which beat m times a second.
"""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import dataclass
from functools import cache

from modembank.media.records import FRAME_S, RATE_HZ, WIDE_RATE_HZ, frame_bytes

_RINGBACK_RMS = 3700.0  # -19 dBFS: -13 dBm0, inside E.180's -10 +-5 dBm0
_COMFORT_PEAK = 24  # uniform noise at about -67 dBFS: the line is audibly there, and not more


@dataclass(frozen=True, slots=True)
class RingTone:
    """Frequencies, and the cadence as seconds on, off, on, off …"""

    hz: tuple[float, ...]
    cadence_s: tuple[float, ...]


_BRITISH = (0.4, 0.2, 0.4, 2.0)
_ITU = RingTone((425.0,), (1.0, 4.0))

RINGBACK: dict[str, RingTone] = {
    "AE": RingTone((400.0, 450.0), _BRITISH),
    "AR": _ITU,
    "AT": RingTone((420.0,), (1.0, 5.0)),
    "AU": RingTone((391.5, 408.5), _BRITISH),
    "BE": RingTone((425.0,), (1.0, 3.0)),
    "BR": _ITU,
    "CA": RingTone((440.0, 480.0), (2.0, 4.0)),
    "CH": _ITU,
    "CN": RingTone((450.0,), (1.0, 4.0)),
    "CZ": _ITU,
    "DE": _ITU,
    "DK": _ITU,
    "ES": RingTone((425.0,), (1.5, 3.0)),
    "FI": _ITU,
    "FR": RingTone((440.0,), (1.5, 3.5)),
    "GB": RingTone((400.0, 450.0), _BRITISH),
    "GR": _ITU,
    "HK": RingTone((440.0, 480.0), (0.4, 0.2, 0.4, 3.0)),
    "HU": RingTone((425.0,), (1.25, 3.75)),
    "IE": RingTone((400.0, 450.0), _BRITISH),
    "IL": RingTone((400.0,), (1.0, 3.0)),
    "IN": RingTone((387.5, 412.5), _BRITISH),
    "IT": _ITU,
    "JP": RingTone((392.0, 408.0), (1.0, 2.0)),
    "KR": RingTone((440.0, 480.0), (1.0, 2.0)),
    "MX": _ITU,
    "MY": RingTone((425.0,), _BRITISH),
    "NL": _ITU,
    "NO": _ITU,
    "NZ": RingTone((400.0, 450.0), _BRITISH),
    "PL": _ITU,
    "PT": RingTone((425.0,), (1.0, 5.0)),
    "RU": _ITU,
    "SE": RingTone((425.0,), (1.0, 5.0)),
    "SG": RingTone((413.0, 437.0), _BRITISH),
    "TR": RingTone((450.0,), (2.0, 4.0)),
    "TW": RingTone((440.0, 480.0), (1.0, 2.0)),
    "UA": _ITU,
    "US": RingTone((440.0, 480.0), (2.0, 4.0)),
    "ZA": RingTone((383.5, 416.5), _BRITISH),
}
"""By ISO 3166-1 alpha-2; every other country gets the tone that E.180 recommends: 425 Hz, 1 s on, 4 s off."""


def sine(hz: tuple[float, ...], samples: int, rms: float, rate_hz: int = RATE_HZ) -> bytes:
    """Return the sum of equally loud sines as s16 samples; `rms` is that of the sum."""
    each = rms * math.sqrt(2.0 / len(hz))
    steps = [2.0 * math.pi * f / rate_hz for f in hz]
    return array("h", (int(sum(each * math.sin(w * i) for w in steps)) for i in range(samples))).tobytes()


@cache
def ringback_frames(country: str, rate_hz: int = RATE_HZ) -> tuple[bytes, ...]:
    """Return one whole cadence of a country's ringback as 20 ms frames, to be repeated."""
    tone = RINGBACK.get(country.upper(), _ITU)
    size = frame_bytes(rate_hz)
    frames: list[bytes] = []
    for index, length_s in enumerate(tone.cadence_s):
        count = round(length_s / FRAME_S)
        if index % 2:
            frames += [bytes(size)] * count
        else:
            pcm = sine(tone.hz, count * size // 2, _RINGBACK_RMS, rate_hz)
            frames += [pcm[i : i + size] for i in range(0, len(pcm), size)]
    return tuple(frames)


@cache
def comfort_frames(rate_hz: int = RATE_HZ) -> tuple[bytes, ...]:
    """Return half a second of comfort noise as 20 ms frames, to be repeated. Source: RFC 3389 section 1."""
    chance = random.Random(3389)
    return tuple(
        array("h", (chance.randint(-_COMFORT_PEAK, _COMFORT_PEAK) for _ in range(rate_hz // 50))).tobytes()
        for _ in range(25)
    )


@cache
def ringback(country: str, rate_hz: int = RATE_HZ) -> bytes:
    """Return `ringback_frames` in one piece."""
    return b"".join(ringback_frames(country, rate_hz))


@cache
def comfort(rate_hz: int = RATE_HZ) -> bytes:
    """Return `comfort_frames` in one piece."""
    return b"".join(comfort_frames(rate_hz))


def prepare(country: str) -> None:
    """Make all of them once, so that no call waits for the arithmetic."""
    for rate_hz in (RATE_HZ, WIDE_RATE_HZ):
        ringback(country, rate_hz)
        comfort(rate_hz)


class Loop:
    """Gives a tuple of frames one after the other, for ever."""

    __slots__ = ("_at", "_frames")

    def __init__(self, frames: tuple[bytes, ...]) -> None:
        self._frames = frames
        self._at = 0

    def rewind(self) -> None:
        """Begin again at the first frame."""
        self._at = 0

    def next(self) -> bytes:
        """Return the next frame."""
        frame = self._frames[self._at]
        self._at = (self._at + 1) % len(self._frames)
        return frame

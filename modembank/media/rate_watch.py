"""Notices a modem whose sound comes at another rate than it was set to: it sounds like noise, and nothing else tells.

Pure: it is fed with counts and times. Source: field reports on SIM7600, whose call codec may change the stream's rate.
"""

from __future__ import annotations

from modembank.media.records import FRAME_S

WINDOW_S = 1.0
WINDOWS = 3
"""So many in a row must agree: a burst after a standstill looks like twice the rate, once."""

_TWICE = 1.5
_HALF = (0.4, 0.65)
"""Below that it stands still from time to time, which is another fault."""


class RateWatch:
    """One call's watch."""

    __slots__ = ("_agreed", "_begun_s", "_frames", "_told")

    def __init__(self) -> None:
        self._begun_s: float | None = None
        self._frames = 0
        self._agreed = 0
        self._told = False

    def look(self, frames: int, now_s: float) -> float | None:
        """Take the count of frames so far; return how many times too fast they come (2 or 0.5), once."""
        if self._begun_s is None:
            self._begun_s, self._frames = now_s, frames
        passed_s = now_s - self._begun_s
        if passed_s < WINDOW_S or self._told:
            return None
        factor = _factor((frames - self._frames) * FRAME_S / passed_s)
        self._agreed = self._agreed + 1 if factor is not None else 0
        self._begun_s, self._frames = now_s, frames
        if self._agreed < WINDOWS:
            return None
        self._told = True
        return factor


def _factor(speed: float) -> float | None:
    if speed >= _TWICE:
        return 2.0
    return 0.5 if _HALF[0] <= speed <= _HALF[1] else None

"""Tells a modem that chatters from one that floods us; pure."""

from __future__ import annotations


class FloodMeter:
    """Counts lines by the second."""

    def __init__(self, lines_s: int, for_s: float) -> None:
        """`lines_s` is what is too much, `for_s` how long it may last: a boot is talkative, too."""
        self._limit = lines_s
        self._for_s = for_s
        self._second_s = 0.0
        self._lines = 0
        self._flooded_s = 0.0

    def line(self, now_s: float) -> bool:
        """Take note of a line; true when this is a flood. `now_s` on a monotonic clock."""
        self._lines += 1
        elapsed_s = now_s - self._second_s
        if elapsed_s >= 1.0:
            much = self._lines > self._limit * elapsed_s
            self._flooded_s = self._flooded_s + min(elapsed_s, self._for_s) if much else 0.0
            self._second_s, self._lines = now_s, 0
        return self._flooded_s >= self._for_s

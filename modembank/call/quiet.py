"""Which directions of a call have carried no sound for long. Pure: levels and a clock in."""

from __future__ import annotations

from collections.abc import Mapping

from modembank.bus.vocabulary import AudioDirection

QUIET_RMS = 8
"""Of 32768. A-law has no zero: its silence decodes to 8 (ITU-T G.711 table 1a). Rooms, lines and comfort noise are
louder."""


class QuietWatch:
    """Fed about five times a second."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._since_s: dict[AudioDirection, float] = {}
        self.quiet: tuple[AudioDirection, ...] = ()
        """The directions without sound for `after_s`."""

    def look(self, heard: Mapping[AudioDirection, int | None], now_s: float) -> bool:
        """Take the loudest RMS since the last look, None where silence would mean nothing.

        Returns:
            Whether `quiet` changed.
        """
        for direction, rms in heard.items():
            if rms is None or rms > QUIET_RMS:
                self._since_s.pop(direction, None)
            else:
                self._since_s.setdefault(direction, now_s)
        before = self.quiet
        self.quiet = tuple(one for one in AudioDirection if now_s - self._since_s.get(one, now_s) >= self._after_s)
        return self.quiet != before

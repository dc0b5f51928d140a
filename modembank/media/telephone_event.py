"""DTMF as RTP events. Source: RFC 4733 sections 2.3 and 2.5, table 3."""

from __future__ import annotations

import struct
from collections.abc import Iterator

DIGITS = "0123456789*#ABCD"
"""Events 0 to 15 in order."""

_PAYLOAD = struct.Struct("!BBH")
_END = 0x80
_VOLUME = 10  # dBm0 below zero; RFC 4733 section 2.3.4


class EventReceiver:
    """Reports each event once, at its first packet that arrives, whatever is lost or sent again.

    An event keeps its timestamp in all its packets. A tone longer than 65535 clock units goes on in a further
    segment that starts where the last one ended (section 2.5.1.3) and is the same key press.
    """

    __slots__ = ("_code", "_duration", "_timestamp")

    def __init__(self) -> None:
        self._code = -1
        self._timestamp = -1
        self._duration = 0

    def packet(self, timestamp: int, payload: bytes) -> str | None:
        """Return the digit that this packet begins, or None."""
        if len(payload) < _PAYLOAD.size:
            return None
        code, _, duration = _PAYLOAD.unpack_from(payload)
        if code >= len(DIGITS):
            return None
        if timestamp == self._timestamp and code == self._code:
            self._duration = max(self._duration, duration)
            return None
        behind = (self._timestamp - timestamp) & 0xFFFFFFFF
        if self._timestamp >= 0 and 0 < behind < 0x80000000:
            return None  # an older event's packet that was overtaken
        goes_on = (
            code == self._code and self._duration > 0 and timestamp == (self._timestamp + self._duration) & 0xFFFFFFFF
        )
        self._code, self._timestamp, self._duration = code, timestamp, duration
        return None if goes_on else DIGITS[code]


def payloads(digit: str, packets: int, step: int) -> Iterator[bytes]:
    """Yield the payloads of one key press, one per 20 ms, of growing duration; the last comes three times.

    Args:
        digit: one of `DIGITS`.
        packets: how many 20 ms intervals the tone lasts, at least 1.
        step: clock units per 20 ms.
    """
    code = DIGITS.index(digit)
    for number in range(1, packets):
        yield _PAYLOAD.pack(code, _VOLUME, number * step)
    for _ in range(3):
        yield _PAYLOAD.pack(code, _END | _VOLUME, packets * step)

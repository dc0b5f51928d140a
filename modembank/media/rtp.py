"""RTP packets, and what a receiver counts about them. Source: RFC 3550 sections 5.1, 6.4.1, A.1, A.3, A.8."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_BYTES = 12
HEADER = struct.Struct("!BBHII")
VERSION_BYTE = 0x80
MARKER = 0x80

_SEQ_MASK = 0xFFFF
_TS_MASK = 0xFFFFFFFF
_MAX_DROPOUT = 3000  # RFC 3550 A.1
_MAX_MISORDER = 100


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One parsed packet; `payload` without padding."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> RtpPacket | None:
    """Return the packet in a datagram, or None if it is no RTP version 2 packet."""
    if len(data) < HEADER_BYTES or data[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    start, end = HEADER_BYTES, len(data)
    if first & 0x3F:
        start += 4 * (first & 0x0F)
        if first & 0x10:
            if start + 4 > end:
                return None
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if first & 0x20:
            if data[-1] == 0:
                return None
            end -= data[-1]
        if start > end:
            return None
    return RtpPacket(second & 0x7F, bool(second & MARKER), sequence, timestamp, ssrc, data[start:end])


def is_rtcp(second_byte: int) -> bool:
    """Tell RTCP from RTP on one port. Source: RFC 5761 section 4."""
    return 192 <= second_byte <= 223


def signed_difference(new: int, old: int) -> int:
    """Return how far a 32-bit timestamp lies after another one, -2**31 to 2**31 - 1."""
    return ((new - old + 0x80000000) & _TS_MASK) - 0x80000000


class ReceiveCounter:
    """Extended sequence, loss and jitter of one received stream."""

    __slots__ = (
        "_base",
        "_clock_hz",
        "_cycles",
        "_expected_prior",
        "_highest",
        "_jitter",
        "_received_prior",
        "_transit",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_hz: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        self._clock_hz = clock_hz
        self._base = -1
        self._cycles = 0
        self._highest = 0
        self._jitter = 0.0
        self._transit = 0.0
        self._expected_prior = 0
        self._received_prior = 0

    def arrived(self, sequence: int, timestamp: int, now_s: float) -> int:
        """Count one packet; return how many sequence numbers it is ahead of the highest (1: in order)."""
        transit = now_s * self._clock_hz - timestamp
        if self._base < 0:
            self._restart(sequence)
            self._transit = transit
            return 1
        self.received += 1
        ahead = (sequence - self._highest) & _SEQ_MASK
        if ahead == 0 or ahead > _SEQ_MASK - _MAX_MISORDER:
            return ahead - 0x10000 if ahead else 0
        if ahead > _MAX_DROPOUT:  # the sender restarted
            self._restart(sequence)
            self._transit = transit
            return 1
        if sequence < self._highest:
            self._cycles += 0x10000
        self._highest = sequence
        moved = abs(transit - self._transit)
        self._transit = transit
        if moved < self._clock_hz:  # a timestamp that wrapped or jumped is no jitter
            self._jitter += (moved - self._jitter) / 16.0
        return ahead

    def _restart(self, sequence: int) -> None:
        self._base = self._highest = sequence
        self._cycles = 0
        self.received = 1
        self._expected_prior = self._received_prior = 0

    @property
    def extended_highest(self) -> int:
        """The highest sequence number received, with its cycles, 32 bits."""
        return (self._cycles + self._highest) & _TS_MASK

    @property
    def lost(self) -> int:
        """Packets lost since the stream began; negative with duplicates."""
        if self._base < 0:
            return 0
        return self._cycles + self._highest - self._base + 1 - self.received

    @property
    def jitter(self) -> int:
        """Interarrival jitter in clock units."""
        return int(self._jitter)

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter in milliseconds."""
        return 1000.0 * self._jitter / self._clock_hz

    def fraction_lost(self) -> int:
        """Return the loss since the last call in 1/256."""
        if self._base < 0:
            return 0
        expected = self._cycles + self._highest - self._base + 1
        expected_now = expected - self._expected_prior
        lost_now = expected_now - (self.received - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self.received
        if expected_now <= 0 or lost_now <= 0:
            return 0
        return min(255, (lost_now << 8) // expected_now)

"""The two RTP streams of a far side as plain counters: what we send, what we receive."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from modembank.media.codecs import WIDTH, Codec
from modembank.media.rtp import (
    HEADER,
    HEADER_BYTES,
    VERSION_BYTE,
    ReceiveCounter,
    RtpPacket,
    parse,
    signed_difference,
)
from modembank.media.telephone_event import EventReceiver
from modembank.webrtc.internals import RX, RX_VIEW

_unpack = HEADER.unpack_from


class SendStream:
    """Our SSRC and its counters; outlives re-attached peers, so that time goes on without a step."""

    __slots__ = ("marker", "octets", "packets", "sequence", "ssrc", "timestamp")

    def __init__(self) -> None:
        self.ssrc = secrets.randbits(32)
        self.timestamp = secrets.randbits(32)
        self.packets = 0
        self.octets = 0
        self.sequence = 0
        self.marker = True
        self.new_peer()

    def new_peer(self) -> None:
        """Begin at a random sequence number in the lower half, for the roll-over counter's sake.

        Source: RFC 3711 section 3.3.1 and appendix A: a wrap among the first lost packets breaks decryption.
        """
        self.sequence = secrets.randbits(15)
        self.marker = True


@dataclass(frozen=True, slots=True)
class FarFrames:
    """Where received frames go, each with its place in the stream."""

    frame: Callable[[int, bytes], None]
    missing: Callable[[int], bool]
    digit: Callable[[str], None]
    new_source: Callable[[Codec], None]


class ReceiveStream:
    """One received stream: order, positions, decoding, telephone-events."""

    __slots__ = (
        "_at",
        "_codec",
        "_decode",
        "_events",
        "_events_seen",
        "_expected",
        "_frame",
        "_frames",
        "_number",
        "_rest",
        "_rest_at",
        "_size",
        "_step",
        "counter",
        "octets",
        "unknown",
    )

    def __init__(self, codec: Codec, number: int, events: frozenset[int], frames: FarFrames) -> None:
        """`number` is the codec's payload type, `events` those of telephone-event."""
        self.counter: ReceiveCounter | None = None
        self.octets = 0
        self.unknown = 0
        self._codec = codec
        self._number = number
        self._events = events
        self._frames = frames
        self._step = codec.timestamp_step
        self._size = codec.frame_bytes
        self._events_seen = EventReceiver()
        self._decode = codec.decode
        self._frame = frames.frame
        self._expected = 0  # the timestamp that the next frame should have
        self._at = 0  # the last one's, counted from the stream's first
        self._rest = b""
        self._rest_at = 0

    def take(self, length: int) -> None:
        """Take the packet that stands in `RX`. The voice's next frame, nearly always, goes by the short way."""
        first, second, sequence, timestamp, ssrc = _unpack(RX)
        counter = self.counter
        if (
            timestamp == self._expected
            and second == self._number
            and first == VERSION_BYTE
            and counter is not None
            and ssrc == counter.ssrc
        ):
            counter.arrived(sequence, timestamp, monotonic())
            self.octets += length - HEADER_BYTES
            pcm = self._decode(bytes(RX_VIEW[HEADER_BYTES:length]), WIDTH)
            if len(pcm) == self._size:
                step = self._step
                self._expected = (timestamp + step) & 0xFFFFFFFF
                self._at = at = self._at + step
                self._frame((at + step // 2) // step, pcm)
            else:
                self._cut(self._extend(timestamp), pcm)
            return
        packet = parse(bytes(RX_VIEW[:length]))
        if packet is not None:
            self.packet(packet, monotonic())

    def packet(self, packet: RtpPacket, now_s: float) -> None:
        """Take any packet."""
        timestamp, payload = packet.timestamp, packet.payload
        if packet.payload_type in self._events:
            digit = self._events_seen.packet(timestamp, payload)
            if digit is not None:
                self._frames.digit(digit)
            if self.counter is None or self.counter.ssrc != packet.ssrc:
                return  # some senders give events a stream of their own
        counter = self.counter
        if counter is None or counter.ssrc != packet.ssrc:
            counter = self._new_source(packet.ssrc, timestamp)
        ahead = counter.arrived(packet.sequence, timestamp, now_s)
        self.octets += len(payload)
        if packet.payload_type == self._number:
            at = self._extend(timestamp)
            if ahead == 2 and self._codec.recover is not None:
                self._recover(at, payload)
            pcm = self._decode(payload, WIDTH)
            if len(pcm) == self._size:
                # Rounded, because after an event some senders go on at a fraction of a frame.
                self._frame((at + self._step // 2) // self._step, pcm)
            else:
                self._cut(at, pcm)
        elif packet.payload_type not in self._events:
            self.unknown += 1

    def _extend(self, timestamp: int) -> int:
        """Return the timestamp relative to the stream's first: it neither wraps nor starts at random."""
        last = (self._expected - self._step) & 0xFFFFFFFF
        self._at += signed_difference(timestamp, last)
        self._expected = (timestamp + self._step) & 0xFFFFFFFF
        return self._at

    def _new_source(self, ssrc: int, timestamp: int) -> ReceiveCounter:
        self.counter = ReceiveCounter(ssrc, self._codec.clock_hz)
        self._at = 0
        self._expected = (timestamp + self._step) & 0xFFFFFFFF
        self._rest = b""
        self._frames.new_source(self._codec)
        return self.counter

    def _recover(self, at: int, payload: bytes) -> None:
        """One packet is missing in front of this one: take it from this one's FEC while it is of use."""
        position = (at + self._step // 2) // self._step - 1
        if self._codec.recover is not None and self._frames.missing(position):
            pcm = self._codec.recover(payload)
            if len(pcm) == self._size:
                self._frame(position, pcm)

    def _cut(self, at: int, pcm: bytes) -> None:
        """Cut packets of another length than 20 ms (RFC 3551 section 4.2 allows any) into frames."""
        size = self._size
        if self._rest and at == self._rest_at + len(self._rest) * self._step // size:
            pcm = self._rest + pcm
            at = self._rest_at
        position = (at + self._step // 2) // self._step
        whole = len(pcm) - len(pcm) % size
        for start in range(0, whole, size):
            self._frame(position, pcm[start : start + size])
            position += 1
        self._rest = pcm[whole:]
        self._rest_at = at + whole * self._step // size

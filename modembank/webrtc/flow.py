"""How one peer's packets are carried once ICE and DTLS are up; here by Python, in `plane_flow.py` by the C core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from modembank.media import codecs, rtp
from modembank.media.codecs import Codec
from modembank.media.records import CodecName
from modembank.webrtc.internals import TX, Transport
from modembank.webrtc.stream import FarFrames, ReceiveStream, SendStream

_pack_header = rtp.HEADER.pack_into


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What offer and answer agreed on: codec, its payload type, the payload types of telephone-event."""

    codec: CodecName
    number: int
    events: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sender report says of us; `timestamp` is that of the newest frame."""

    timestamp: int
    packets: int
    octets: int


class Reception(Protocol):
    """What a receiver report says of the far side's stream. Source: RFC 3550 section 6.4.1."""

    @property
    def ssrc(self) -> int:
        """Whose stream."""
        ...

    @property
    def received(self) -> int:
        """Packets."""
        ...

    @property
    def lost(self) -> int:
        """Packets, negative with duplicates."""
        ...

    @property
    def extended_highest(self) -> int:
        """Sequence number with its cycles."""
        ...

    @property
    def jitter(self) -> int:
        """In clock units."""
        ...

    @property
    def jitter_ms(self) -> float:
        """In milliseconds."""
        ...

    def fraction_lost(self) -> int:
        """Return the loss since this was asked last, in 1/256."""
        ...


class Flow(Protocol):
    """Carries one peer's packets from `begin` to `end`."""

    @property
    def ssrc(self) -> int:
        """Ours."""
        ...

    @property
    def reception(self) -> Reception | None:
        """Counters of what is received, None before the first packet."""
        ...

    @property
    def octets_received(self) -> int:
        """Payload bytes received."""
        ...

    @property
    def sent(self) -> Sent:
        """Counters of what was sent, all peers of the call together."""
        ...

    def begin(self, transport: Transport, on_rtcp: Callable[[bytes], None]) -> None:
        """DTLS is up: take the SRTP sessions and sockets."""
        ...

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound packet."""
        ...

    def housekeep(self) -> None:
        """Look after what is not tied to a packet; about ten times per second."""
        ...

    def end(self) -> None:
        """Send and receive nothing more; idempotent. The counters stay."""
        ...


class PacketFlow:
    """Every packet one callback on the event loop. The reference for the C core, and the way for all it cannot do."""

    def __init__(self, codec: Codec, negotiated: Negotiated, frames: FarFrames, out: SendStream) -> None:
        self._codec = codec
        self._number = negotiated.number
        self._in = ReceiveStream(codec, negotiated.number, negotiated.events, frames)
        self._out = out
        self._transport: Transport | None = None

    @property
    def ssrc(self) -> int:
        """See `Flow.ssrc`."""
        return self._out.ssrc

    @property
    def reception(self) -> Reception | None:
        """See `Flow.reception`."""
        return self._in.counter

    @property
    def octets_received(self) -> int:
        """See `Flow.octets_received`."""
        return self._in.octets

    @property
    def sent(self) -> Sent:
        """See `Flow.sent`."""
        return Sent(self._out.timestamp, self._out.packets, self._out.octets)

    def begin(self, transport: Transport, on_rtcp: Callable[[bytes], None]) -> None:
        """See `Flow.begin`."""
        self._out.new_peer()
        transport.take_media(self._in.take, on_rtcp)
        self._transport = transport

    def send(self, pcm: bytes) -> None:
        """Send one frame now; without a connection only the timestamp goes on."""
        out, codec, transport = self._out, self._codec, self._transport
        out.timestamp = timestamp = (out.timestamp + codec.timestamp_step) & 0xFFFFFFFF
        if transport is None:
            return
        payload = codec.encode(pcm, codecs.WIDTH)
        length = 12 + len(payload)
        sequence = out.sequence
        _pack_header(TX, 0, 0x80, self._number | 0x80 if out.marker else self._number, sequence, timestamp, out.ssrc)
        TX[12:length] = payload
        transport.send_rtp(length)
        out.marker = False
        out.sequence = (sequence + 1) & 0xFFFF
        out.packets += 1
        out.octets += length - 12

    def send_rtcp(self, packet: bytes) -> None:
        """See `Flow.send_rtcp`."""
        if self._transport is not None:
            self._transport.send_rtcp(packet)

    def housekeep(self) -> None:
        """See `Flow.housekeep`: each packet looks for itself."""

    def end(self) -> None:
        """See `Flow.end`."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.release_media()

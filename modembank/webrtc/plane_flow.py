"""One peer's packets carried by a line of the C core; what is no voice comes up to aiortc and to the peer."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from modembank.errors import MediaError
from modembank.media import opus
from modembank.media.records import RATE_HZ, CodecName
from modembank.media.telephone_event import EventReceiver
from modembank.plane import binding
from modembank.plane.binding import Note, StreamFacts
from modembank.plane.line import PlaneLine, content
from modembank.webrtc.flow import Negotiated, Reception, Sent
from modembank.webrtc.internals import Transport

_KINDS = {CodecName.PCMA: 0, CodecName.PCMU: 1, CodecName.OPUS: 2}


def carries(codec: CodecName, rate_hz: int) -> bool:
    """Return whether the core has this codec for frames of this rate; it does not resample."""
    return codec is CodecName.OPUS or (codec in _KINDS and rate_hz == RATE_HZ)


class _CoreReception:
    """A received stream's counters as the core keeps them."""

    def __init__(self, facts: StreamFacts, clock_hz: int) -> None:
        self._facts = facts
        self._clock_hz = clock_hz
        self._ssrc = facts.ssrc
        self._base = facts.base
        self._expected_prior = self._received_prior = 0

    @property
    def ssrc(self) -> int:
        """See `Reception.ssrc`."""
        return int(self._facts.ssrc)

    @property
    def received(self) -> int:
        """See `Reception.received`."""
        return int(self._facts.received)

    @property
    def lost(self) -> int:
        """See `Reception.lost`."""
        return self._expected - self.received if self._facts.base >= 0 else 0

    @property
    def extended_highest(self) -> int:
        """See `Reception.extended_highest`."""
        return int(self._facts.cycles + self._facts.highest) & 0xFFFFFFFF

    @property
    def jitter(self) -> int:
        """See `Reception.jitter`."""
        return int(self._facts.jitter)

    @property
    def jitter_ms(self) -> float:
        """See `Reception.jitter_ms`."""
        return 1000.0 * float(self._facts.jitter) / self._clock_hz

    @property
    def _expected(self) -> int:
        return int(self._facts.cycles + self._facts.highest - self._facts.base + 1)

    def stay(self, facts: StreamFacts) -> None:
        """The stream is over; these are its last counters."""
        self._facts = facts

    def fraction_lost(self) -> int:
        """See `Reception.fraction_lost`."""
        facts = self._facts
        if (facts.ssrc, facts.base) != (self._ssrc, self._base):
            self._ssrc, self._base = facts.ssrc, facts.base  # the sender restarted
            self._expected_prior = self._received_prior = 0
        expected, received = self._expected, self.received
        due = expected - self._expected_prior
        lost = due - (received - self._received_prior)
        self._expected_prior, self._received_prior = expected, received
        return min(255, (lost << 8) // due) if due > 0 and lost > 0 else 0


class PlaneFlow:
    """Implements `Flow`. The line outlives it: one line serves all peers of a call, one after the other."""

    def __init__(self, line: PlaneLine, rate_hz: int, negotiated: Negotiated, on_digit: Callable[[str], None]) -> None:
        """Raises MediaError for Opus without libopus."""
        self._line = line
        self._negotiated = negotiated
        self._on_digit = on_digit
        self._presses = EventReceiver()
        self._transport: Transport | None = None
        self._on_rtcp: Callable[[bytes], None] | None = None
        self._facts: StreamFacts | None = None
        self._reception: _CoreReception | None = None
        is_opus = negotiated.codec is CodecName.OPUS
        samples = rate_hz // 50
        self._codec = binding.Codec(
            kind=_KINDS[negotiated.codec],
            number=negotiated.number,
            samples=samples,
            step=960 if is_opus else samples,
            clock_hz=48000 if is_opus else 8000,
        )
        if is_opus:
            self._opus = opus.OpusEncoder(rate_hz), opus.OpusDecoder(rate_hz)  # the core uses their states
            functions = opus.functions()
            self._codec.encoder, self._codec.decoder = (state.address for state in self._opus)
            self._codec.opus_encode, self._codec.opus_decode = functions

    @property
    def ssrc(self) -> int:
        """See `Flow.ssrc`."""
        return self._line.ssrc

    @property
    def reception(self) -> Reception | None:
        """See `Flow.reception`."""
        if self._reception is None and self._facts is not None and self._facts.ssrc >= 0:
            self._reception = _CoreReception(self._facts, self._codec.clock_hz)
        return self._reception

    @property
    def octets_received(self) -> int:
        """See `Flow.octets_received`."""
        return int(self._facts.octets) if self._facts is not None else 0

    @property
    def sent(self) -> Sent:
        """See `Flow.sent`."""
        facts = self._line.facts
        return Sent(facts.out_timestamp, facts.sent_packets, facts.sent_octets)

    def begin(self, transport: Transport, on_rtcp: Callable[[bytes], None]) -> None:
        """See `Flow.begin`."""
        line = self._line
        if line.flow is not None:
            line.flow.end()
        line.flow = self
        self._transport, self._on_rtcp = transport, on_rtcp
        # In the lower half, for the roll-over counter's sake. Source: RFC 3711 section 3.3.1 and appendix A.
        line.attach(self._codec, self._negotiated.events, transport.srtp_addresses(), secrets.randbits(15))
        self._facts = line.stream
        transport.give_sockets(line.add_socket, line.datagram)
        self.housekeep()

    def send_rtcp(self, packet: bytes) -> None:
        """See `Flow.send_rtcp`."""
        if self._transport is not None:
            self._line.send_rtcp(packet)

    def housekeep(self) -> None:
        """See `Flow.housekeep`: packets follow the nominated pair."""
        if self._transport is None:
            return
        route = self._transport.new_route()
        if route is None:
            return
        try:
            self._line.target(*route)
        except MediaError:
            self._line.target(-1, "", 0)  # an address with a scope: asyncio's transport knows how

    def on_note(self, note: Note) -> None:
        """Hear what the core leaves to us."""
        transport = self._transport
        if transport is None:
            return
        match note.kind:
            case binding.NOTE_DATAGRAM:
                transport.datagram(note.socket, content(note), (note.host.decode(), note.port))
            case binding.NOTE_RTCP if self._on_rtcp is not None:
                self._on_rtcp(content(note))
            case binding.NOTE_EVENT:
                digit = self._presses.packet(note.value, content(note))
                if digit is not None:
                    self._on_digit(digit)
            case binding.NOTE_RELAY:
                transport.relay(content(note))

    def end(self) -> None:
        """See `Flow.end`."""
        if self._transport is None:
            return
        if self._facts is not None:
            self._facts = StreamFacts.from_buffer_copy(self._facts)
            if self._reception is not None:
                self._reception.stay(self._facts)
        self._line.detach()
        self._line.flow = None
        self._transport.release_media()
        self._transport = self._on_rtcp = None

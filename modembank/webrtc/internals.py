"""Everything of aiortc, aioice, pylibsrtp and asyncio that is not their public API: only here.

We let aiortc do ICE and DTLS and carry the packets ourselves. For that we need three things that it does not
hand out: the SRTP sessions, the sockets behind the candidates, and the nominated pair. `check_shape()` says
in one sentence when a release has them no more.

Written against aiortc 1.16, aioice 0.13, pylibsrtp 1.0.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable
from functools import cache

import aiortc
import pylibsrtp
from aioice import ice
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceServer, RTCIceTransport, RTCRtpSender
from pylibsrtp import _binding

from modembank.errors import MediaError
from modembank.media.reactor import add_direct_reader, remove_direct_reader
from modembank.plane.binding import SrtpFunctions

Address = tuple[str, int]

_BUFFER_BYTES = 2048
"""Larger than any packet on a path with an MTU of 1500, with room for the SRTP trailer."""

RX = bytearray(_BUFFER_BYTES)
"""The packet that was received last; valid inside its callback only."""

TX = bytearray(_BUFFER_BYTES)
"""Where the packet to be sent is written."""

RX_VIEW, _tx_view = memoryview(RX), memoryview(TX)
_rx_memory, _tx_memory = _binding.ffi.from_buffer(RX), _binding.ffi.from_buffer(TX)
_length = _binding.ffi.new("int *")
_protect, _protect_rtcp = _binding.lib.srtp_protect, _binding.lib.srtp_protect_rtcp
_unprotect, _unprotect_rtcp = _binding.lib.srtp_unprotect, _binding.lib.srtp_unprotect_rtcp
_OK = _binding.lib.srtp_err_status_ok


@cache
def check_shape() -> None:
    """Verify once a process that the libraries have the members that we use.

    Raises:
        MediaError: they do not; names what is missing.
    """
    gatherer = RTCIceGatherer(iceServers=[])
    transport = RTCIceTransport(gatherer)
    policy = pylibsrtp.Policy(key=bytes(64), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    missing = _missing(
        (transport, "_connection"),
        (transport._connection, "_nominated", "_protocols", "ice_controlling"),
        (RTCDtlsTransport(transport, [certificate()]), "_rx_srtp", "_tx_srtp", "_set_role"),
        (ice.StunProtocol, "datagram_received", "connection_made"),
        (ice.CandidatePair, "remote_addr"),
        (pylibsrtp.Session(policy), "_srtp"),
        (BaseSelectorEventLoop, "_add_reader"),
    )
    if missing:
        raise MediaError(
            f"aiortc {aiortc.__version__} and what it stands on lack {', '.join(missing)}: "
            "install the versions that requirements.lock names"
        )


def _missing(*wanted: tuple[object, *tuple[str, ...]]) -> list[str]:
    return [f"{type(thing).__name__}.{name}" for thing, *names in wanted for name in names if not hasattr(thing, name)]


def srtp_functions() -> SrtpFunctions:
    """Return libsrtp's functions as pylibsrtp has them linked in, for the C core."""
    names = ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp")
    return SrtpFunctions(
        *(int(_binding.ffi.cast("uintptr_t", _binding.ffi.addressof(_binding.lib, name))) for name in names)
    )


@cache
def certificate() -> RTCCertificate:
    """Return this process's DTLS certificate, made at first use."""
    return RTCCertificate.generateCertificate()


class Transport:
    """ICE and DTLS of one peer, and its SRTP packets once both are up.

    Packets are decrypted and encrypted in place in two buffers of the process: what a callback or `tx` shows is
    valid until it returns. All sockets of the connection are read, whichever pair is nominated; each packet is
    sent by the pair that is nominated at that moment.
    """

    __slots__ = (
        "_addr",
        "_connection",
        "_given",
        "_indices",
        "_pair",
        "_readers",
        "_relay",
        "_rx",
        "_sessions",
        "_sock",
        "_tx",
        "dtls",
        "ice",
        "unsent",
    )

    def __init__(self, servers: list[RTCIceServer]) -> None:
        """Nothing is bound before the gatherer runs. Exactly `servers` are asked, none when it is empty.

        Raises:
            MediaError: aiortc or aioice are of another shape.
        """
        check_shape()
        self.ice = RTCIceTransport(RTCIceGatherer(iceServers=servers))
        self.dtls = RTCDtlsTransport(self.ice, [certificate()])
        self.unsent = 0
        """Packets that had no pair to go by or that the kernel refused."""
        self._connection = self.ice._connection
        self._readers: list[_Reader | _Listener] = []
        self._pair: ice.CandidatePair | None = None
        self._sock: socket.socket | None = None
        self._relay: ice.StunProtocol | None = None
        self._addr: Address = ("", 0)
        self._rx = self._tx = None
        self._sessions: tuple[object, object] | None = None
        self._given: dict[int, ice.StunProtocol] = {}
        self._indices: dict[ice.StunProtocol, int] = {}

    def set_roles(self, *, dtls_server: bool, ice_controlling: bool) -> None:
        """Fix both roles as offer and answer agreed. Source: RFC 8842 section 5.2, RFC 8445 section 6.1.1."""
        self.dtls._set_role("server" if dtls_server else "client")
        self._connection.ice_controlling = ice_controlling

    def take_media(self, on_rtp: Callable[[int], None], on_rtcp: Callable[[bytes], None]) -> None:
        """From now on hand every authentic packet over instead of leaving it to aiortc.

        Args:
            on_rtp: gets the length of the packet that stands in `RX`.
            on_rtcp: gets one compound packet.
        """
        self._rx = self.dtls._rx_srtp._srtp[0]
        self._tx = self.dtls._tx_srtp._srtp[0]
        for protocol in self._connection._protocols:
            reader = _Reader(protocol, self._rx, on_rtp, on_rtcp)
            reader.start()
            self._readers.append(reader)

    def srtp_addresses(self) -> tuple[int, int]:
        """Return where the SRTP sessions (in, out) are, for the C core; they live as long as this transport."""
        self._sessions = self.dtls._rx_srtp, self.dtls._tx_srtp
        cast = _binding.ffi.cast
        return int(cast("uintptr_t", self.dtls._rx_srtp._srtp[0])), int(cast("uintptr_t", self.dtls._tx_srtp._srtp[0]))

    def give_sockets(self, take: Callable[[int], int], datagram: Callable[[bytes], None]) -> None:
        """From now on somebody else reads the sockets.

        Args:
            take: gets a descriptor, which asyncio reads no more, and returns the index that it goes by.
            datagram: gets what comes by a relay, or on a loop whose sockets cannot be taken.
        """
        loop = asyncio.get_running_loop()
        for protocol in self._connection._protocols:
            sock = _plain_socket(protocol.transport)
            if sock is not None and isinstance(loop, BaseSelectorEventLoop):
                remove_direct_reader(sock.fileno())
                index = take(sock.fileno())
                self._given[index] = protocol
                self._indices[protocol] = index
            else:
                reader = _Listener(protocol, datagram)
                reader.start()
                self._readers.append(reader)

    def datagram(self, index: int, data: bytes, addr: Address) -> None:
        """Give aioice back what is for it: STUN or DTLS that came by the socket of this index."""
        protocol = self._given.get(index)
        if protocol is not None:
            protocol.datagram_received(data, addr)

    def new_route(self) -> tuple[int, str, int] | None:
        """Return socket index (-1: by `relay`), host and port of the nominated pair when it is another than before."""
        pair = self._connection._nominated.get(1)
        if pair is self._pair or pair is None:
            return None
        self._pair = pair
        return self._indices.get(pair.protocol, -1), pair.remote_addr[0], pair.remote_addr[1]

    def relay(self, packet: bytes) -> None:
        """Send a protected packet by the nominated pair's own transport."""
        pair = self._connection._nominated.get(1)
        try:
            if pair is not None:
                pair.protocol.transport.sendto(packet, pair.remote_addr)
        except OSError:
            self.unsent += 1

    def send_rtp(self, length: int) -> None:
        """Protect and send the RTP packet that stands in `TX`."""
        _length[0] = length
        if _protect(self._tx, _tx_memory, _length) != _OK:
            self.unsent += 1
            return
        if self._sock is not None and self._connection._nominated.get(1) is self._pair:
            try:
                self._sock.sendto(_tx_view[: _length[0]], self._addr)
            except OSError:
                self.unsent += 1
        else:
            self._send(_length[0])

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound packet."""
        TX[: len(packet)] = packet
        _length[0] = len(packet)
        if _protect_rtcp(self._tx, _tx_memory, _length) == _OK:
            self._send(_length[0])

    def release_media(self) -> None:
        """Call nobody any more; the sockets close with the ICE transport."""
        for reader in self._readers:
            reader.stop()
        self._readers.clear()
        self._given.clear()
        self._sessions = None

    @property
    def rejected(self) -> int:
        """Packets that failed authentication or were replayed."""
        return sum(reader.rejected for reader in self._readers)

    def _send(self, length: int) -> None:
        pair = self._connection._nominated.get(1)
        if pair is not self._pair:
            self._choose(pair)
        try:
            if self._sock is not None:
                self._sock.sendto(_tx_view[:length], self._addr)
            elif self._relay is not None:
                self._relay.transport.sendto(bytes(_tx_view[:length]), self._addr)
            else:
                self.unsent += 1
        except OSError:
            # A full buffer or a passing ICMP error: the packet is lost as on any network; ICE consent decides.
            self.unsent += 1

    def _choose(self, pair: ice.CandidatePair | None) -> None:
        self._pair, self._sock, self._relay = pair, None, None
        if pair is not None:
            self._addr = pair.remote_addr
            self._sock = _plain_socket(pair.protocol.transport)
            if self._sock is None:
                self._relay = pair.protocol


class _Listener:
    """Listens in on a relayed candidate's protocol: what is SRTP or SRTCP goes to somebody else."""

    __slots__ = ("_datagram", "_others", "_protocol", "rejected")

    def __init__(self, protocol: ice.StunProtocol, datagram: Callable[[bytes], None]) -> None:
        self.rejected = 0
        self._protocol = protocol
        self._others = protocol.datagram_received
        self._datagram = datagram

    def start(self) -> None:
        self._protocol.datagram_received = self._received  # type: ignore[method-assign]

    def stop(self) -> None:
        self._protocol.datagram_received = self._others  # type: ignore[method-assign]

    def _received(self, data: bytes | str, addr: Address) -> None:
        assert isinstance(data, bytes)
        if len(data) >= 12 and 128 <= data[0] <= 191:
            self._datagram(data)
        else:
            self._others(data, addr)


class _Reader:
    """Reads one candidate's socket, or listens in on a relayed candidate's protocol."""

    __slots__ = ("_on_rtcp", "_on_rtp", "_others", "_protocol", "_rx", "_sock", "rejected")

    def __init__(
        self,
        protocol: ice.StunProtocol,
        rx: object,
        on_rtp: Callable[[int], None],
        on_rtcp: Callable[[bytes], None],
    ) -> None:
        self.rejected = 0
        self._protocol = protocol
        self._others = protocol.datagram_received
        self._rx, self._on_rtp, self._on_rtcp = rx, on_rtp, on_rtcp
        self._sock = _plain_socket(protocol.transport)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._sock is not None and isinstance(loop, BaseSelectorEventLoop):
            add_direct_reader(self._sock.fileno(), self._readable)  # the transport's close() removes it
        else:
            self._protocol.datagram_received = self._received  # type: ignore[method-assign]

    def stop(self) -> None:
        self._on_rtp = self._on_rtcp = _ignore
        self._protocol.datagram_received = self._others  # type: ignore[method-assign]

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            length, addr = self._sock.recvfrom_into(RX)
        except OSError:
            return  # nothing there after all, or an ICMP error about an earlier packet
        first = RX[0]
        if length < 12 or first < 128 or first > 191:
            self._others(bytes(RX_VIEW[:length]), addr)
        elif 192 <= RX[1] <= 223:
            self._rtcp(length)
        else:
            _length[0] = length
            if _unprotect(self._rx, _rx_memory, _length) == _OK:
                self._on_rtp(_length[0])
            else:
                self.rejected += 1

    def _received(self, data: bytes | str, addr: tuple[str, int]) -> None:
        """The same for a datagram that another transport has read."""
        assert isinstance(data, bytes)
        length = len(data)
        if not 12 <= length <= len(RX) or not 128 <= data[0] <= 191:
            self._others(data, addr)
            return
        RX[:length] = data
        if 192 <= data[1] <= 223:
            self._rtcp(length)
            return
        _length[0] = length
        if _unprotect(self._rx, _rx_memory, _length) == _OK:
            self._on_rtp(_length[0])
        else:
            self.rejected += 1

    def _rtcp(self, length: int) -> None:
        _length[0] = length
        if _unprotect_rtcp(self._rx, _rx_memory, _length) == _OK:
            self._on_rtcp(bytes(RX_VIEW[: _length[0]]))
        else:
            self.rejected += 1


async def send_by_aiortc(sender: RTCRtpSender, packet: bytes) -> None:
    """Send a packet of our own making beside those of an aiortc sender, which has no telephone-event."""
    try:
        await sender.transport._send_rtp(packet)
    except ConnectionError as error:
        raise MediaError("the WebRTC connection is closed") from error


def _ignore(_: object) -> None:
    """Take the packets of a peer that is being closed."""


def _plain_socket(transport: object) -> socket.socket | None:
    """Return the UDP socket of an asyncio transport; None for TURN and for other loops' transports."""
    sock = getattr(transport, "_sock", None)
    return sock if isinstance(sock, socket.socket) and sock.type == socket.SOCK_DGRAM else None

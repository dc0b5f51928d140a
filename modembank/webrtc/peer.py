"""One far side over WebRTC: answers an offer, carries RTP itself. aiortc does ICE and DTLS.

Source: RFC 8834 (RTP in WebRTC), RFC 5764 (DTLS-SRTP), RFC 7675 (consent).
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from dataclasses import dataclass
from typing import Protocol

from aiortc import InvalidStateError, RTCDtlsParameters, RTCIceCandidate, RTCIceServer

from modembank.bus.vocabulary import MediaState
from modembank.errors import InvalidOfferError
from modembank.media import codecs, rtcp
from modembank.media.records import RATE_HZ, CodecName, MediaSettings
from modembank.webrtc import sdp
from modembank.webrtc.flow import Flow, Negotiated
from modembank.webrtc.internals import Transport

_log = logging.getLogger(__name__)


class PeerOwner(Protocol):
    """Who gets what a peer receives. Called on the event loop."""

    def make_flow(self, negotiated: Negotiated) -> Flow:
        """Return what will carry the packets of this peer.

        Raises:
            MediaError: the codec cannot be run.
        """
        ...

    def far_state(self, state: MediaState) -> None:
        """The transport's state; never twice in a row the same."""
        ...


@dataclass(slots=True)
class _Reports:
    """What RTCP tells and needs. Times are monotonic seconds; `lsr` as in RFC 3550 section 6.4.1."""

    due_s: float = 0.0
    lsr: int = 0
    lsr_arrived_s: float = 0.0
    rtt_s: float | None = None
    loss_fraction: float | None = None


class WebRtcPeer:
    """One answered offer; closed for good when it fails, is replaced, or the call ends."""

    def __init__(self, settings: MediaSettings, owner: PeerOwner, rate_hz: int = RATE_HZ) -> None:
        """`rate_hz` is that of the owner's frames. Raises MediaError when aiortc is of another shape."""
        self._settings = settings
        self._rate_hz = rate_hz
        self._owner = owner
        self._transport = Transport(
            [RTCIceServer(list(s.urls), s.username, s.credential) for s in settings.ice_servers]
        )
        self._cname = secrets.token_hex(8)
        self._state = MediaState.NEW
        self._up = False
        self._gone = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._trickle: set[asyncio.Task[None]] = set()
        self._codec: CodecName | None = None
        self._flow: Flow | None = None
        self._reports = _Reports()
        self._heard = 0
        self._heard_s = 0.0

    @property
    def codec(self) -> CodecName | None:
        """The negotiated codec, None before `answer()`."""
        return self._codec

    @property
    def flow(self) -> Flow | None:
        """What carries its packets, None before `answer()`."""
        return self._flow

    @property
    def rtt_s(self) -> float | None:
        """Round-trip time from RTCP, None before the first report."""
        return self._reports.rtt_s

    @property
    def loss_fraction(self) -> float | None:
        """What the far side last said it lost of ours, 0 to 1."""
        return self._reports.loss_fraction

    async def answer(self, offer_sdp: str) -> str:
        """Return the answer and begin to connect; the owner hears how it went.

        Raises:
            InvalidOfferError: nothing in the offer can be answered; the peer is to be closed.
        """
        offer = sdp.parse_offer(offer_sdp)
        chosen = offer.choose(codecs.usable(self._settings.codecs, self._rate_hz))
        self._codec = CodecName(_canonical(chosen.name))
        events = frozenset(event.number for event in sdp.events_for(offer, chosen))
        self._flow = flow = self._owner.make_flow(Negotiated(self._codec, chosen.number, events))
        transport = self._transport
        transport.set_roles(dtls_server=offer.peer_is_dtls_client, ice_controlling=offer.ice.iceLite)
        gatherer = transport.ice.iceGatherer
        await gatherer.gather()
        local = sdp.Local(
            gatherer.getLocalParameters(),
            tuple(gatherer.getLocalCandidates()),
            tuple(transport.dtls.getLocalParameters().fingerprints),
            flow.ssrc,
            self._cname,
            self._rate_hz,
        )
        self._task = asyncio.create_task(self._connect(offer))
        return sdp.build_answer(offer, chosen, local)

    async def add_candidate(self, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """Take one trickled candidate, or None for end-of-candidates.

        Raises:
            InvalidOfferError: no candidate attribute, or too many of them.
        """
        parsed = sdp.parse_candidate(candidate, sdp_mid, sdp_m_line_index) if candidate else None
        if self._closed or self._up:
            return
        if parsed and len(self._transport.ice.getRemoteCandidates()) >= sdp.MAX_CANDIDATES:
            raise InvalidOfferError(f"more than {sdp.MAX_CANDIDATES} candidates")
        # Resolving an mDNS name takes up to a second; nobody needs to wait for it.
        task = asyncio.create_task(self._add((parsed,)))
        self._trickle.add(task)
        task.add_done_callback(self._trickle.discard)

    def housekeep(self, now_s: float) -> None:
        """Watch for silence and send the reports that are due; to be called about ten times per second."""
        if not self._up:
            if self._gone and now_s - self._heard_s >= self._settings.lost_after_s:
                self._become(MediaState.LOST)
            return
        assert self._flow is not None
        self._flow.housekeep()
        reception = self._flow.reception
        heard = reception.received if reception else 0
        if heard != self._heard:
            self._heard, self._heard_s = heard, now_s
            self._become(MediaState.CONNECTED)
        else:
            quiet_s = now_s - self._heard_s
            if quiet_s >= self._settings.lost_after_s:
                self._become(MediaState.LOST)
            elif quiet_s >= self._settings.silent_after_s:
                self._become(MediaState.SILENT)
        if now_s >= self._reports.due_s:
            # Randomised against synchronised reports. Source: RFC 3550 section 6.3.1.
            self._reports.due_s = now_s + self._settings.rtcp_interval_s * (0.5 + random.random())
            self._flow.send_rtcp(rtcp.build(self._report(self._flow, now_s), self._cname))

    def hang_up(self) -> None:
        """Say goodbye and carry nothing more; the connection itself ends with `close`. Idempotent."""
        if self._up and self._flow is not None:
            self._flow.send_rtcp(rtcp.build_bye(self._flow.ssrc, self._cname))
        self._up = False
        if self._flow is not None:
            self._flow.end()

    async def close(self) -> None:
        """Hang up and free everything; idempotent."""
        if self._closed:
            return
        self._closed = True
        self.hang_up()
        tasks = [task for task in (self._task, *self._trickle) if task is not None]
        for task in tasks:
            task.cancel()
        # Also gives aiortc's monitor the turn that it needs before its connection may be closed.
        await asyncio.gather(*tasks, asyncio.sleep(0), return_exceptions=True)
        await self._transport.dtls.stop()
        await self._transport.ice.stop()
        self._transport.dtls.remove_all_listeners()

    async def _add(self, candidates: tuple[RTCIceCandidate | None, ...]) -> None:
        for candidate in candidates:
            try:
                await self._transport.ice.addRemoteCandidate(candidate)
            except ValueError as error:
                _log.info("remote candidate ignored: %s", error)

    async def _connect(self, offer: sdp.Offer) -> None:
        transport = self._transport
        candidates = (*offer.candidates, None) if offer.complete else offer.candidates
        adding = asyncio.create_task(self._add(candidates))
        self._trickle.add(adding)
        adding.add_done_callback(self._trickle.discard)
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await transport.ice.start(offer.ice)
                if transport.ice.state == "completed":
                    await transport.dtls.start(RTCDtlsParameters(list(offer.fingerprints)))
        except TimeoutError:
            _log.info("no media path within %g s", self._settings.connect_timeout_s)
        except (OSError, InvalidStateError) as error:
            _log.info("no media path: %s", error)
        if transport.dtls.state != "connected":
            self._become(MediaState.FAILED)
            return
        if self._closed or self._flow is None:
            return
        self._flow.begin(transport, self._rtcp_arrived)
        transport.dtls.on("statechange", self._transport_changed)
        transport.ice.on("statechange", self._transport_changed)
        self._heard_s = time.monotonic()
        self._up = True
        self._become(MediaState.CONNECTED)

    def _transport_changed(self) -> None:
        if self._up and (self._transport.dtls.state != "connected" or self._transport.ice.state != "completed"):
            # A page that reloads says goodbye too: it has as long to come back as one that merely fell silent.
            self._up = False
            self._gone = True
            self._become(MediaState.SILENT)

    def _become(self, state: MediaState) -> None:
        if state is not self._state and not self._closed:
            self._state = state
            self._owner.far_state(state)

    def _rtcp_arrived(self, data: bytes) -> None:
        now_s = time.monotonic()
        compound = rtcp.parse(data)
        for report in compound.reports:
            if report.sender is not None:
                self._reports.lsr = rtcp.middle_32(report.sender.ntp)
                self._reports.lsr_arrived_s = now_s
            for block in report.blocks:
                if self._flow is not None and block.ssrc == self._flow.ssrc:
                    self._heard_about_us(block)

    def _heard_about_us(self, block: rtcp.ReportBlock) -> None:
        self._reports.loss_fraction = block.fraction_lost / 256
        if block.lsr:
            # Both ends of the interval are on our own wall clock. Source: RFC 3550 section 6.4.1, figure 2.
            elapsed = (rtcp.middle_32(rtcp.ntp_time(time.time())) - block.lsr - block.dlsr) & 0xFFFFFFFF
            if elapsed < 0x80000000:
                self._reports.rtt_s = elapsed / 65536

    def _report(self, flow: Flow, now_s: float) -> rtcp.Report:
        heard, sent = flow.reception, flow.sent
        blocks: tuple[rtcp.ReportBlock, ...] = ()
        if heard is not None:
            delay = int((now_s - self._reports.lsr_arrived_s) * 65536) if self._reports.lsr else 0
            blocks = (
                rtcp.ReportBlock(
                    heard.ssrc,
                    heard.fraction_lost(),
                    heard.lost,
                    heard.extended_highest,
                    heard.jitter,
                    self._reports.lsr,
                    delay,
                ),
            )
        sender = rtcp.SenderInfo(
            rtcp.ntp_time(time.time()), sent.timestamp, sent.packets & 0xFFFFFFFF, sent.octets & 0xFFFFFFFF
        )
        return rtcp.Report(flow.ssrc, sender if sent.packets else None, blocks)


def _canonical(name: str) -> str:
    """Return the encoding name as `CodecName` spells it; names in SDP are case-insensitive (RFC 4855)."""
    return next(codec.value for codec in CodecName if codec.value.lower() == name.lower())

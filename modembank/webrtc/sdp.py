"""Browser offers in, our answer out: one audio section, everything else refused.

Source: RFC 3264, RFC 8829 (JSEP), RFC 8859; parsing by aiortc.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiortc import RTCDtlsFingerprint, RTCIceCandidate, RTCIceParameters
from aiortc import sdp as aiortc_sdp

from modembank.errors import InvalidOfferError
from modembank.media.records import RATE_HZ, CodecName

MAX_OFFER_BYTES = 65_536
"""The largest browser offers with audio alone are below 8 KiB."""

MAX_CANDIDATES = 64
"""Every remote candidate costs checks from each of our addresses."""

_TELEPHONE_EVENT = "telephone-event"
_CLOCK_HZ = {CodecName.PCMA: 8000, CodecName.PCMU: 8000, CodecName.OPUS: 48000, CodecName.G722: 8000}
_STATIC = {0: CodecName.PCMU, 8: CodecName.PCMA, 9: CodecName.G722}  # RFC 3551 table 4: need no rtpmap
_TOKEN = re.compile(r"[!-~]{0,64}")
_REVERSED = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_OPUS_FMTP = (
    "minptime=10;useinbandfec=1;usedtx=0;stereo=0;maxplaybackrate={rate_hz};sprop-maxcapturerate={rate_hz}"
    ";maxaveragebitrate=24000"
)
"""RFC 7587 section 6.1: the modem has no more than its rate, so the browser need not send more."""


@dataclass(frozen=True, slots=True)
class PayloadType:
    """One RTP payload type of the offer that we could use."""

    number: int
    name: str
    clock_hz: int


@dataclass(frozen=True, slots=True)
class OtherSection:
    """A media section that the answer refuses with port 0."""

    kind: str
    profile: str
    first_format: str
    mid: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What we need of an offer. `audio_index` is the audio section's place among all sections."""

    mid: str
    audio_index: int
    others: tuple[OtherSection, ...]
    codecs: tuple[PayloadType, ...]
    events: tuple[PayloadType, ...]
    direction: str
    bundled: bool
    peer_is_dtls_client: bool
    ice: RTCIceParameters
    fingerprints: tuple[RTCDtlsFingerprint, ...]
    candidates: tuple[RTCIceCandidate, ...]
    complete: bool

    def choose(self, preferred: tuple[CodecName, ...]) -> PayloadType:
        """Return the first codec of our preference that the offer has.

        Raises:
            InvalidOfferError: none.
        """
        for name in preferred:
            for codec in self.codecs:
                if codec.name.lower() == name.lower() and codec.clock_hz == _CLOCK_HZ[name]:
                    return codec
        raise InvalidOfferError(f"the offer has none of the codecs {', '.join(preferred)}")


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of the answer."""

    ice: RTCIceParameters
    candidates: tuple[RTCIceCandidate, ...]
    fingerprints: tuple[RTCDtlsFingerprint, ...]
    ssrc: int
    cname: str
    rate_hz: int = RATE_HZ


def parse_offer(text: str) -> Offer:
    """Return what we need of a browser's offer.

    Raises:
        InvalidOfferError: too large, not SDP, no audio, or an audio section without ICE, DTLS or rtcp-mux.
    """
    if len(text.encode(errors="replace")) > MAX_OFFER_BYTES:
        raise InvalidOfferError(f"the offer is larger than {MAX_OFFER_BYTES} bytes")
    try:
        session = aiortc_sdp.SessionDescription.parse(text)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, AssertionError, StopIteration) as error:
        raise InvalidOfferError("the offer is no SDP that can be understood") from error
    index = next((i for i, media in enumerate(session.media) if media.kind == "audio" and media.port), None)
    if index is None:
        raise InvalidOfferError("the offer has no audio section")
    return _offer(session, index)


def parse_candidate(line: str, mid: str | None, index: int | None) -> RTCIceCandidate:
    """Return one trickled candidate. Source: RFC 8839 section 5.1.

    Raises:
        InvalidOfferError: no candidate attribute.
    """
    value = line.strip().removeprefix("a=").removeprefix("candidate:")
    try:
        candidate = aiortc_sdp.candidate_from_sdp(value)
    except (ValueError, AssertionError) as error:
        raise InvalidOfferError("that is no ICE candidate") from error
    candidate.sdpMid, candidate.sdpMLineIndex = mid, index
    return candidate


def build_answer(offer: Offer, codec: PayloadType, local: Local) -> str:
    """Return the complete answer: one codec, its telephone-event, all candidates and end-of-candidates."""
    sections = [_refusal(other) for other in offer.others]
    sections.insert(offer.audio_index, _audio(offer, codec, local))
    session = ["v=0", f"o=- {local.ssrc} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if offer.bundled:
        session.append(f"a=group:BUNDLE {offer.mid}")
    session.append("a=msid-semantic: WMS *")
    return "".join(f"{line}\r\n" for part in (session, *sections) for line in part)


def events_for(offer: Offer, codec: PayloadType) -> tuple[PayloadType, ...]:
    """Return the telephone-event types to answer: of the codec's clock, and of 8 kHz. Source: RFC 4733 2.1."""
    return tuple(event for event in offer.events if event.clock_hz in (codec.clock_hz, 8000))


def _offer(session: aiortc_sdp.SessionDescription, index: int) -> Offer:
    audio = session.media[index]
    if not audio.rtcp_mux:
        raise InvalidOfferError("the offer does not multiplex RTCP (a=rtcp-mux)")
    if audio.ice is None or not audio.ice.usernameFragment or not audio.ice.password:
        raise InvalidOfferError("the offer has no ICE user fragment and password")
    if audio.dtls is None or not audio.dtls.fingerprints:
        raise InvalidOfferError("the offer has no DTLS fingerprint and setup attribute")
    for media in session.media:
        media.rtp.muxId = media.rtp.muxId or ""  # a bare `a=mid` is None
    mids = [media.rtp.muxId for media in session.media]
    if not all(_TOKEN.fullmatch(mid) for mid in mids):
        raise InvalidOfferError("the offer has a malformed mid")
    return Offer(
        mid=audio.rtp.muxId,
        audio_index=index,
        others=tuple(
            OtherSection(media.kind, media.profile, str(media.fmt[0]), media.rtp.muxId)
            for i, media in enumerate(session.media)
            if i != index
        ),
        codecs=_codecs(audio),
        events=_events(audio),
        direction=audio.direction or "sendrecv",
        bundled=any(group.semantic == "BUNDLE" and audio.rtp.muxId in group.items for group in session.group),
        peer_is_dtls_client=audio.dtls.role == "client",
        ice=audio.ice,
        fingerprints=tuple(audio.dtls.fingerprints),
        candidates=tuple(audio.ice_candidates[:MAX_CANDIDATES]),
        complete=audio.ice_candidates_complete,
    )


def _codecs(audio: aiortc_sdp.MediaDescription) -> tuple[PayloadType, ...]:
    offered = set(audio.fmt)
    mapped = {c.payloadType for c in audio.rtp.codecs}
    codecs = [
        PayloadType(c.payloadType, c.name, c.clockRate)
        for c in audio.rtp.codecs
        if c.payloadType is not None and c.payloadType in offered and c.name.lower() != _TELEPHONE_EVENT
    ]
    codecs += [
        PayloadType(number, name, 8000)
        for number, name in _STATIC.items()
        if number in offered and number not in mapped
    ]
    return tuple(codecs)


def _events(audio: aiortc_sdp.MediaDescription) -> tuple[PayloadType, ...]:
    offered = set(audio.fmt)
    return tuple(
        PayloadType(c.payloadType, _TELEPHONE_EVENT, c.clockRate)
        for c in audio.rtp.codecs
        if c.payloadType is not None and c.payloadType in offered and c.name.lower() == _TELEPHONE_EVENT
    )


def _refusal(other: OtherSection) -> list[str]:
    lines = [f"m={other.kind} 0 {other.profile} {other.first_format}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return [*lines, f"a=mid:{other.mid}"] if other.mid else lines


def _audio(offer: Offer, codec: PayloadType, local: Local) -> list[str]:
    events = events_for(offer, codec)
    numbers = " ".join(str(pt.number) for pt in (codec, *events))
    default = local.candidates[0] if local.candidates else None
    host, port = (default.ip, default.port) if default else ("0.0.0.0", 9)  # noqa: S104  (RFC 8840 4.1.1)
    lines = [
        f"m=audio {port} UDP/TLS/RTP/SAVPF {numbers}",
        f"c=IN {'IP6' if ':' in host else 'IP4'} {host}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        f"a={_REVERSED.get(offer.direction, 'sendrecv')}",
        *_formats(codec, events, local.rate_hz),
        "a=ptime:20",
        "a=maxptime:60",
        f"a=ice-ufrag:{local.ice.usernameFragment}",
        f"a=ice-pwd:{local.ice.password}",
        *(f"a=fingerprint:{f.algorithm} {f.value}" for f in local.fingerprints),
        f"a=setup:{'passive' if offer.peer_is_dtls_client else 'active'}",
        "a=msid:modembank modem",
        f"a=ssrc:{local.ssrc} cname:{local.cname}",
        *(f"a=candidate:{aiortc_sdp.candidate_to_sdp(c)}" for c in local.candidates),
        "a=end-of-candidates",
    ]
    if offer.mid:
        lines.insert(2, f"a=mid:{offer.mid}")
    return lines


def _formats(codec: PayloadType, events: tuple[PayloadType, ...], rate_hz: int) -> list[str]:
    if codec.name.lower() == CodecName.OPUS:
        lines = [f"a=rtpmap:{codec.number} opus/48000/2", f"a=fmtp:{codec.number} {_OPUS_FMTP.format(rate_hz=rate_hz)}"]
    else:
        lines = [f"a=rtpmap:{codec.number} {codec.name}/{codec.clock_hz}"]
    for event in events:
        lines.append(f"a=rtpmap:{event.number} {_TELEPHONE_EVENT}/{event.clock_hz}")
        lines.append(f"a=fmtp:{event.number} 0-15")
    return lines

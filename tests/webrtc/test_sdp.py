"""Offers as browsers write them, and everything else."""

from __future__ import annotations

import pytest
from aiortc import RTCDtlsFingerprint, RTCIceCandidate, RTCIceParameters
from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.errors import InvalidOfferError
from modembank.media.records import CodecName
from modembank.webrtc import sdp

PREFERRED = (CodecName.PCMA, CodecName.PCMU, CodecName.OPUS)
FINGERPRINT = ":".join(["AB"] * 32)


def offer(
    formats: str = "111 63 9 0 8 13 110 126",
    extra: tuple[str, ...] = (),
    *,
    direction: str = "sendrecv",
    setup: str = "actpass",
    drop: str | None = None,
) -> str:
    """An offer in the shape of Chromium's (RFC 8829 section 5.2)."""
    lines = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS stream",
        f"m=audio 50000 UDP/TLS/RTP/SAVPF {formats}",
        "c=IN IP4 192.0.2.7",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0 network-id 1",
        "a=candidate:2 1 udp 2122260222 3c2f.local 50001 typ host generation 0",
        "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0",
        "a=ice-ufrag:ab12",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        f"a=setup:{setup}",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        f"a={direction}",
        "a=msid:stream track",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:13 CN/8000",
        "a=rtpmap:110 telephone-event/48000",
        "a=rtpmap:126 telephone-event/8000",
        "a=ssrc:1001 cname:someone",
        *extra,
    ]
    return "".join(f"{line}\r\n" for line in lines if line != drop)


def answer(text: str, preferred: tuple[CodecName, ...] = PREFERRED, rate_hz: int = 8000) -> list[str]:
    parsed = sdp.parse_offer(text)
    local = sdp.Local(
        RTCIceParameters("uf12", "p" * 22),
        (RTCIceCandidate(1, "f", "192.0.2.1", 4000, 1, "udp", "host"),),
        (RTCDtlsFingerprint("sha-256", FINGERPRINT),),
        77,
        "cname",
        rate_hz,
    )
    return sdp.build_answer(parsed, parsed.choose(preferred), local).split("\r\n")


def test_the_answer_to_a_browser_prefers_a_law_and_brings_everything() -> None:
    lines = answer(offer())
    assert "m=audio 4000 UDP/TLS/RTP/SAVPF 8 126" in lines
    assert "a=rtpmap:8 PCMA/8000" in lines
    assert "a=rtpmap:126 telephone-event/8000" in lines
    assert "a=fmtp:126 0-15" in lines
    assert "a=group:BUNDLE 0" in lines
    for line in ("a=mid:0", "a=rtcp-mux", "a=setup:active", "a=sendrecv", "a=end-of-candidates", "a=ptime:20"):
        assert lines.count(line) == 1
    assert "a=candidate:f 1 udp 1 192.0.2.1 4000 typ host" in lines
    assert not any("extmap" in line or "rtcp-fb" in line for line in lines)


def test_opus_when_it_is_preferred_or_alone() -> None:
    for lines in (answer(offer(), (CodecName.OPUS, CodecName.PCMA)), answer(offer("111 63 110 126"))):
        assert "m=audio 4000 UDP/TLS/RTP/SAVPF 111 110 126" in lines
        assert "a=rtpmap:110 telephone-event/48000" in lines
        assert any("useinbandfec=1" in line and "maxplaybackrate=8000" in line for line in lines)


def test_wide_sound_is_answered_with_its_rate() -> None:
    """G.722 is type 9 with a clock of 8000, though it samples at 16 kHz (RFC 3551 section 4.5.2)."""
    text = offer("9 0 126").replace("a=rtpmap:9 G722/8000\r\n", "")
    for lines in (answer(offer("9 0 126"), (CodecName.G722,)), answer(text, (CodecName.G722,))):
        assert "m=audio 4000 UDP/TLS/RTP/SAVPF 9 126" in lines
        assert "a=rtpmap:9 G722/8000" in lines
    opus = answer(offer(), (CodecName.OPUS,), rate_hz=16_000)
    assert any("maxplaybackrate=16000;sprop-maxcapturerate=16000" in line for line in opus)


def test_the_offers_order_does_not_matter_but_ours_does() -> None:
    assert any(" SAVPF 0 126" in line.replace("UDP/TLS/RTP/", " ") for line in answer(offer("8 0 126"), PREFERRED[1:]))


def test_static_payload_types_need_no_rtpmap() -> None:
    bare = "".join(line + "\r\n" for line in offer("0 8").split("\r\n") if "rtpmap" not in line and "fmtp" not in line)
    assert "a=rtpmap:8 PCMA/8000" in answer(bare)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")],
)
def test_directions(theirs: str, ours: str) -> None:
    assert f"a={ours}" in answer(offer(direction=theirs))


def test_a_peer_that_insists_on_being_the_dtls_client() -> None:
    assert "a=setup:passive" in answer(offer(setup="active"))


def test_other_sections_are_refused_in_their_place() -> None:
    video = (
        offer().replace(
            "m=audio",
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\nm=audio",
        )
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
    )
    lines = answer(video)
    sections = [line for line in lines if line.startswith("m=")]
    assert sections == [
        "m=video 0 UDP/TLS/RTP/SAVPF 96",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 8 126",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    assert "a=group:BUNDLE 0" in lines


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no audio"),
        ("hello", "no audio"),
        ("v=0\r\nm=audio x", "no SDP"),
        (offer().replace("m=audio", "m=video"), "no audio"),
        (offer().replace("m=audio 50000", "m=audio 0"), "no audio"),
        (offer(drop="a=rtcp-mux"), "rtcp-mux"),
        (offer(drop="a=ice-ufrag:ab12"), "ICE"),
        (offer(drop=f"a=fingerprint:sha-256 {FINGERPRINT}"), "fingerprint"),
        (offer(drop="a=setup:actpass"), "setup"),
        (offer("9 13"), "none of the codecs"),
        (offer().replace("a=mid:0", "a=mid:" + "x" * 65), "mid"),
        (offer(extra=("a=x:" + "y" * 70_000,)), "larger"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidOfferError, match=why):
        answer(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mangled_offer_is_answered_or_refused_and_nothing_else(data: st.DataObject) -> None:
    lines = offer().split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        how = data.draw(st.sampled_from(["delete", "cut", "noise", "double", "value"]))
        if how == "delete":
            del lines[at]
        elif how == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        elif how == "double":
            lines.insert(at, lines[at])
        elif how == "value":
            lines[at] = lines[at].split(":")[0] + ":" + data.draw(st.text(max_size=20))
        else:
            lines[at] = data.draw(st.text(max_size=40))
        lines = lines or [""]
    try:
        result = answer("\r\n".join(lines))
    except InvalidOfferError:
        return
    assert sum(line.startswith("m=audio") and not line.startswith("m=audio 0") for line in result) == 1
    assert all("\n" not in line for line in result)


@given(st.text(max_size=80))
def test_a_mangled_candidate_is_taken_or_refused(text: str) -> None:
    try:
        sdp.parse_candidate(text, "0", 0)
    except InvalidOfferError:
        return


def test_a_candidate_as_a_browser_writes_it() -> None:
    line = "candidate:842163049 1 udp 1677729535 198.51.100.9 3456 typ srflx raddr 192.0.2.7 rport 50000 generation 0"
    candidate = sdp.parse_candidate(line, "0", 0)
    assert (candidate.ip, candidate.port, candidate.type) == ("198.51.100.9", 3456, "srflx")
    assert (candidate.relatedAddress, candidate.sdpMid) == ("192.0.2.7", "0")

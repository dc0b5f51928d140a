"""The WebRTC peers of the benchmark: cheap, without a jitter buffer of their own, the same for both bridges."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time

from aiortc import RTCDtlsParameters
from aiortc import sdp as aiortc_sdp
from bench_lines import FRAME_S, Answer, Ear, Mouth, serve

from modembank.media import rtp
from modembank.media.codecs import WIDTH, make_codec
from modembank.media.gctune import settle_gc
from modembank.media.records import FRAME_BYTES, CodecName
from modembank.webrtc.internals import RX, TX, Transport

_NUMBERS = {CodecName.PCMU: 0, CodecName.PCMA: 8, CodecName.OPUS: 96}
_RTPMAPS = {CodecName.PCMU: "PCMU/8000", CodecName.PCMA: "PCMA/8000", CodecName.OPUS: "opus/48000/2"}


class Peer:
    def __init__(self, number: int, codec: CodecName) -> None:
        self.mouth, self.ear = Mouth(phase=7 * number + 25), Ear()
        self._codec, self._name, self._number = make_codec(codec), codec, number
        self._transport = Transport([])
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(32)
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None

    async def offer(self) -> str:
        transport = self._transport
        transport.set_roles(dtls_server=True, ice_controlling=True)
        gatherer = transport.ice.iceGatherer
        await gatherer.gather()
        local = gatherer.getLocalParameters()
        number = _NUMBERS[self._name]
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 0.0.0.0",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0",
            f"m=audio 9 UDP/TLS/RTP/SAVPF {number}",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=rtpmap:{number} {_RTPMAPS[self._name]}",
            f"a=ssrc:{self._ssrc} cname:peer",
            *(f"a=candidate:{aiortc_sdp.candidate_to_sdp(c)}" for c in gatherer.getLocalCandidates()),
            "a=end-of-candidates",
            f"a=ice-ufrag:{local.usernameFragment}",
            f"a=ice-pwd:{local.password}",
            *(f"a=fingerprint:{f.algorithm} {f.value}" for f in transport.dtls.getLocalParameters().fingerprints),
            "a=setup:actpass",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    async def accept(self, answer: str) -> None:
        media = aiortc_sdp.SessionDescription.parse(answer).media[0]
        transport = self._transport
        assert media.ice is not None
        assert media.dtls is not None
        for candidate in media.ice_candidates:
            await transport.ice.addRemoteCandidate(candidate)
        await transport.ice.addRemoteCandidate(None)
        await transport.ice.start(media.ice)
        await transport.dtls.start(RTCDtlsParameters(media.dtls.fingerprints))
        if transport.dtls.state != "connected":
            raise RuntimeError(f"peer {self._number}: DTLS {transport.dtls.state}")
        transport.take_media(self._heard, lambda data: None)
        loop = asyncio.get_running_loop()
        self._due = loop.time() + 0.02 * (self._number * 0.754878 % 1)
        loop.call_at(self._due, self._say)

    def _say(self) -> None:
        codec = self._codec
        payload = codec.encode(self.mouth.next(time.monotonic()), WIDTH)
        rtp.HEADER.pack_into(TX, 0, rtp.VERSION_BYTE, _NUMBERS[self._name], self._sequence, self._timestamp, self._ssrc)
        TX[12 : 12 + len(payload)] = payload
        self._transport.send_rtp(12 + len(payload))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + codec.timestamp_step) & 0xFFFFFFFF
        self._due += FRAME_S
        asyncio.get_running_loop().call_at(self._due, self._say)

    def _heard(self, length: int) -> None:
        now = time.monotonic()
        packet = rtp.parse(bytes(RX[:length]))
        if packet is not None and packet.payload_type == _NUMBERS[self._name]:
            pcm = self._codec.decode(packet.payload, WIDTH)
            if len(pcm) == FRAME_BYTES:
                self.ear.frame(pcm, now)


async def main(codec: CodecName, count: int) -> None:
    peers = [Peer(number, codec) for number in range(count)]
    settle_gc()

    async def handle(request: Answer) -> Answer:
        if request["op"] == "offer":
            return {"offer": await peers[request["call"]].offer()}
        if request["op"] == "accept":
            await peers[request["call"]].accept(request["answer"])
            return {}
        start, end = request["start"], request["end"]
        return {
            "calls": [
                {"said": [t for t in peer.mouth.marks if start <= t < end - 1], **peer.ear.result(start, end)}
                for peer in peers
            ]
        }

    await serve(handle)


if __name__ == "__main__":
    asyncio.run(main(CodecName(sys.argv[1]), int(sys.argv[2])))

"""The received stream: positions from timestamps, other packet lengths, events, FEC, another source."""

from __future__ import annotations

from array import array

import pytest

from modembank.media.codecs import Codec, make_codec
from modembank.media.records import FRAME_BYTES, CodecName
from modembank.media.rtp import RtpPacket
from modembank.media.telephone_event import payloads
from modembank.webrtc.stream import FarFrames, ReceiveStream, SendStream

EVENT = 101


class Ear:
    """Keeps what a stream hands over."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.digits: list[str] = []
        self.sources: list[CodecName] = []
        self.open_places: set[int] = set()

    def stream(self, codec: Codec) -> ReceiveStream:
        frames = FarFrames(
            lambda position, pcm: self.frames.append((position, pcm)),
            lambda position: position in self.open_places,
            self.digits.append,
            lambda codec: self.sources.append(codec.name),
        )
        return ReceiveStream(codec, 8, frozenset({EVENT}), frames)

    @property
    def positions(self) -> list[int]:
        return [position for position, _ in self.frames]


def samples(count: int, start: int = 0) -> bytes:
    """A-law of samples that say where they are."""
    codec = make_codec(CodecName.PCMA)
    return codec.encode(array("h", ((start + i) * 6 for i in range(count))).tobytes(), 2)


def feed(
    stream: ReceiveStream,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    now_s: float,
) -> None:
    stream.packet(RtpPacket(payload_type, False, sequence, timestamp & 0xFFFFFFFF, ssrc, payload), now_s)


@pytest.mark.parametrize("per_packet", [80, 240, 320, 400, 480])
def test_packets_of_any_length_become_frames_in_their_places(per_packet: int) -> None:
    ear = Ear()
    stream = ear.stream(make_codec(CodecName.PCMA))
    total = 160 * 30
    for number, start in enumerate(range(0, total, per_packet)):
        timestamp = 0xFFFFFF00 + start & 0xFFFFFFFF
        feed(stream, 8, number, timestamp, 1, samples(per_packet, start), number * 0.02)
    assert ear.positions == list(range(30))
    assert all(len(pcm) == FRAME_BYTES for _, pcm in ear.frames)
    decoded = make_codec(CodecName.PCMA).decode(samples(total), 2)
    assert b"".join(pcm for _, pcm in ear.frames) == decoded


def test_a_key_press_leaves_the_voice_in_its_place() -> None:
    ear = Ear()
    stream = ear.stream(make_codec(CodecName.PCMA))
    sequence = 0
    for number in range(10):
        feed(stream, 8, sequence, number * 160, 1, samples(160), sequence * 0.02)
        sequence += 1
    for payload in payloads("7", 10, 160):
        feed(stream, EVENT, sequence, 1600, 1, payload, sequence * 0.02)
        sequence += 1
    feed(stream, 8, sequence, 22 * 160 + 40, 1, samples(160), sequence * 0.02)
    assert ear.digits == ["7"]
    assert ear.positions == [*range(10), 22]
    assert stream.counter is not None
    assert stream.counter.lost == 0


def test_events_in_a_stream_of_their_own_do_not_end_the_voice() -> None:
    ear = Ear()
    stream = ear.stream(make_codec(CodecName.PCMA))
    feed(stream, 8, 1, 0, 1, samples(160), 0.0)
    for number, payload in enumerate(payloads("#", 3, 160)):
        feed(stream, EVENT, 900 + number, 5000, 2, payload, 0.01)
    feed(stream, 8, 2, 160, 1, samples(160), 0.02)
    assert ear.digits == ["#"]
    assert ear.positions == [0, 1]
    assert ear.sources == [CodecName.PCMA]


def test_another_source_begins_anew() -> None:
    ear = Ear()
    stream = ear.stream(make_codec(CodecName.PCMA))
    feed(stream, 8, 1, 16_000, 1, samples(160), 0.0)
    feed(stream, 8, 60_000, 99_000, 2, samples(160), 0.02)
    assert ear.positions == [0, 0]
    assert len(ear.sources) == 2


def test_unknown_payload_types_are_counted_and_left_alone() -> None:
    ear = Ear()
    stream = ear.stream(make_codec(CodecName.PCMA))
    feed(stream, 13, 1, 0, 1, b"x", 0.0)
    assert (stream.unknown, ear.frames) == (1, [])


@pytest.mark.parametrize("open_places", [{1}, set()])
def test_a_lost_opus_packet_is_recovered_while_its_place_is_open(open_places: set[int]) -> None:
    ear = Ear()
    ear.open_places = open_places
    stream = ear.stream(make_codec(CodecName.OPUS))
    encoder = make_codec(CodecName.OPUS)
    pcm = array("h", (i % 50 * 200 for i in range(160))).tobytes()
    packets = [encoder.encode(pcm, 2) for _ in range(3)]
    feed(stream, 8, 1, 0, 1, packets[0], 0.0)
    feed(stream, 8, 3, 1920, 1, packets[2], 0.04)
    assert ear.positions == ([0, 1, 2] if open_places else [0, 2])


def test_every_peer_gets_a_sequence_that_does_not_wrap_soon() -> None:
    stream = SendStream()
    timestamp, ssrc = stream.timestamp, stream.ssrc
    for _ in range(50):
        stream.new_peer()
        assert stream.sequence < 0x8000
        assert stream.marker
    assert (stream.timestamp, stream.ssrc) == (timestamp, ssrc)

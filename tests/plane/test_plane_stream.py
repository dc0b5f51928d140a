"""Received packets in the C core and in Python: any packets, the same frames, events and counters."""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.media import codecs
from modembank.media.records import FRAME_BYTES, FRAME_SAMPLES, CodecName
from modembank.media.rtp import parse
from modembank.media.telephone_event import payloads
from modembank.plane import binding
from modembank.plane.binding import StreamFacts, StreamUser, load
from modembank.webrtc.stream import FarFrames, ReceiveStream

NUMBER, EVENT = 0, 101
KINDS = {CodecName.PCMA: 0, CodecName.PCMU: 1}


@dataclass
class Heard:
    """What came out, in order."""

    log: list[tuple[object, ...]] = field(default_factory=list)

    def frame(self, position: int, pcm: bytes) -> None:
        self.log.append(("frame", position, pcm))

    def source(self, _codec: object = None) -> None:
        self.log.append(("source",))


class CoreStream:
    """A received stream of the core that writes into a `Heard`."""

    def __init__(self, name: CodecName, heard: Heard) -> None:
        self._core = load()
        self.state = ctypes.c_void_p(self._core.plane_stream_new())
        self._codec = binding.Codec(
            kind=KINDS[name], number=NUMBER, samples=FRAME_SAMPLES, step=FRAME_SAMPLES, clock_hz=8000
        )
        self._events = bytes(number == EVENT for number in range(128))
        self.presses: list[tuple[int, bytes]] = []
        self._user = StreamUser(
            None,
            StreamUser.FRAME(lambda _, position, pcm: heard.frame(position, ctypes.string_at(pcm, FRAME_BYTES))),
            StreamUser.MISSING(lambda _, position: 0),
            StreamUser.EVENT(lambda _, at, data, size: self.presses.append((at, ctypes.string_at(data, size)))),
            StreamUser.NEW_SOURCE(lambda _: heard.source()),
        )

    def __del__(self) -> None:
        self._core.plane_stream_free(self.state)

    def take(self, packet: bytes, now_s: float) -> None:
        where = (ctypes.byref(self._codec), self._events, ctypes.byref(self._user))
        self._core.plane_stream_take(self.state, *where, packet, len(packet), now_s)

    @property
    def facts(self) -> StreamFacts:
        return StreamFacts.from_address(self.state.value or 0)


def rtp(kind: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, first: int = 0x80) -> bytes:
    return struct.pack("!BBHII", first, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


SENT = st.tuples(
    st.sampled_from([NUMBER, NUMBER, NUMBER, NUMBER | 0x80, EVENT, 13]),
    st.sampled_from([1, 1, 1, 1, 1, 2, 0, -1, 5, 200, -200, 4000]),  # how the sequence number goes on
    st.sampled_from([160, 160, 160, 160, 80, 0, 320, -160, 1 << 31, 7]),  # and the timestamp
    st.sampled_from([1, 1, 1, 1, 1, 2]),
    st.sampled_from([160, 160, 160, 160, 80, 240, 0, 1, 1000, 1400]),
    st.sampled_from([0x80, 0x80, 0x80, 0x80, 0x90, 0xA0, 0x81, 0xBF, 0x40]),
)


@pytest.mark.parametrize("name", [CodecName.PCMA, CodecName.PCMU])
@settings(max_examples=200, deadline=None)
@given(
    sent=st.lists(SENT, min_size=1, max_size=60),
    sequence=st.sampled_from([0, 5, 65500]),
    timestamp=st.sampled_from([0, 77, (1 << 32) - 500]),
    noise=st.binary(min_size=1, max_size=64),
)
def test_any_packets_give_the_same(
    name: CodecName, sent: list[tuple[int, ...]], sequence: int, timestamp: int, noise: bytes
) -> None:
    python_heard, core_heard = Heard(), Heard()
    digits: list[str] = []
    frames = FarFrames(python_heard.frame, lambda position: False, digits.append, python_heard.source)
    python = ReceiveStream(codecs.make_codec(name), NUMBER, frozenset({EVENT}), frames)
    core = CoreStream(name, core_heard)
    events = 0
    for index, (kind, step, moved, ssrc, size, first) in enumerate(sent):
        sequence += step
        timestamp += moved
        body = (noise * (size // len(noise) + 1))[:size]
        if kind == EVENT:
            body = next(payloads("5", 2, 160))
            events += 1
        packet = rtp(kind, sequence, timestamp, ssrc, body, first)
        now_s = 100.0 + 0.02 * index
        parsed = parse(packet)
        if parsed is not None:
            python.packet(parsed, now_s)
        core.take(packet, now_s)
    assert core_heard.log == python_heard.log
    counter, facts = python.counter, core.facts
    assert (counter is None) == (facts.ssrc == -1)
    if counter is not None:
        assert (facts.received, facts.ssrc) == (counter.received, counter.ssrc)
        assert (facts.cycles + facts.highest) & 0xFFFFFFFF == counter.extended_highest
        assert facts.cycles + facts.highest - facts.base + 1 - facts.received == counter.lost
        assert facts.jitter == pytest.approx(counter.jitter_ms * 8)
    assert (facts.octets, facts.unknown) == (python.octets, python.unknown)
    assert len(core.presses) <= events
    assert bool(core.presses) >= bool(digits)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.binary(max_size=2048), max_size=20))
def test_no_bytes_whatsoever_upset_it(packets: list[bytes]) -> None:
    core = CoreStream(CodecName.PCMU, Heard())
    for index, packet in enumerate(packets):
        core.take(packet, float(index))
    assert core.facts.received >= 0

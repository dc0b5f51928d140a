"""RTP, RTCP and telephone-event: what we write is read back, and whatever comes is survived."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from modembank.media import rtcp, rtp, telephone_event
from modembank.media.telephone_event import DIGITS, EventReceiver

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@given(st.integers(0, 127), st.booleans(), U16, U32, U32, st.binary(max_size=300))
def test_a_plain_header_is_read_back(
    number: int, marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes
) -> None:
    data = rtp.HEADER.pack(0x80, number | marker << 7, sequence, timestamp, ssrc) + payload
    assert rtp.parse(data) == rtp.RtpPacket(number, marker, sequence, timestamp, ssrc, payload)


@given(
    st.integers(0, 15),
    st.one_of(st.none(), st.integers(0, 8)),
    st.integers(0, 255),
    st.binary(min_size=1, max_size=200),
)
def test_csrc_extension_and_padding_are_taken_off(
    sources: int, extension_words: int | None, padding: int, payload: bytes
) -> None:
    first = 0x80 | sources | (0x10 if extension_words is not None else 0) | (0x20 if padding else 0)
    data = rtp.HEADER.pack(first, 8, 1, 2, 3) + bytes(4 * sources)
    if extension_words is not None:
        data += struct.pack("!HH", 0xBEDE, extension_words) + bytes(4 * extension_words)
    data += payload
    if padding:
        data += bytes(padding - 1) + bytes([padding])
    packet = rtp.parse(data)
    assert packet is not None
    assert packet.payload == payload


@given(st.binary(max_size=100))
def test_noise_is_no_reason_to_fall_over(data: bytes) -> None:
    packet = rtp.parse(data)
    assert packet is None or len(packet.payload) <= len(data) - 12
    rtcp.parse(data)
    rtcp.parse(b"\x81\xc8" + data)


def count(sequence: list[int], clock_hz: int = 8000) -> rtp.ReceiveCounter:
    counter = rtp.ReceiveCounter(1, clock_hz)
    for number in sequence:
        counter.arrived(number & 0xFFFF, number * 160, number * 0.02)
    return counter


def test_loss_across_the_wrap_of_the_sequence() -> None:
    numbers = [n for n in range(65500, 65600) if n not in (65510, 65536, 65580)]
    counter = count(numbers)
    assert counter.lost == 3
    assert counter.received == 97
    assert counter.extended_highest == 0x10000 + (65599 & 0xFFFF)
    assert counter.fraction_lost() == 3 * 256 // 100
    assert counter.fraction_lost() == 0, "counted since the last call only"
    assert counter.jitter == 0


def test_reordered_packets_are_not_lost() -> None:
    assert count([1, 2, 4, 3, 5]).lost == 0


def test_a_sender_that_restarts_begins_anew() -> None:
    counter = count([1, 2, 3, 30_000, 30_001])
    assert counter.lost == 0
    assert counter.received == 2


def test_how_far_a_packet_is_ahead() -> None:
    counter = rtp.ReceiveCounter(1, 8000)
    assert [counter.arrived(n, 0, 0.0) for n in (10, 11, 13, 12, 13, 14)] == [1, 1, 2, -1, 0, 1]


def test_jitter_follows_the_recommended_estimate() -> None:
    counter = rtp.ReceiveCounter(1, 8000)
    expected, previous = 0.0, None
    for n in range(200):
        transit = (n % 2) * 0.005
        counter.arrived(n, n * 160, n * 0.02 + transit)
        if previous is not None:
            expected += (abs(transit - previous) * 8000 - expected) / 16
        previous = transit
    assert abs(counter.jitter - expected) <= 1
    assert counter.jitter_ms > 4


BLOCKS = st.builds(rtcp.ReportBlock, U32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), U32, U32, U32, U32)
SENDERS = st.one_of(st.none(), st.builds(rtcp.SenderInfo, st.integers(0, (1 << 64) - 1), U32, U32, U32))


@given(U32, SENDERS, st.lists(BLOCKS, max_size=31), st.text(max_size=40))
def test_reports_are_read_back(
    ssrc: int, sender: rtcp.SenderInfo | None, blocks: list[rtcp.ReportBlock], cname: str
) -> None:
    report = rtcp.Report(ssrc, sender, tuple(blocks))
    data = rtcp.build(report, cname)
    assert len(data) % 4 == 0
    assert rtcp.parse(data) == rtcp.Compound((report,))
    for cut in range(1, len(data), 7):
        rtcp.parse(data[:cut])


def test_goodbye() -> None:
    assert rtcp.parse(rtcp.build_bye(77, "x")).goodbyes == (77,)


def test_our_reports_are_understood_by_another_implementation() -> None:
    from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket

    block = rtcp.ReportBlock(5, 12, -3, 70_000, 9, 1, 2)
    report = rtcp.Report(4, rtcp.SenderInfo(rtcp.ntp_time(1e9), 3, 2, 1), (block,))
    sender, description = RtcpPacket.parse(rtcp.build(report, "name"))
    assert isinstance(sender, RtcpSrPacket)
    assert (sender.ssrc, sender.sender_info.rtp_timestamp) == (4, 3)
    assert (sender.reports[0].packets_lost, sender.reports[0].highest_sequence) == (-3, 70_000)
    assert isinstance(description, RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"name")]


def press(digit: str, timestamp: int, packets: int = 5) -> list[tuple[int, bytes]]:
    return [(timestamp, payload) for payload in telephone_event.payloads(digit, packets, 160)]


@given(
    st.lists(st.sampled_from(DIGITS), max_size=8),
    st.randoms(use_true_random=False),
    st.floats(0, 0.6),
)
def test_each_key_press_is_reported_once(digits: list[str], chance, loss: float) -> None:  # type: ignore[no-untyped-def]
    receiver = EventReceiver()
    heard = []
    for number, digit in enumerate(digits):
        packets = press(digit, 0xFFFFF000 + number * 4000 & 0xFFFFFFFF)
        kept = [p for p in packets if chance.random() >= loss] or packets[:1]
        heard += [digit for p in kept if (digit := receiver.packet(*p)) is not None]
    assert heard == digits


def test_a_packet_of_the_last_event_that_comes_late_is_no_new_one() -> None:
    receiver = EventReceiver()
    one, two = press("1", 1000), press("2", 5000)
    heard = [receiver.packet(*packet) for packet in [*one[:3], *two[:2], one[3], *two[2:]]]
    assert [digit for digit in heard if digit] == ["1", "2"]


def test_a_very_long_tone_in_segments_is_one_key_press() -> None:
    receiver = EventReceiver()
    first = struct.pack("!BBH", 5, 10, 0xFFFF)
    second = struct.pack("!BBH", 5, 0x8A, 800)
    assert receiver.packet(100, first) == "5"
    assert receiver.packet(100 + 0xFFFF, second) is None
    assert receiver.packet(400_000, second) == "5"


def test_short_and_unknown_events_are_ignored() -> None:
    receiver = EventReceiver()
    assert receiver.packet(1, b"\x01\x02") is None
    assert receiver.packet(2, struct.pack("!BBH", 16, 0, 160)) is None

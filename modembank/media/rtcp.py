"""RTCP sender and receiver reports with SDES. Source: RFC 3550 sections 6.4 and 6.5."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE = 200, 201, 202, 203

_NTP_EPOCH_OFFSET_S = 2_208_988_800  # 1900-01-01 to 1970-01-01
_BLOCK = struct.Struct("!IB3sIIII")
_SENDER_INFO = struct.Struct("!IIIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says about one source; `lsr` and `dlsr` in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    extended_highest: int
    jitter: int
    lsr: int
    dlsr: int


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender says about its own stream."""

    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Report:
    """One SR (with `sender`) or RR."""

    ssrc: int
    sender: SenderInfo | None = None
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Compound:
    """What we use of one compound packet."""

    reports: tuple[Report, ...] = ()
    goodbyes: tuple[int, ...] = field(default=())


def ntp_time(wall_s: float) -> int:
    """Return a 64-bit NTP timestamp for seconds since 1970."""
    return int((wall_s + _NTP_EPOCH_OFFSET_S) * 4294967296.0)


def middle_32(ntp: int) -> int:
    """Return the middle 32 bits of an NTP timestamp, the form of LSR."""
    return (ntp >> 16) & 0xFFFFFFFF


def build(report: Report, cname: str) -> bytes:
    """Return a compound packet: the report and an SDES with the CNAME."""
    body = struct.pack("!I", report.ssrc)
    kind = RECEIVER_REPORT
    if report.sender is not None:
        kind = SENDER_REPORT
        info = report.sender
        body += _SENDER_INFO.pack(info.ntp >> 32, info.ntp & 0xFFFFFFFF, info.rtp_timestamp, info.packets, info.octets)
    for block in report.blocks:
        lost = max(-0x800000, min(0x7FFFFF, block.cumulative_lost)) & 0xFFFFFF
        body += _BLOCK.pack(
            block.ssrc,
            block.fraction_lost,
            lost.to_bytes(3, "big"),
            block.extended_highest,
            block.jitter,
            block.lsr,
            block.dlsr,
        )
    return _packet(kind, len(report.blocks), body) + _sdes(report.ssrc, cname)


def build_bye(ssrc: int, cname: str) -> bytes:
    """Return a compound packet that says goodbye: an empty RR, SDES and BYE."""
    return build(Report(ssrc), cname) + _packet(BYE, 1, struct.pack("!I", ssrc))


def parse(data: bytes) -> Compound:
    """Return the reports and goodbyes of a compound packet; what is damaged or unknown is left out."""
    reports: list[Report] = []
    goodbyes: list[int] = []
    at = 0
    while at + 4 <= len(data) and data[at] >> 6 == 2:
        count, kind = data[at] & 0x1F, data[at + 1]
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            break
        body = data[at + 4 : end]
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            report = _report(kind, count, body)
            if report is not None:
                reports.append(report)
        elif kind == BYE:
            goodbyes += [int.from_bytes(body[i : i + 4], "big") for i in range(0, min(4 * count, len(body)), 4)]
        at = end
    return Compound(tuple(reports), tuple(goodbyes))


def _report(kind: int, count: int, body: bytes) -> Report | None:
    start = 4 + (_SENDER_INFO.size if kind == SENDER_REPORT else 0)
    if len(body) < start + count * _BLOCK.size:
        return None
    sender = None
    if kind == SENDER_REPORT:
        high, low, timestamp, packets, octets = _SENDER_INFO.unpack_from(body, 4)
        sender = SenderInfo(high << 32 | low, timestamp, packets, octets)
    blocks = []
    for index in range(count):
        ssrc, fraction, lost, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(body, start + index * _BLOCK.size)
        blocks.append(ReportBlock(ssrc, fraction, int.from_bytes(lost, "big", signed=True), highest, jitter, lsr, dlsr))
    return Report(int.from_bytes(body[:4], "big"), sender, tuple(blocks))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _sdes(ssrc: int, cname: str) -> bytes:
    name = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name
    chunk += bytes(4 - len(chunk) % 4)  # at least one zero octet ends the list
    return _packet(SOURCE_DESCRIPTION, 1, chunk)

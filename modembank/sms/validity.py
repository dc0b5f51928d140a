"""TP-Validity-Period: how long the network tries to deliver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from modembank.errors import SmsFormatError
from modembank.sms.octets import Octets
from modembank.sms.scts import TimeStamp, stamp

_SINGLE_SHOT = 0x40
_EXTENSION = 0x80
_MINUTES_5, _MINUTES_30 = timedelta(minutes=5), timedelta(minutes=30)
_HALF_DAY, _DAY, _WEEK = timedelta(hours=12), timedelta(days=1), timedelta(weeks=1)


class Format(IntEnum):
    """TP-VPF. Source: 3GPP TS 23.040 section 9.2.3.3."""

    NONE = 0
    ENHANCED = 1
    RELATIVE = 2
    ABSOLUTE = 3


@dataclass(frozen=True, slots=True)
class Validity:
    """`period` from the submission on, or `until` a time; neither of them leaves it to the network."""

    format: Format = Format.NONE
    period: timedelta | None = None
    until: TimeStamp | None = None
    single_shot: bool = False  # the network tries once; enhanced format only


NO_VALIDITY = Validity()


def relative(period: timedelta) -> Validity:
    """The smallest relative validity that covers `period`. Raises SmsFormatError: not above 0 up to 63 weeks."""
    return Validity(Format.RELATIVE, read_relative(relative_octet(period)))


def absolute(until: datetime) -> Validity:
    """Validity until a time. Raises SmsFormatError: no time zone."""
    return Validity(Format.ABSOLUTE, until=stamp(until))


def read_relative(octet: int) -> timedelta:
    """5 minutes to 63 weeks. Source: 3GPP TS 23.040 section 9.2.3.12.1."""
    if octet <= 143:
        return (octet + 1) * _MINUTES_5
    if octet <= 167:
        return _HALF_DAY + (octet - 143) * _MINUTES_30
    if octet <= 196:
        return (octet - 166) * _DAY
    return (octet - 192) * _WEEK


def relative_octet(period: timedelta) -> int:
    """The smallest value that covers `period`. Raises SmsFormatError. Source: TS 23.040 section 9.2.3.12.1."""
    for octet in range(256):
        if timedelta(0) < period <= read_relative(octet):
            return octet
    raise SmsFormatError("a validity period is longer than nothing and at most 63 weeks")


def read_validity(kind: Format, octets: Octets) -> Validity:
    """The field of this format. Raises SmsFormatError."""
    if kind is Format.NONE:
        return NO_VALIDITY
    if kind is Format.RELATIVE:
        return Validity(kind, read_relative(octets.byte("the validity period")))
    field = octets.take(7, "the validity period")
    return Validity(kind, until=TimeStamp(field)) if kind is Format.ABSOLUTE else _read_enhanced(field)


def write_validity(validity: Validity) -> bytes:
    """The field's octets. Raises SmsFormatError: the record contradicts itself or a period is out of range."""
    if validity.format is Format.NONE:
        return b""
    if validity.format is Format.ABSOLUTE and validity.until is not None and len(validity.until.octets) == 7:
        return validity.until.octets
    if validity.format is Format.RELATIVE and validity.period is not None:
        return bytes((relative_octet(validity.period),))
    if validity.format is Format.ENHANCED:
        return _write_enhanced(validity)
    raise SmsFormatError("this validity format lacks its period or time")


def _read_enhanced(field: bytes) -> Validity:
    """Source: 3GPP TS 23.040 section 9.2.3.12.3."""
    first = field[0]
    if first & _EXTENSION:
        raise SmsFormatError("an extended functionality indicator is reserved")
    period: timedelta | None = None
    kind = first & 0x07
    if kind == 1:
        period = read_relative(field[1])
    elif kind == 2:
        period = timedelta(seconds=field[1])
    elif kind == 3:
        hours, minutes, seconds = (10 * (octet & 0x0F) + (octet >> 4) for octet in field[1:4])
        period = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    elif kind > 3:
        raise SmsFormatError("a reserved format of the enhanced validity period")
    return Validity(Format.ENHANCED, period, single_shot=bool(first & _SINGLE_SHOT))


def _write_enhanced(validity: Validity) -> bytes:
    """The most exact of the formats that holds the period; below a second it rounds up."""
    shot = _SINGLE_SHOT if validity.single_shot else 0
    if validity.period is None:
        return bytes((shot, 0, 0, 0, 0, 0, 0))
    seconds = -(-validity.period // timedelta(seconds=1))
    if 1 <= seconds <= 255:
        return bytes((shot | 2, seconds, 0, 0, 0, 0, 0))
    if 255 < seconds < 100 * 3600:
        parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
        return bytes((shot | 3, *(part % 10 << 4 | part // 10 for part in parts), 0, 0, 0))
    return bytes((shot | 1, relative_octet(validity.period), 0, 0, 0, 0, 0))

"""Time stamps of seven octets: service centre time, discharge time, absolute validity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from modembank.errors import SmsFormatError
from modembank.sms.octets import swap_nibbles

_PIVOT = 70  # a two-digit year from here on is 19xx: GSM is younger than 1970
_QUARTER = timedelta(minutes=15)
_SIGN = 0x08


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """Seven octets as the network sent them; `at` is their meaning. Source: 3GPP TS 23.040 section 9.2.3.11.

    The octets stay as they are, because networks send zeros, and they tell a repeated SMS from a new one.
    """

    octets: bytes

    @property
    def at(self) -> datetime | None:
        """The time with the service centre's own offset; None where the octets are no date."""
        digits = [(octet & 0x0F, octet >> 4) for octet in self.octets]
        if len(digits) != 7 or any(tens > 9 or units > 9 for tens, units in digits[:6]) or digits[6][1] > 9:
            return None
        year, month, day, hour, minute, second = (10 * tens + units for tens, units in digits[:6])
        tens, units = digits[6]
        offset = (10 * (tens & ~_SIGN) + units) * _QUARTER
        zone = timezone(-offset if tens & _SIGN else offset)
        try:
            return datetime(year + (1900 if year >= _PIVOT else 2000), month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            return None


def stamp(at: datetime) -> TimeStamp:
    """The octets of a time. Raises SmsFormatError: no time zone, or a year outside 1970-2069."""
    offset = at.utcoffset()
    if offset is None or not 1970 <= at.year <= 2069:
        raise SmsFormatError("an SMS time has a time zone and a year from 1970 to 2069")
    quarters = round(offset / _QUARTER)
    zone = _bcd(abs(quarters)) | (_SIGN if quarters < 0 else 0)
    fields = (at.year % 100, at.month, at.day, at.hour, at.minute, at.second)
    return TimeStamp(bytes((*map(_bcd, fields), zone)))


def _bcd(number: int) -> int:
    return swap_nibbles(number // 10 << 4 | number % 10)

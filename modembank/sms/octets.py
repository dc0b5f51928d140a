"""Octets in hexadecimal and a reader over them."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.errors import SmsFormatError


@dataclass(frozen=True, slots=True)
class Pdu:
    """What goes to the modem: SCA and TPDU in hexadecimal, and the TPDU's length in octets for `AT+CMGS=<length>`."""

    hex: str
    length: int


@dataclass(slots=True)
class Octets:
    """Takes octets from the front; asking for more than there are raises SmsFormatError."""

    data: bytes
    place: int = 0

    def take(self, count: int, what: str) -> bytes:
        """The next `count` octets. Raises SmsFormatError."""
        if self.place + count > len(self.data):
            missing = self.place + count - len(self.data)
            raise SmsFormatError(f"the PDU ends {missing} octets too early, in {what}")
        self.place += count
        return self.data[self.place - count : self.place]

    def byte(self, what: str) -> int:
        """The next octet. Raises SmsFormatError."""
        return self.take(1, what)[0]


def read_hex(text: str) -> bytes:
    """The octets of a hexadecimal string; white space around it is dropped. Raises SmsFormatError."""
    text = text.strip()
    if not text.isascii() or not text.isalnum():
        raise SmsFormatError("a PDU is one string of hexadecimal digits")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise SmsFormatError("a PDU is an even number of hexadecimal digits") from None


def swap_nibbles(octet: int) -> int:
    """Semi-octets are sent units first. Source: 3GPP TS 23.040 section 9.1.2.3."""
    return octet >> 4 | (octet & 0x0F) << 4


def as_octets(*values: int) -> bytes:
    """Octets of numbers. Raises SmsFormatError: one is not within 0-255."""
    try:
        return bytes(values)
    except ValueError:
        raise SmsFormatError("a field of a PDU is a number from 0 to 255") from None

"""Addresses: digits in swapped semi-octets, or a name in packed septets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from modembank.errors import SmsFormatError
from modembank.sms.alphabet import decode, encode, pack, unpack
from modembank.sms.octets import Octets, as_octets, swap_nibbles

_DIGITS = "0123456789*#abc"
_DIALLED = "0123456789*#"  # from people, a to c are letters of a name
_FILL = 0xF
_MOST_SEMI_OCTETS = 20  # 3GPP TS 23.040 section 9.1.2.5: the address value has at most ten octets
_ALPHANUMERIC_TOA = 0xD0


class NumberType(IntEnum):
    """Type-of-number. Source: 3GPP TS 23.040 section 9.1.2.5."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6
    RESERVED = 7


@dataclass(frozen=True, slots=True)
class Address:
    """A party: `text` as people write it (`+` when international), `toa` the type-of-address octet."""

    text: str
    toa: int

    @property
    def type(self) -> NumberType:
        """The type-of-number within the type-of-address."""
        return NumberType(self.toa >> 4 & 0x07)


def address_of(text: str) -> Address:
    """The address of a number or name. Raises SmsFormatError: neither a number nor a name of up to 11 septets."""
    if text.startswith("+"):
        return _checked(Address(text, 0x91))
    if text and all(char in _DIALLED for char in text):
        return _checked(Address(text, 0x81))
    return _checked(Address(text, _ALPHANUMERIC_TOA))


def read_address(octets: Octets) -> Address:
    """An originating, destination or recipient address. Raises SmsFormatError. Source: TS 23.040 section 9.1.2.5.

    The length counts useful semi-octets, which is also what a name's septets are reckoned from.
    """
    semi_octets = octets.byte("the address length")
    toa = octets.byte("the type of address")
    value = octets.take((semi_octets + 1) // 2, "the address")
    if NumberType(toa >> 4 & 0x07) is NumberType.ALPHANUMERIC:
        return Address(decode(unpack(value, semi_octets * 4 // 7)), toa)
    return Address(_number(value, toa)[: semi_octets + _is_international(toa)], toa)


def write_address(address: Address) -> bytes:
    """Length, type of address, value. Raises SmsFormatError. Source: 3GPP TS 23.040 section 9.1.2.5."""
    if address.type is NumberType.ALPHANUMERIC:
        septets = encode(address.text)
        length, value = (7 * len(septets) + 3) // 4, pack(septets)
    else:
        digits = _bare(address)
        length, value = len(digits), _semi_octets(digits)
    if length > _MOST_SEMI_OCTETS:
        raise SmsFormatError("an SMS address has at most 20 digits or 11 letters")
    return as_octets(length, address.toa) + value


def read_service_centre(octets: Octets) -> Address | None:
    """The SCA before a TPDU; None when the card's own is meant. Raises SmsFormatError. Source: TS 24.011 8.2.5.2."""
    length = octets.byte("the length of the service centre address")
    if length == 0:
        return None
    toa = octets.byte("the type of the service centre address")
    return Address(_number(octets.take(length - 1, "the service centre address"), toa), toa)


def write_service_centre(address: Address | None) -> bytes:
    """The SCA before a TPDU; here the length counts octets. Raises SmsFormatError. Source: TS 24.011 8.2.5.2."""
    if address is None:
        return b"\x00"
    if address.type is NumberType.ALPHANUMERIC:
        raise SmsFormatError("a service centre address is a number")
    value = _semi_octets(_bare(address))
    if len(value) > _MOST_SEMI_OCTETS // 2:
        raise SmsFormatError("a service centre address has at most 20 digits")
    return as_octets(len(value) + 1, address.toa) + value


def _checked(address: Address) -> Address:
    write_address(address)
    return address


def _is_international(toa: int) -> bool:
    return NumberType(toa >> 4 & 0x07) is NumberType.INTERNATIONAL


def _number(value: bytes, toa: int) -> str:
    nibbles = [nibble for octet in value for nibble in (octet & 0x0F, octet >> 4)]
    end = nibbles.index(_FILL) if _FILL in nibbles else len(nibbles)
    return ("+" if _is_international(toa) else "") + "".join(_DIGITS[nibble] for nibble in nibbles[:end])


def _bare(address: Address) -> str:
    digits = address.text.removeprefix("+")
    if not digits or any(char not in _DIGITS for char in digits):
        raise SmsFormatError("an SMS goes to digits, with a + before them when the number is international")
    if address.text.startswith("+") != _is_international(address.toa):
        raise SmsFormatError("a + and the type of address contradict each other")
    return digits


def _semi_octets(digits: str) -> bytes:
    nibbles = [_DIGITS.index(char) for char in digits] + [_FILL] * (len(digits) % 2)
    return bytes(swap_nibbles(high << 4 | low) for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))

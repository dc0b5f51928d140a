"""SMS TPDUs as the emulated network and its modems write and read them.

Source: 3GPP TS 23.040 clause 9.2 and 3GPP TS 23.038 clause 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain

from modembank.emulator import gsm7
from modembank.errors import EmulatorError

DELIVER, SUBMIT, STATUS_REPORT = 0, 1, 2
NO_MORE_MESSAGES = 0x04
WITH_HEADER = 0x40
REPORT_WANTED = 0x20
VALIDITY_OCTETS = {0: 0, 1: 7, 2: 1, 3: 7}
MAX_SEPTETS, MAX_OCTETS = 160, 140
INTERNATIONAL, UNKNOWN, ALPHANUMERIC = 0x91, 0x81, 0xD0
CLASS_0 = 0x10
CONCAT_8, CONCAT_16 = 0, 8


class Alphabet(StrEnum):
    """How user data is coded."""

    GSM7 = "gsm7"
    OCTETS = "8bit"
    UCS2 = "ucs2"


def alphabet_of(dcs: int) -> Alphabet:
    """Return the alphabet of a data coding scheme."""
    group = dcs >> 4
    if group == 0xF:
        return Alphabet.OCTETS if dcs & 4 else Alphabet.GSM7
    if group >= 8:
        return Alphabet.UCS2 if group == 0xE else Alphabet.GSM7
    return (Alphabet.GSM7, Alphabet.OCTETS, Alphabet.UCS2, Alphabet.GSM7)[dcs >> 2 & 3]


def class_of(dcs: int) -> int | None:
    """Return the message class, 0 to 3, if there is one."""
    group = dcs >> 4
    return dcs & 3 if group == 0xF or (group < 8 and group & 1) else None


@dataclass(frozen=True, slots=True)
class UserData:
    """TP-DCS, TP-UDL and TP-UD; `header` says that the data begins with a user data header."""

    dcs: int
    length: int
    data: bytes
    header: bool = False

    def text(self) -> str:
        """Return the text without the header; octets as Latin-1."""
        size = self.data[0] + 1 if self.header and self.data else 0
        alphabet = alphabet_of(self.dcs)
        if alphabet is Alphabet.GSM7:
            skipped = (size * 8 + 6) // 7
            return gsm7.to_text(gsm7.unpack(self.data, max(0, self.length - skipped), skipped * 7))
        body = self.data[size:]
        return body.decode("utf-16-be", "replace") if alphabet is Alphabet.UCS2 else body.decode("latin-1")

    def concatenation(self) -> tuple[int, int, int] | None:
        """Return (reference, total, number) if this is a part of a longer message."""
        place, end = 1, self.data[0] + 1 if self.header and self.data else 0
        while place + 1 < end:
            element, size = self.data[place], self.data[place + 1]
            body = self.data[place + 2 : place + 2 + size]
            if element == CONCAT_8 and len(body) == 3:
                return body[0], body[1], body[2]
            if element == CONCAT_16 and len(body) == 4:
                return int.from_bytes(body[:2]), body[2], body[3]
            place += 2 + size
        return None


@dataclass(frozen=True, slots=True)
class Submit:
    """An SMS-SUBMIT."""

    to: str
    pid: int
    user: UserData
    report: bool


def split(text: str, reference: int, alphabet: Alphabet | None, *, wide: bool, flash: bool) -> list[UserData]:
    """Return a text as user data of as many parts as it needs.

    Raises:
        EmulatorError: the alphabet cannot carry it, or it needs more than 255 parts.
    """
    if alphabet is None:
        alphabet = Alphabet.UCS2 if gsm7.characters(text) is None else Alphabet.GSM7
    units, room, header_room = _units(text, alphabet)
    parts = _fill(units, room)
    if len(parts) > 1:
        parts = _fill(units, room - header_room[wide])
    if len(parts) > 255:
        raise EmulatorError("a text may have 255 parts")
    dcs = {Alphabet.GSM7: 0, Alphabet.OCTETS: 4, Alphabet.UCS2: 8}[alphabet] | (CLASS_0 if flash else 0)
    if len(parts) == 1:
        return [_user_data(dcs, b"", parts[0])]
    return [_user_data(dcs, _header(reference, len(parts), n, wide), part) for n, part in enumerate(parts, 1)]


def _units(text: str, alphabet: Alphabet) -> tuple[list[tuple[int, ...]], int, tuple[int, int]]:
    """Return the text's indivisible units, the room of a message, and what the two headers take of it."""
    if alphabet is Alphabet.GSM7:
        units = gsm7.characters(text)
        if units is None:
            raise EmulatorError("the text has characters that the GSM alphabet lacks")
        return units, MAX_SEPTETS, (7, 8)
    if alphabet is Alphabet.UCS2:
        return [tuple(char.encode("utf-16-be")) for char in text], MAX_OCTETS, (6, 8)
    try:
        return [(octet,) for octet in text.encode("latin-1")], MAX_OCTETS, (6, 7)
    except UnicodeEncodeError:
        raise EmulatorError("the text has characters beyond 8 bits") from None


def _fill(units: Iterable[tuple[int, ...]], room: int) -> list[list[int]]:
    parts: list[list[int]] = [[]]
    for unit in units:
        if len(parts[-1]) + len(unit) > room:
            parts.append([])
        parts[-1] += unit
    return parts


def _header(reference: int, total: int, number: int, wide: bool) -> bytes:
    if wide:
        return bytes((6, CONCAT_16, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number))
    return bytes((5, CONCAT_8, 3, reference & 0xFF, total, number))


def _user_data(dcs: int, header: bytes, units: list[int]) -> UserData:
    if alphabet_of(dcs) is not Alphabet.GSM7:
        return UserData(dcs, len(header) + len(units), header + bytes(units), bool(header))
    septets = (len(header) * 8 + 6) // 7
    data = header + gsm7.pack(units, septets * 7 - len(header) * 8)
    return UserData(dcs, septets + len(units), data, bool(header))


def deliver(sender: str, user: UserData, *, pid: int = 0, more: bool = False) -> bytes:
    """Return an SMS-DELIVER of now."""
    first = DELIVER | (0 if more else NO_MORE_MESSAGES) | (WITH_HEADER if user.header else 0)
    return bytes((first,)) + address(sender) + bytes((pid, user.dcs)) + _now() + bytes((user.length,)) + user.data


def status_report(reference: int, recipient: str, status: int) -> bytes:
    """Return an SMS-STATUS-REPORT of now."""
    first = bytes((STATUS_REPORT | NO_MORE_MESSAGES, reference))
    return first + address(recipient) + _now() + _now() + bytes((status,))


def address(text: str) -> bytes:
    """Return an address field: digits, digits behind a plus, or a name."""
    digits = text.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        kind = INTERNATIONAL if text.startswith("+") else UNKNOWN
        return bytes((len(digits), kind)) + _swapped(digits)
    characters = gsm7.characters(text)
    septets = list(chain.from_iterable(characters or ()))
    if not septets or len(septets) > 11:
        raise EmulatorError("a sender is a number, or a name of at most 11 characters of the GSM alphabet")
    return bytes(((len(septets) * 7 + 3) // 4, ALPHANUMERIC)) + gsm7.pack(septets)


def centre_address(number: str) -> bytes:
    """Return a service centre address, whose length counts octets."""
    digits = _swapped(number.removeprefix("+"))
    return bytes((len(digits) + 1, INTERNATIONAL)) + digits


class Reader:
    """Octets one after another.

    Raises:
        EmulatorError: from every method, when they end too early.
    """

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, count: int) -> bytes:
        """Return the next octets."""
        if len(self.rest) < count:
            raise EmulatorError("the PDU is too short")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def octet(self) -> int:
        """Return the next octet."""
        return self.take(1)[0]

    def address(self) -> str:
        """Return an address."""
        length, kind = self.octet(), self.octet()
        data = self.take((length + 1) // 2)
        if kind & 0x70 == ALPHANUMERIC & 0x70:
            return gsm7.to_text(gsm7.unpack(data, length * 4 // 7))
        digits = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in data)[:length]
        return f"+{digits}" if kind & 0x70 == INTERNATIONAL & 0x70 else digits

    def user_data(self, dcs: int, header: bool) -> UserData:
        """Return what stands at the end of a TPDU."""
        length = self.octet()
        septets = alphabet_of(dcs) is Alphabet.GSM7
        if length > (MAX_SEPTETS if septets else MAX_OCTETS):
            raise EmulatorError("the user data is too long")
        data = self.take((length * 7 + 7) // 8 if septets else length)
        if self.rest:
            raise EmulatorError("the PDU is too long")
        if header and (not data or data[0] + 1 > len(data)):
            raise EmulatorError("the user data header is too long")
        return UserData(dcs, length, data, header)


def read_submit(tpdu: bytes) -> Submit:
    """Return what an SMS-SUBMIT says.

    Raises:
        EmulatorError: it is none.
    """
    reader = Reader(tpdu)
    first = reader.octet()
    if first & 3 != SUBMIT:
        raise EmulatorError("this is no SMS-SUBMIT")
    reader.octet()  # TP-MR: the modem counts its own
    to, pid, dcs = reader.address(), reader.octet(), reader.octet()
    reader.take(VALIDITY_OCTETS[first >> 3 & 3])
    user = reader.user_data(dcs, bool(first & WITH_HEADER))
    return Submit(to, pid, user, bool(first & REPORT_WANTED))


def read_deliver(tpdu: bytes) -> tuple[str, UserData]:
    """Return the sender and the user data of an SMS-DELIVER.

    Raises:
        EmulatorError: it is none.
    """
    reader = Reader(tpdu)
    first = reader.octet()
    if first & 3 != DELIVER:
        raise EmulatorError("this is no SMS-DELIVER")
    sender = reader.address()
    reader.octet()
    dcs = reader.octet()
    reader.take(7)
    return sender, reader.user_data(dcs, bool(first & WITH_HEADER))


def without_centre(pdu: bytes) -> bytes:
    """Return the TPDU behind a service centre address.

    Raises:
        EmulatorError: the address is longer than the PDU.
    """
    reader = Reader(pdu)
    reader.take(reader.octet())
    return reader.rest


def from_hex(text: str) -> bytes:
    """Return the octets of a PDU as a host writes it.

    Raises:
        EmulatorError: they are no hexadecimal digits in pairs.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise EmulatorError("a PDU is written in pairs of hexadecimal digits") from None


def _swapped(digits: str) -> bytes:
    padded = digits + "f" * (len(digits) % 2)
    return bytes.fromhex("".join(padded[place + 1] + padded[place] for place in range(0, len(padded), 2)))


def _now() -> bytes:
    return _swapped(f"{datetime.now(UTC):%y%m%d%H%M%S}00")

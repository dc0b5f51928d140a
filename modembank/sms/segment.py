"""A text into the parts of an SMS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modembank.errors import SmsFormatError
from modembank.sms.alphabet import DEFAULT, Alphabet, septets_of
from modembank.sms.dcs import Encoding
from modembank.sms.udh import Concat, Element, Header, concat_element, shift_elements
from modembank.sms.user_data import UserData, capacity

MOST_PARTS = 255  # the part number is one octet


@dataclass(frozen=True, slots=True)
class Segmented:
    """The parts of a text and what they cost; `units` are septets, UTF-16 code units or octets, without headers."""

    encoding: Encoding
    parts: tuple[UserData, ...]
    characters: int
    units: int


def segment(
    text: str,
    *,
    reference: int = 0,
    width: int = 8,
    encoding: Encoding | None = None,
    alphabet: Alphabet = DEFAULT,
) -> Segmented:
    """Split a text; GSM 7 where the alphabet has every character, else UCS2, unless `encoding` forces one.

    No escape pair and no surrogate pair is ever split. `reference` and its `width` (8 or 16 bits) mark the parts of a
    text that does not fit one SMS. UCS2 is written as UTF-16BE.

    Raises:
        SmsFormatError: a character that the forced encoding lacks, a lone surrogate, more than 255 parts, a reference
            that its width cannot hold, or text forced into octets.

    Source: 3GPP TS 23.040 sections 9.2.3.24.1 and 9.2.3.24.8; TS 23.038 section 6.2.1.2.
    """
    if encoding is Encoding.OCTETS:
        raise SmsFormatError("8-bit user data is octets, not text")
    septets = [septets_of(char, alphabet) for char in text]
    known = [unit for unit in septets if unit is not None]
    fits = len(known) == len(septets)
    if encoding is Encoding.GSM7 and not fits:
        missing = text[septets.index(None)]
        raise SmsFormatError(f"U+{ord(missing):04X} is not in the GSM 7 bit alphabet")
    if fits and encoding is not Encoding.UCS2:
        parts = _split(Encoding.GSM7, known, shift_elements(alphabet), reference, width)
        return Segmented(Encoding.GSM7, parts, len(text), sum(map(len, known)))
    units = [_utf16(char) for char in text]
    parts = _split(Encoding.UCS2, units, (), reference, width)
    return Segmented(Encoding.UCS2, parts, len(text), sum(map(len, units)) // 2)


def segment_octets(data: bytes, *, reference: int = 0, width: int = 8) -> Segmented:
    """Split 8-bit data. Raises SmsFormatError: more than 255 parts, or a reference that its width cannot hold."""
    units = [data[place : place + 1] for place in range(len(data))]
    return Segmented(Encoding.OCTETS, _split(Encoding.OCTETS, units, (), reference, width), len(data), len(data))


def _split(
    encoding: Encoding, units: list[bytes], shifts: tuple[Element, ...], reference: int, width: int
) -> tuple[UserData, ...]:
    marked = concat_element(Concat(reference, 1, 1, width))  # a wrong reference is refused for short texts too
    whole = b"".join(units)
    if len(whole) <= capacity(encoding, Header(shifts)):
        return (UserData(encoding, whole, Header(shifts)),)
    payloads = list(_fill(units, capacity(encoding, Header((marked, *shifts)))))
    if len(payloads) > MOST_PARTS:
        raise SmsFormatError(f"the text needs {len(payloads)} parts; an SMS has at most {MOST_PARTS}")
    return tuple(
        UserData(encoding, payload, Header((concat_element(Concat(reference, len(payloads), place, width)), *shifts)))
        for place, payload in enumerate(payloads, 1)
    )


def _fill(units: list[bytes], most: int) -> Iterable[bytes]:
    part = bytearray()
    for unit in units:
        if len(part) + len(unit) > most:
            yield bytes(part)
            part.clear()
        part += unit
    yield bytes(part)


def _utf16(char: str) -> bytes:
    try:
        return char.encode("utf-16-be")
    except UnicodeEncodeError:
        raise SmsFormatError("the text holds half of a surrogate pair") from None

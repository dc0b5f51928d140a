"""The user data header: information elements before the text."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.errors import SmsFormatError
from modembank.sms.alphabet import Alphabet
from modembank.sms.national import LOCKING, Language
from modembank.sms.octets import Octets, as_octets

# Information element identifiers. Source: 3GPP TS 23.040 section 9.2.3.24.
CONCAT_8 = 0x00
PORTS_8 = 0x04
PORTS_16 = 0x05
CONCAT_16 = 0x08
SINGLE_SHIFT = 0x24
LOCKING_SHIFT = 0x25


@dataclass(frozen=True, slots=True)
class Element:
    """One information element; unknown ones are kept as they are."""

    iei: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Concat:
    """Part `sequence` (from 1) of `total`; `width` is the reference's size in bits, 8 or 16."""

    reference: int
    total: int
    sequence: int
    width: int = 8


@dataclass(frozen=True, slots=True)
class Ports:
    """Application port addresses. Source: 3GPP TS 23.040 sections 9.2.3.24.3 and 9.2.3.24.4."""

    destination: int
    source: int


@dataclass(frozen=True, slots=True)
class Header:
    """The elements in their order; of a repeated element the last counts. Source: TS 23.040 section 9.2.3.24."""

    elements: tuple[Element, ...] = ()

    @property
    def concat(self) -> Concat | None:
        """Which part this is; None when single, or when the element makes no sense and must be ignored."""
        element = self._last({CONCAT_8: 3, CONCAT_16: 4})
        if element is None:
            return None
        *reference, total, sequence = element.data
        if not 1 <= sequence <= total:
            return None
        return Concat(int.from_bytes(reference), total, sequence, 8 * len(reference))

    @property
    def ports(self) -> Ports | None:
        """The ports, None where there are none."""
        element = self._last({PORTS_8: 2, PORTS_16: 4})
        if element is None:
            return None
        half = len(element.data) // 2
        return Ports(int.from_bytes(element.data[:half]), int.from_bytes(element.data[half:]))

    @property
    def alphabet(self) -> Alphabet:
        """The shift tables of the text; languages that the standard does not list are ignored."""
        return Alphabet(self._language(LOCKING_SHIFT), self._language(SINGLE_SHIFT))

    def _language(self, iei: int) -> Language:
        element = self._last({iei: 1})
        if element is None or element.data[0] > max(Language):
            return Language.DEFAULT
        language = Language(element.data[0])
        return Language.DEFAULT if iei == LOCKING_SHIFT and language not in LOCKING else language

    def _last(self, lengths: dict[int, int]) -> Element | None:
        fitting = [element for element in self.elements if lengths.get(element.iei) == len(element.data)]
        return fitting[-1] if fitting else None


NO_HEADER = Header()


def read_header(octets: bytes) -> Header:
    """The elements after the length octet. Raises SmsFormatError: one runs past the end."""
    reader = Octets(octets)
    elements: list[Element] = []
    while reader.place < len(octets):
        iei = reader.byte("an information element")
        length = reader.byte("the length of an information element")
        elements.append(Element(iei, reader.take(length, "an information element")))
    return Header(tuple(elements))


def write_header(header: Header) -> bytes:
    """Length octet and elements; nothing for an empty header. Raises SmsFormatError: longer than an SMS."""
    elements = b"".join(as_octets(element.iei, len(element.data)) + element.data for element in header.elements)
    if len(elements) > 139:
        raise SmsFormatError("a user data header has at most 139 octets")
    return bytes((len(elements),)) + elements if elements else b""


def concat_element(concat: Concat) -> Element:
    """The element of a part. Raises SmsFormatError: a number that does not fit."""
    reference_fits = concat.width in (8, 16) and 0 <= concat.reference < 1 << concat.width
    if not reference_fits or not 1 <= concat.sequence <= concat.total <= 255:
        raise SmsFormatError("a long SMS has 1 to 255 parts and a reference of 8 or 16 bits")
    reference = concat.reference.to_bytes(concat.width // 8)
    return Element(CONCAT_8 if concat.width == 8 else CONCAT_16, reference + bytes((concat.total, concat.sequence)))


def shift_elements(alphabet: Alphabet) -> tuple[Element, ...]:
    """The elements that announce an alphabet; none for the default one."""
    pairs = ((SINGLE_SHIFT, alphabet.single), (LOCKING_SHIFT, alphabet.locking))
    return tuple(Element(iei, bytes((language,))) for iei, language in pairs if language is not Language.DEFAULT)

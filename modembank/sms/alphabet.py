"""Text to septets and back, and septets to packed octets.

`encode` and `decode` work with one septet per octet; `pack` and `unpack` put eight septets into seven octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from modembank.errors import SmsFormatError
from modembank.sms.national import ESCAPE, LOCKING, SINGLE, VOID, Language

CR = 0x0D


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A locking shift and a single shift table. Source: 3GPP TS 23.038 section 6.2.1.2."""

    locking: Language = Language.DEFAULT
    single: Language = Language.DEFAULT

    def __post_init__(self) -> None:
        if self.locking not in LOCKING:
            raise SmsFormatError(f"{self.locking.name.title()} has no locking shift table")


DEFAULT = Alphabet()


def septets_of(char: str, alphabet: Alphabet = DEFAULT) -> bytes | None:
    """The one or two septets of a character, None where the alphabet lacks it."""
    return _septets(alphabet).get(char)


def encode(text: str, alphabet: Alphabet = DEFAULT) -> bytes:
    """Septets, one in each octet. Raises SmsFormatError: a character that the alphabet lacks."""
    table = _septets(alphabet)
    try:
        return b"".join([table[char] for char in text])
    except KeyError as error:
        raise SmsFormatError(f"U+{ord(error.args[0]):04X} is not in the GSM 7 bit alphabet") from None


def decode(septets: bytes, alphabet: Alphabet = DEFAULT) -> str:
    """The text of septets, one in each octet; never raises.

    An escaped septet that the table leaves empty is the base character, a second escape a space.
    Source: 3GPP TS 23.038 section 6.2.1.1.
    """
    base, single = LOCKING[alphabet.locking], SINGLE[alphabet.single]
    text: list[str] = []
    escaped = False
    for octet in septets:
        septet = octet & 0x7F
        if escaped:
            text.append(_escaped(base, single, septet))
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text.append(_shown(base, septet))
    return "".join(text) + (" " if escaped else "")


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Eight septets into seven octets, after `fill_bits` zero bits. Source: 3GPP TS 23.038 section 6.1.2.1."""
    bits = 0
    for place, septet in enumerate(septets):
        bits |= (septet & 0x7F) << (7 * place)
    return (bits << fill_bits).to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets, one in each octet. Raises SmsFormatError: fewer octets than that."""
    if 7 * count + fill_bits > 8 * len(octets):
        raise SmsFormatError(f"{len(octets)} octets do not hold {count} septets")
    bits = int.from_bytes(octets, "little") >> fill_bits
    return bytes((bits >> (7 * place)) & 0x7F for place in range(count))


def pack_ussd(septets: bytes) -> bytes:
    """Pack where no septet count goes along: seven spare bits carry CR, for zeros would read as `@`.

    A text that ends in CR on an octet boundary gets a second one. Source: 3GPP TS 23.038 section 6.1.2.3.1.
    """
    spare_septet = len(septets) % 8 == 7
    ends_in_cr = len(septets) % 8 == 0 and septets[-1:] == bytes((CR,))
    return pack(septets + bytes((CR,)) if spare_septet or ends_in_cr else septets)


def unpack_ussd(octets: bytes) -> bytes:
    """Undo `pack_ussd`. A final `@` on an octet boundary stays: the standard fills with CR.

    A doubled CR is read as two. Source: 3GPP TS 23.038 section 6.1.2.3.1.
    """
    septets = unpack(octets, len(octets) * 8 // 7)
    padded = len(septets) % 8 == 0 and septets[-1:] == bytes((CR,))
    return septets[:-1] if padded else septets


def _escaped(base: str, single: str, septet: int) -> str:
    if septet == ESCAPE:
        return " "
    return single[septet] if single[septet] != VOID else _shown(base, septet)


def _shown(base: str, septet: int) -> str:
    return base[septet] if base[septet] != VOID else " "


@lru_cache(maxsize=64)
def _septets(alphabet: Alphabet) -> dict[str, bytes]:
    """Character to septets; the shorter form wins, and of two places of a character the first."""
    table: dict[str, bytes] = {}
    for place, char in enumerate(LOCKING[alphabet.locking]):
        if char != VOID:
            table.setdefault(char, bytes((place,)))
    for place, char in enumerate(SINGLE[alphabet.single]):
        if char != VOID:
            table.setdefault(char, bytes((ESCAPE, place)))
    return table

"""The GSM 7 bit default alphabet and its packing. Source: 3GPP TS 23.038 clauses 6.1.2 and 6.2.1."""

from __future__ import annotations

from collections.abc import Sequence

ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_CODES = {char: (code,) for code, char in enumerate(_BASIC) if code != ESCAPE} | {
    char: (ESCAPE, code) for code, char in _EXTENSION.items()
}


def characters(text: str) -> list[tuple[int, ...]] | None:
    """Return each character's septets, an extended one's as a pair; None if the alphabet lacks one."""
    if any(char not in _CODES for char in text):
        return None
    return [_CODES[char] for char in text]


def to_text(septets: Sequence[int]) -> str:
    """Return the text of septets; an unknown extension is its basic character."""
    text, escaped = "", False
    for septet in septets:
        if escaped:
            text += _EXTENSION.get(septet, _BASIC[septet])
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text += _BASIC[septet]
    return text


def pack(septets: Sequence[int], fill: int = 0) -> bytes:
    """Return septets in octets behind `fill` bits."""
    bits = 0
    for place, septet in enumerate(septets):
        bits |= septet << (fill + 7 * place)
    return bits.to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack(data: bytes, count: int, fill: int = 0) -> list[int]:
    """Return `count` septets that stand in octets behind `fill` bits."""
    bits = int.from_bytes(data, "little")
    return [bits >> (fill + 7 * place) & 0x7F for place in range(count)]

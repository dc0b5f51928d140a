"""The tables of the GSM 7 bit alphabet: default, extension, and those of the national languages.

A table is a string of 128 characters whose index is the septet; VOID stands where the standard leaves a place empty.
Source: 3GPP TS 23.038 sections 6.2.1 and 6.2.1.1, annexes A.2 (single shift) and A.3 (locking shift), release 18.
"""

from __future__ import annotations

from enum import IntEnum

VOID = "\x00"
ESCAPE = 0x1B


class Language(IntEnum):
    """National Language Identifier. Source: 3GPP TS 23.038 table 6.2.1.2.4.1."""

    DEFAULT = 0
    TURKISH = 1
    SPANISH = 2  # single shift only
    PORTUGUESE = 3
    BENGALI = 4
    GUJARATI = 5
    HINDI = 6
    KANNADA = 7
    MALAYALAM = 8
    ORIYA = 9
    PUNJABI = 10
    TAMIL = 11
    TELUGU = 12
    URDU = 13


_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå" "Δ_ΦΓΛΩΠΨΣΘΞ\x00ÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)  # fmt: skip
_TURKISH = (
    "@£$¥€éùıòÇ\nĞğ\rÅå" "Δ_ΦΓΛΩΠΨΣΘΞ\x00ŞşßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "çabcdefghijklmnopqrstuvwxyzäöñüà"
)  # fmt: skip
_PORTUGUESE = (
    "@£$¥êéúíóç\nÔô\rÁá" "Δ_ªÇÀ∞^\\€Ó|\x00ÂâÊÉ"
    " !\"#º%&'()*+,-./0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§"
    "~abcdefghijklmnopqrstuvwxyzãõ`üà"
)  # fmt: skip
_URDU = (
    "\u0627\u0622\u0628\u067b\u0680\u067e\u06a6\u062a\u06c2\u067f\n\u0679\u067d\r\u067a\u067c"
    "\u062b\u062c\u0681\u0684\u0683\u0685\u0686\u0687\u062d\u062e\u062f\x00\u068c\u0688\u0689\u068a"
    " !\u068f\u068d\u0630\u0631\u0691\u0693)(\u0699\u0632,\u0696.\u0698"
    "0123456789:;\u069a\u0633\u0634?"
    "\u0635\u0636\u0637\u0638\u0639\u0641\u0642\u06a9\u06aa\u06ab\u06af\u06b3\u06b1\u0644\u0645\u0646"
    "\u06ba\u06bb\u06bc\u0648\u06c4\u06d5\u06c1\u06be\u0621\u06cc\u06d0\u06d2\u064d\u0650\u064f\u0657"
    "\u0654abcdefghijklmno"
    "pqrstuvwxyz\u0655\u0651\u0653\u0656\u0670"
)


def _places(*ranges: tuple[int, int]) -> tuple[int, ...]:
    return tuple(place for first, last in ranges for place in range(first, last + 1))


# The nine Indic locking tables are one table: the letters of the script's Unicode block in their order, in the same
# places, with a gap where the script lacks the letter.
_INDIC_LETTERS = _places((0x01, 0x03), (0x05, 0x39), (0x3C, 0x4D))
_INDIC_PLACES = _places(
    (0x00, 0x09), (0x0B, 0x0C), (0x0E, 0x1A), (0x1C, 0x1F), (0x22, 0x27), (0x2A, 0x2B), (0x2D, 0x2D), (0x2F, 0x2F),
    (0x3C, 0x3E), (0x40, 0x5F),
)  # fmt: skip
_INDIC_OWN_PLACES = (0x60, *_places((0x7B, 0x7F)))
_INDIC_FIXED = {
    0x0A: "\n", 0x0D: "\r", 0x20: " ", 0x21: "!", 0x28: ")", 0x29: "(", 0x2C: ",", 0x2E: ".", 0x3F: "?",
    **{place: chr(place) for place in _places((0x30, 0x3B), (0x61, 0x7A))},
}  # fmt: skip


def _indic(block: int, missing: str, own: str) -> str:
    gaps = bytes.fromhex(missing)
    letters = {
        place: VOID if letter in gaps else chr(block + letter)
        for place, letter in zip(_INDIC_PLACES, _INDIC_LETTERS, strict=True)
    }
    return _table(_INDIC_FIXED | letters | dict(zip(_INDIC_OWN_PLACES, own, strict=True)))


def _table(places: dict[int, str]) -> str:
    return "".join(places.get(place, VOID) for place in range(128))


# Spanish has no locking table of its own.
LOCKING: dict[Language, str] = {
    Language.DEFAULT: _DEFAULT,
    Language.TURKISH: _TURKISH,
    Language.PORTUGUESE: _PORTUGUESE,
    Language.BENGALI: _indic(0x0980, "0D0E111229313334354546494A", "\u09ce\u09d7\u09dc\u09dd\u09f0\u09f1"),
    Language.GUJARATI: _indic(0x0A80, "0E12293134464A", "\u0ad0\u0ae0\u0ae1\u0ae2\u0ae3\u0af1"),
    Language.HINDI: _indic(0x0900, "", "\u0950\u0972\u097b\u097c\u097e\u097f"),
    Language.KANNADA: _indic(0x0C80, "010D1129344549", "\u0cd5\u0cd6\u0ce0\u0ce1\u0ce2\u0ce3"),
    Language.MALAYALAM: _indic(0x0D00, "010D11293C4549", "\u0d57\u0d60\u0d61\u0d62\u0d63\u0d79"),
    Language.ORIYA: _indic(0x0B00, "0D0E11122931344546494A", "\u0b56\u0b57\u0b60\u0b61\u0b62\u0b63"),
    Language.PUNJABI: _indic(
        0x0A00, "0B0C0D0E1112293134373D43444546494A", "\u0a51\u0a70\u0a71\u0a72\u0a73\u0a74"
    ),
    Language.TAMIL: _indic(
        0x0B80, "010B0C0D111617181B1D2021222526272B2C2D3C3D43444549", "\u0bd0\u0bd7\u0bf0\u0bf1\u0bf2\u0bf9"
    ),
    Language.TELUGU: _indic(0x0C00, "0D1129343C4549", "\u0c55\u0c56\u0c60\u0c61\u0c62\u0c63"),
    Language.URDU: _URDU,
}  # fmt: skip

_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_SPANISH = {
    0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú",
}  # fmt: skip
_TURKISH_SHIFT = {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"}
_PORTUGUESE_SHIFT = {
    0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π",
    0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ",
    0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â",
}  # fmt: skip

# The Indic and Urdu single shift tables share their punctuation and capitals; the script fills these places in turn.
_ASIAN_PLACES = _places((0x19, 0x1A), (0x1C, 0x27), (0x2A, 0x2E), (0x30, 0x3B), (0x3F, 0x3F))
_ASIAN_FIXED = {
    **dict(enumerate("@£$¥¿\"¤%&'\f*+\x00-/<=>¡^¡_#*")),
    **_EXTENSION,
    **{place: chr(place) for place in _places((0x41, 0x5A))},
}


def _asian(letters: str) -> str:
    return _table(_ASIAN_FIXED | dict(zip(_ASIAN_PLACES, letters, strict=False)))


def _run(first: int, last: int) -> str:
    return "".join(chr(code) for code in range(first, last + 1))


_DANDAS = "\u0964\u0965"

SINGLE: dict[Language, str] = {
    Language.DEFAULT: _table(_EXTENSION),
    Language.TURKISH: _table(_EXTENSION | _TURKISH_SHIFT),
    Language.SPANISH: _table(_EXTENSION | _SPANISH),
    Language.PORTUGUESE: _table(_EXTENSION | _PORTUGUESE_SHIFT),
    Language.BENGALI: _asian(_run(0x09E6, 0x09EF) + "\u09df" + _run(0x09E0, 0x09E3) + _run(0x09F2, 0x09FA)),
    Language.GUJARATI: _asian(_DANDAS + _run(0x0AE6, 0x0AEF)),
    Language.HINDI: _asian(
        _DANDAS + _run(0x0966, 0x096F) + _run(0x0951, 0x0954) + _run(0x0958, 0x0963) + "\u0970\u0971"
    ),
    Language.KANNADA: _asian(_DANDAS + _run(0x0CE6, 0x0CEF) + "\u0cde\u0cf1\u0cf2"),
    Language.MALAYALAM: _asian(_DANDAS + _run(0x0D66, 0x0D75) + _run(0x0D7A, 0x0D7F)),
    Language.ORIYA: _asian(_DANDAS + _run(0x0B66, 0x0B6F) + "\u0b5c\u0b5d\u0b5f\u0b70\u0b71"),
    Language.PUNJABI: _asian(_DANDAS + _run(0x0A66, 0x0A6F) + "\u0a59\u0a5a\u0a5b\u0a5c\u0a5e\u0a75"),
    Language.TAMIL: _asian(_DANDAS + _run(0x0BE6, 0x0BEF) + _run(0x0BF3, 0x0BF8) + "\u0bfa"),
    Language.TELUGU: _asian(VOID + VOID + _run(0x0C66, 0x0C6F) + "\u0c58\u0c59" + _run(0x0C78, 0x0C7F)),
    Language.URDU: _asian(
        "\u0600\u0601" + _run(0x06F0, 0x06F9) + "\u060c\u060d\u060e\u060f" + _run(0x0610, 0x0614)
        + "\u061b\u061f\u0640\u0652\u0658\u066b\u066c\u0672\u0673\u06cd\u06d4"
    ),
}  # fmt: skip

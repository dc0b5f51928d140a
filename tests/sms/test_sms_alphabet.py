"""Septets, their packing, and the national tables."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.errors import SmsFormatError
from modembank.sms import alphabet
from modembank.sms.alphabet import Alphabet
from modembank.sms.national import ESCAPE, LOCKING, SINGLE, VOID, Language

SEPTETS = st.binary(max_size=170).map(lambda data: bytes(octet & 0x7F for octet in data))
ALPHABETS = st.builds(Alphabet, st.sampled_from(list(LOCKING)), st.sampled_from(list(SINGLE)))


def repertoire(one: Alphabet) -> str:
    return "".join(set(LOCKING[one.locking] + SINGLE[one.single]) - {VOID})


@pytest.mark.parametrize(
    ("char", "septets"),
    [("@", "00"), ("$", "02"), ("_", "11"), ("Δ", "10"), ("¡", "40"), ("§", "5F"), ("¿", "60"), ("à", "7F"),
     ("É", "1F"), ("€", "1B65"), ("\f", "1B0A"), ("^", "1B14"), ("{", "1B28"), ("}", "1B29"), ("\\", "1B2F"),
     ("[", "1B3C"), ("~", "1B3D"), ("]", "1B3E"), ("|", "1B40"), ("\n", "0A"), ("\r", "0D"), ("¤", "24"), ("Ç", "09")],
)  # fmt: skip
def test_default_alphabet(char: str, septets: str) -> None:
    assert alphabet.encode(char) == bytes.fromhex(septets)
    assert alphabet.decode(bytes.fromhex(septets)) == char


@pytest.mark.parametrize("char", ["ç", "`", "\t", "’", "😀", "\x00", "\x1b"])
def test_what_the_default_alphabet_lacks(char: str) -> None:
    with pytest.raises(SmsFormatError, match="not in the GSM 7 bit alphabet"):
        alphabet.encode(char)


# Single places read off the tables of 3GPP TS 23.038 annex A; the languages share no row with the default table.
@pytest.mark.parametrize(
    ("language", "septet", "char"),
    [(Language.TURKISH, 0x04, "€"), (Language.TURKISH, 0x07, "ı"), (Language.TURKISH, 0x40, "İ"),
     (Language.TURKISH, 0x1C, "Ş"), (Language.TURKISH, 0x60, "ç"),
     (Language.PORTUGUESE, 0x15, "∞"), (Language.PORTUGUESE, 0x1A, "|"), (Language.PORTUGUESE, 0x60, "~"),
     (Language.PORTUGUESE, 0x7D, "`"), (Language.PORTUGUESE, 0x24, "º"),
     (Language.BENGALI, 0x00, "\u0981"), (Language.BENGALI, 0x60, "\u09ce"), (Language.BENGALI, 0x7F, "\u09f1"),
     (Language.GUJARATI, 0x0C, "\u0a8d"), (Language.GUJARATI, 0x5F, "\u0acd"),
     (Language.HINDI, 0x00, "\u0901"), (Language.HINDI, 0x15, "\u0915"), (Language.HINDI, 0x3C, "\u0929"),
     (Language.HINDI, 0x7F, "\u097f"), (Language.HINDI, 0x28, ")"), (Language.HINDI, 0x29, "("),
     (Language.KANNADA, 0x24, "\u0ca1"), (Language.KANNADA, 0x60, "\u0cd5"),
     (Language.MALAYALAM, 0x7F, "\u0d79"), (Language.MALAYALAM, 0x4F, "\u0d3d"),
     (Language.ORIYA, 0x60, "\u0b56"), (Language.PUNJABI, 0x4E, "\u0a3c"), (Language.TAMIL, 0x2F, "\u0ba8"),
     (Language.TAMIL, 0x50, "\u0bbe"), (Language.TELUGU, 0x00, "\u0c01"), (Language.TELUGU, 0x7C, "\u0c60"),
     (Language.URDU, 0x00, "\u0627"), (Language.URDU, 0x1A, "\u062f"), (Language.URDU, 0x5F, "\u0657")],
)  # fmt: skip
def test_locking_shift(language: Language, septet: int, char: str) -> None:
    assert alphabet.decode(bytes((septet,)), Alphabet(locking=language)) == char
    assert alphabet.encode(char, Alphabet(locking=language)) == bytes((septet,))


@pytest.mark.parametrize(
    ("language", "septet", "char"),
    [(Language.TURKISH, 0x47, "Ğ"), (Language.TURKISH, 0x69, "ı"), (Language.SPANISH, 0x09, "ç"),
     (Language.SPANISH, 0x75, "ú"), (Language.PORTUGUESE, 0x61, "Â"), (Language.PORTUGUESE, 0x7F, "â"),
     (Language.BENGALI, 0x19, "\u09e6"), (Language.BENGALI, 0x24, "\u09df"), (Language.BENGALI, 0x34, "\u09fa"),
     (Language.GUJARATI, 0x25, "\u0aef"), (Language.HINDI, 0x19, "\u0964"), (Language.HINDI, 0x26, "\u0951"),
     (Language.HINDI, 0x3A, "\u0971"), (Language.KANNADA, 0x2A, "\u0cf2"), (Language.MALAYALAM, 0x34, "\u0d7f"),
     (Language.ORIYA, 0x2C, "\u0b71"), (Language.PUNJABI, 0x2D, "\u0a75"), (Language.TAMIL, 0x2E, "\u0bfa"),
     (Language.TELUGU, 0x32, "\u0c7f"), (Language.TELUGU, 0x1C, "\u0c66"), (Language.TELUGU, 0x65, "€"),
     (Language.URDU, 0x19, "\u0600"), (Language.URDU, 0x3F, "\u06d4"), (Language.URDU, 0x31, "\u0614")],
)  # fmt: skip
def test_single_shift(language: Language, septet: int, char: str) -> None:
    one = Alphabet(single=language)
    assert alphabet.decode(bytes((ESCAPE, septet)), one) == char
    assert alphabet.decode(alphabet.encode(char, one), one) == char


# CRC-32 of the tables as a transcription of TS 23.038 release 18 by others has them, compared with two more.
@pytest.mark.parametrize(
    ("language", "locking", "single"),
    [
        (Language.DEFAULT, 0x4C0E0508, 0xA22FE368),
        (Language.TURKISH, 0x6C62E9B6, 0x66914858),
        (Language.SPANISH, None, 0x2A70F6FC),
        (Language.PORTUGUESE, 0x51BE72DE, 0xABF6345F),
        (Language.BENGALI, 0x468D410B, 0x3EAC8F77),
        (Language.GUJARATI, 0xEF3BE22D, 0x901F8206),
        (Language.HINDI, 0xE5617D9D, 0xDD1AEC38),
        (Language.KANNADA, 0xBCE1CA81, 0x19B1887B),
        (Language.MALAYALAM, 0x3CF12441, 0x813197AC),
        (Language.ORIYA, 0x1965CA4C, 0x93A4CE95),
        (Language.PUNJABI, 0xBAFE0F09, 0x029474E1),
        (Language.TAMIL, 0x0ABBE8E5, 0xB6E03AAC),
        (Language.TELUGU, 0x02A539AF, 0x39F7C323),
        (Language.URDU, 0x4046FC6E, 0xE069D9FC),
    ],
)
def test_no_place_of_a_table_has_moved(language: Language, locking: int | None, single: int) -> None:
    found = LOCKING.get(language)
    assert (None if found is None else crc32(found.encode())) == locking
    assert crc32(SINGLE[language].encode()) == single


def test_every_table_has_128_places_and_keeps_the_controls() -> None:
    for table in LOCKING.values():
        assert (len(table), table[0x0A], table[0x0D], table[ESCAPE]) == (128, "\n", "\r", VOID)
    for table in SINGLE.values():
        assert (len(table), table[0x0A], table[0x0D], table[ESCAPE], table[0x65]) == (128, "\f", VOID, VOID, "€")


def test_spanish_has_no_locking_table() -> None:
    with pytest.raises(SmsFormatError, match="Spanish has no locking shift table"):
        Alphabet(locking=Language.SPANISH)


@given(st.data())
def test_text_goes_round_in_every_alphabet(data: st.DataObject) -> None:
    one = data.draw(ALPHABETS)
    text = data.draw(st.text(repertoire(one), max_size=80))
    assert alphabet.decode(alphabet.encode(text, one), one) == text


def test_unknown_escapes_show_the_base_character_and_a_second_escape_a_space() -> None:
    assert alphabet.decode(b"\x1ba\x1b\x1bb\x1b") == "a b "


@given(SEPTETS, st.integers(0, 6))
def test_packing_goes_round_with_fill_bits(septets: bytes, fill_bits: int) -> None:
    packed = alphabet.pack(septets, fill_bits)
    assert alphabet.unpack(packed, len(septets), fill_bits) == septets
    assert len(packed) == -(-(7 * len(septets) + fill_bits) // 8)


def test_eight_septets_are_seven_octets() -> None:
    assert alphabet.pack(b"hellohello").hex().upper() == "E8329BFD4697D9EC37"
    with pytest.raises(SmsFormatError, match="7 octets do not hold 9 septets"):
        alphabet.unpack(bytes(7), 9)


def test_seven_spare_bits_carry_a_carriage_return() -> None:
    assert alphabet.pack_ussd(b"*101*4#").hex().upper() == "AA182CA6A28D1A"
    assert alphabet.unpack_ussd(alphabet.pack(b"*101*4#\r")) == b"*101*4#"


def test_an_at_sign_on_the_octet_boundary_is_kept() -> None:
    text = alphabet.encode("1234567@")
    assert alphabet.unpack_ussd(alphabet.pack_ussd(text)) == text


def test_a_carriage_return_on_the_octet_boundary_is_doubled() -> None:
    assert alphabet.unpack_ussd(alphabet.pack_ussd(b"1234567\r")) == b"1234567\r\r"


@given(SEPTETS.filter(lambda septets: septets[-1:] != b"\r"))
def test_ussd_packing_goes_round(septets: bytes) -> None:
    assert alphabet.unpack_ussd(alphabet.pack_ussd(septets)) == septets

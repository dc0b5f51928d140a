"""USSD strings in the forms that modems have been met with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.errors import SmsFormatError
from modembank.sms.alphabet import encode, pack
from modembank.sms.ussd import Charset, UssdForm, decode_ussd, encode_ussd


@pytest.mark.parametrize(
    ("code", "form", "written"),
    [
        ("*100#", UssdForm.PLAIN, "*100#"),
        ("*100#", UssdForm.UCS2, "002A0031003000300023"),
        ("*100#", UssdForm.PACKED, "AA180C3602"),
        ("*101#", UssdForm.PACKED, "AA182C3602"),
        ("*123#", UssdForm.PACKED, "AA986C3602"),
        ("*101*4#", UssdForm.PACKED, "AA182CA6A28D1A"),  # seven characters: CR fills the seven free bits
    ],
)
def test_codes(code: str, form: UssdForm, written: str) -> None:
    assert encode_ussd(code, form) == written
    if form is not UssdForm.PLAIN:
        assert decode_ussd(written, 15, form).text == code


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("", UssdForm.PLAIN),
        ('a"b', UssdForm.PLAIN),
        ("a\rb", UssdForm.PLAIN),
        ("é", UssdForm.PLAIN),
        ("я", UssdForm.UCS2),
        ("1" * 183, UssdForm.PACKED),
        ("*100#", UssdForm.AUTO),
        ("*100#", UssdForm.OCTETS),
        ("*100#", UssdForm.BY_DCS),
    ],
)
def test_codes_that_cannot_be_sent(code: str, form: UssdForm) -> None:
    with pytest.raises(SmsFormatError):
        encode_ussd(code, form)


def ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def packed(text: str) -> str:
    return pack(encode(text)).hex().upper()


@pytest.mark.parametrize(
    ("raw", "dcs", "charset", "packs", "text", "form"),
    [
        ("Balance: 5.00", 15, Charset.GSM, False, "Balance: 5.00", UssdForm.PLAIN),
        ("Balance: 5.00", 15, Charset.GSM, True, "Balance: 5.00", UssdForm.PLAIN),
        ("1234", 15, Charset.IRA, False, "1234", UssdForm.PLAIN),
        (ucs2("Balance: 5.00 €"), 15, Charset.UCS2, False, "Balance: 5.00 €", UssdForm.UCS2),
        (ucs2("Баланс 😀"), 15, Charset.UCS2, True, "Баланс 😀", UssdForm.UCS2),
        (packed("Balance 5.00"), 15, Charset.GSM, True, "Balance 5.00", UssdForm.PACKED),
        (ucs2("Баланс"), 72, Charset.GSM, True, "Баланс", UssdForm.BY_DCS),
        (b"Saldo: 5".hex(), 0x44, Charset.GSM, True, "Saldo: 5", UssdForm.BY_DCS),
        ("ABC", 72, Charset.UCS2, True, "ABC", UssdForm.PLAIN),
        ("", 15, Charset.UCS2, True, "", UssdForm.PLAIN),
    ],
)
def test_auto(raw: str, dcs: int, charset: Charset, packs: bool, text: str, form: UssdForm) -> None:
    read = decode_ussd(raw, dcs, charset=charset, packs=packs)
    assert (read.text, read.form, read.raw) == (text, form, raw)


def test_auto_takes_packed_where_ucs2_would_be_nonsense() -> None:
    raw = "0001" + "E000"  # a control character and a private one
    assert decode_ussd(raw, 15, charset=Charset.UCS2, packs=True).form is UssdForm.PACKED


@pytest.mark.parametrize(
    ("raw", "dcs", "form", "text"),
    [
        (packed("en\rHello"), 0x10, UssdForm.PACKED, "Hello"),
        ("en\rHello", 0x10, UssdForm.PLAIN, "Hello"),
        ("en\rHello", 15, UssdForm.PLAIN, "en\rHello"),
        ("6537" + ucs2("Hello"), 0x11, UssdForm.BY_DCS, "Hello"),
        (packed("Hello"), 15, UssdForm.BY_DCS, "Hello"),
        (ucs2("Hello"), 15, UssdForm.UCS2, "Hello"),
        ("48e9", 15, UssdForm.OCTETS, "Hé"),
        ("1\x02 \x11 \x1b\x3c\x1b\x3e\n@$", 15, UssdForm.PLAIN, "1$ _ []\n@$"),
    ],
)
def test_forms(raw: str, dcs: int, form: UssdForm, text: str) -> None:
    assert decode_ussd(raw, dcs, form).text == text


@pytest.mark.parametrize("form", [UssdForm.UCS2, UssdForm.PACKED, UssdForm.OCTETS, UssdForm.BY_DCS])
def test_a_given_form_is_held_to(form: UssdForm) -> None:
    with pytest.raises(SmsFormatError, match="not hexadecimal"):
        decode_ussd("Hello", 15, form)


@given(st.text("abc *#019@€[]äя漢😀\n", min_size=1, max_size=60))
def test_ucs2_goes_round_whatever_the_dcs(text: str) -> None:
    assert decode_ussd(ucs2(text), 15, charset=Charset.UCS2).text == text


@given(st.text("abc *#019@€[]ä\n", min_size=1, max_size=60))
def test_packed_goes_round(text: str) -> None:
    assert decode_ussd(encode_ussd(text, UssdForm.PACKED), 15, packs=True).text == text

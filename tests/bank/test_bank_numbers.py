"""What may reach ATD, and what never does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.bank.numbers import (
    COMMON_EMERGENCY,
    E164,
    Dialable,
    NumberKind,
    caller_number,
    is_emergency,
    parse_dialable,
)
from modembank.config import CallSettings
from modembank.errors import DestinationRefusedError, EmergencyNumberError, InvalidNumberError, RequestError

DEFAULT = CallSettings()


@pytest.mark.parametrize(
    "raw",
    [
        "+447700900123",
        "07700 900123",
        "07700-900-123",
        "(07700) 900.123",
        "+44 (0)7700 900123",
        "0044 7700 900123",
        "07700/900123",
        " +447700900123 ",
    ],
)
def test_what_people_write_becomes_e164(raw):
    assert parse_dialable(raw, "GB", DEFAULT) == Dialable("+447700900123")


def test_the_whole_range_for_fiction_is_dialable():
    for last in (0, 1, 499, 998, 999):
        assert parse_dialable(f"07700 900{last:03d}", "GB", DEFAULT).number == f"+447700900{last:03d}"


def test_national_numbers_are_read_as_the_banks_country_writes_them():
    assert parse_dialable("030 123456", "DE", DEFAULT).number == "+4930123456"
    assert parse_dialable("011 44 7700 900123", "US", DEFAULT).number == "+447700900123"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "+",
        "abc",
        "*100#",
        "**21*+447700900123#",
        "+447700900123;",
        "+447700900123,5",
        "07700900123w",
        "+447700900123>",
        "+447700900123I",
        "07700900123\r",
        "07700900123\nATH",
        "07700900123\x1a",
        "\x0007700900123",
        "++447700900123",
        "447700+900123",
        "０７７００９００１２３",
        "٠٧٧٠٠٩٠٠١٢٣",
        "07700\u00a0900123",
        "+44770090012345678",
        "+07700900123",
        "1" * 50,
        "12",
        "+4477009001",
    ],
)
def test_nothing_else_passes(raw):
    with pytest.raises(InvalidNumberError):
        parse_dialable(raw, "GB", DEFAULT)


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("112", "GB"),
        ("911", "GB"),
        ("999", "DE"),
        ("9-9-9", "GB"),
        ("9-1-1", "DE"),
        ("+112", "GB"),
        ("(999)", "GB"),
        ("110", "DE"),
        ("000", "AU"),
        ("119", "JP"),
    ],
)
def test_emergency_numbers_are_refused_and_passed_only_when_switched_on(raw, country):
    with pytest.raises(EmergencyNumberError):
        parse_dialable(raw, country, DEFAULT)
    allowed = parse_dialable(raw, country, CallSettings(emergency_numbers=True))
    assert allowed.kind is NumberKind.EMERGENCY
    assert re.fullmatch(r"[0-9]{3}", allowed.number)


def test_an_emergency_number_is_none_the_less_for_standing_among_the_short_codes():
    with pytest.raises(EmergencyNumberError):
        parse_dialable("999", "GB", CallSettings(short_codes=("999",)))


def test_short_codes_pass_only_from_the_list():
    with pytest.raises(InvalidNumberError):
        parse_dialable("118500", "GB", DEFAULT)
    allowed = CallSettings(short_codes=("118500",))
    assert parse_dialable("118 500", "GB", allowed) == Dialable("118500", NumberKind.SHORT_CODE)


@pytest.mark.parametrize("prefix", ["870", "878", "881", "882", "883", "888", "979"])
@pytest.mark.parametrize("plus", ["+", "00"])
def test_satellite_and_premium_networks_are_refused(prefix, plus):
    with pytest.raises(DestinationRefusedError) as raised:
        parse_dialable(f"{plus}{prefix}612345678", "GB", DEFAULT)
    assert not isinstance(raised.value, EmergencyNumberError)


@given(st.text(max_size=25) | st.text("+0123456789 -.()/*#;", max_size=25))
def test_whatever_comes_in_only_clean_e164_comes_out(raw):
    try:
        dialable = parse_dialable(raw, "GB", DEFAULT)
    except RequestError:
        return
    assert E164.fullmatch(dialable.number)
    assert dialable.number.isascii()
    assert not is_emergency(raw.strip(), "GB")
    assert dialable.number.lstrip("+") not in COMMON_EMERGENCY


def test_callers_are_shown_as_e164_where_they_can_be():
    assert caller_number("07700900123", "GB") == "+447700900123"
    assert caller_number("150", "GB") == "150"
    assert caller_number("+881612345678", "GB") == "+881612345678"
    assert caller_number("OperatorX", "GB") == "OperatorX"
    assert caller_number("", "GB") is None
    assert caller_number(None, "GB") is None


@pytest.mark.parametrize("code", ["000", "110", "112", "118", "119", "911", "999"])
def test_a_short_code_lets_no_emergency_number_through(code):
    with pytest.raises(EmergencyNumberError):
        parse_dialable(code, "GB", CallSettings(short_codes=(code,)))

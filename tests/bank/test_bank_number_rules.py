"""What the rules for own numbers make of an operator's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from modembank.bank.numbers import E164
from modembank.bank.ussd_codes import read_own_number, rule_for
from modembank.config import NumberRule
from modembank.errors import InvalidNumberError

RULE = NumberRule(plmn="00101", code="*135#", pattern=r"number is\s*(?P<number>[+0-9 ()\n-]+)")


@pytest.mark.parametrize(
    "text",
    [
        "Your number is 07700 900321.", "number is +447700900321", "Dear customer,\nnumber is 447700900321\nBye",
        "number is (07700) 900-321", "number is 07700\n900321",
    ],
)  # fmt: skip
def test_every_way_to_write_it_becomes_e164(text: str) -> None:
    assert read_own_number(text, RULE, "GB") == "+447700900321"


@pytest.mark.parametrize("text", ["", "Try again later", "number is 42", "number is ++", "number is " + "7" * 60])
def test_what_is_no_number_is_none(text: str) -> None:
    with pytest.raises(InvalidNumberError):
        read_own_number(text, RULE, "GB")


@given(st.text(alphabet="number is+07 ()-\n4x", max_size=80))
def test_whatever_a_network_says_is_a_number_or_refused(text: str) -> None:
    try:
        number = read_own_number("number is " + text, RULE, "GB")
    except InvalidNumberError:
        return
    assert E164.fullmatch(number)


def test_the_home_operators_rule_wins() -> None:
    other = NumberRule(plmn="00102", code="*1#", pattern="(?P<number>.+)")
    assert rule_for((RULE, other), "001020000000001", "00101") is other
    assert rule_for((RULE, other), None, "00101") is RULE
    assert rule_for((RULE, other), "999990000000001", "99999") is None


@pytest.mark.parametrize("pattern", ["no group", "(?P<amount>1)", "("])
def test_a_rule_without_its_group_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        NumberRule(plmn="00101", code="*135#", pattern=pattern)

"""Which USSD codes pass, and what an amount reads as."""

from __future__ import annotations

from decimal import Decimal

import pytest

from modembank.bank.ussd_codes import check_answer, check_code, read_amount, rule_for
from modembank.config import BalanceRule
from modembank.errors import BalanceUnknownError, UssdRefusedError

RULE = BalanceRule(plmn="00101", code="*100#", pattern=r"is (?P<amount>\S+)", unit="GBP")
ALLOWED = ("*100#", "*101*{digits}#", "**21*{digits}#", "*#21#")


@pytest.mark.parametrize("code", ["*100#", "*101*1#", "*101*12345678901234567890#", "*#21#"])
def test_listed_codes_pass(code: str) -> None:
    check_code(code, ALLOWED)


@pytest.mark.parametrize(
    "code",
    (
        *("*101#", "*100*1#", "*101*#", "*101*1*2#", "*101*" + "1" * 21 + "#", "x*100#", "*100#x"),
        *("**21*07700900901#", "##002#", "*61*1#", "#67#", "**04*1234*4321*4321#", "*33*0000#", "*003*1#"),
    ),
)
def test_others_do_not_though_somebody_listed_a_diversion(code: str) -> None:
    with pytest.raises(UssdRefusedError):
        check_code(code, ALLOWED)


def test_an_answer_that_reads_as_a_code_must_be_listed() -> None:
    for text in ("1", "yes", "*100#", "07700900901"):
        check_answer(text, ALLOWED)
    for text in ("**21*07700900901#", "*102#"):
        with pytest.raises(UssdRefusedError):
            check_answer(text, ALLOWED)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("is £12.34. Bye", "12.34"), ("is 1,50 EUR", "1.50"), ("is 1,234.50", "1234.50"), ("is -3 left", "-3")],
)
def test_amounts(text: str, amount: str) -> None:
    assert read_amount(text, RULE) == Decimal(amount)


@pytest.mark.parametrize("text", ["nothing here", "is unknown", ""])
def test_no_amount(text: str) -> None:
    with pytest.raises(BalanceUnknownError):
        read_amount(text, RULE)


def test_the_rule_is_that_of_the_home_operator() -> None:
    other = BalanceRule(plmn="99999", code="*1#", pattern="(?P<amount>.)", unit="MB")
    assert rule_for((other, RULE), "001010000000001", "99999") is RULE
    assert rule_for((other, RULE), None, "99999") is other
    assert rule_for((RULE,), "234150000000001", "23415") is None

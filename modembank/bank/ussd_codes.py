"""Which USSD codes may be sent, and what the answers about a balance and an own number say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from modembank.bank.numbers import E164, caller_number
from modembank.config import BalanceRule, NumberRule, UssdRule
from modembank.errors import BalanceUnknownError, InvalidNumberError, UssdRefusedError

# Register, erase or switch call forwarding (21, 61, 62, 67, 002, 004) and barring (33, 330 to 333, 35, 351, 353), and
# change a PIN or a password (03, 04, 042, 05, 052). Source: 3GPP TS 22.030 sections 6.5.2, 6.6 and annex B.
_NEVER = re.compile(r"[*#]{1,2}(21|61|62|67|002|004|33[0-3]?|35|351|353|03|04|042|05|052)[*#]")
# An interrogation changes nothing.
_ASKS = re.compile(r"\*#[0-9]+#")
_CODE = re.compile(r"[*#][0-9*#]*#")
_DIGITS = "{digits}"
_NOT_NUMERIC = re.compile(r"[^0-9.,+-]")
_SPACE = re.compile(r"\s+")

RuleT = TypeVar("RuleT", bound=UssdRule)


def check_code(code: str, allowed: Iterable[str]) -> None:
    """Let a code pass that the settings list. Raises UssdRefusedError."""
    if _NEVER.match(code) and not _ASKS.fullmatch(code):
        raise UssdRefusedError("codes that divert or bar calls or change a PIN are refused; use a telephone for them")
    if not any(_pattern(one).fullmatch(code) for one in allowed):
        raise UssdRefusedError("this USSD code is not in ussd.codes; an operator of this server may add it there")


def check_answer(text: str, allowed: Iterable[str]) -> None:
    """Let an answer to a menu pass; one that reads as a code must be allowed as such. Raises UssdRefusedError."""
    if _CODE.fullmatch(text):
        check_code(text, allowed)


def rule_for(rules: Sequence[RuleT], imsi: str | None, plmn: str | None) -> RuleT | None:
    """The rule of a SIM's home operator, else of the network that it is in."""
    home = (rule for rule in rules if imsi is not None and imsi.startswith(rule.plmn))
    return next(home, None) or next((rule for rule in rules if rule.plmn == plmn), None)


def read_amount(text: str, rule: BalanceRule) -> Decimal:
    """The amount in the network's text; a comma may stand for the decimal point. Raises BalanceUnknownError."""
    found = re.search(rule.pattern, text)
    if found is None or found["amount"] is None:
        raise BalanceUnknownError("the network's text does not fit the pattern of balance.rules")
    written = _NOT_NUMERIC.sub("", found["amount"])
    written = written.rstrip(".,")
    if "," in written and "." not in written:
        written = written.replace(",", ".")
    try:
        return Decimal(written.replace(",", ""))
    except InvalidOperation:
        raise BalanceUnknownError("the group `amount` of the pattern in balance.rules found no number") from None


def read_own_number(text: str, rule: NumberRule, country: str) -> str:
    """The own number in the network's text as E.164; a national one is read as the country writes it.

    Raises InvalidNumberError: the text does not fit the pattern, or what it finds is no subscriber's number.
    """
    found = re.search(rule.pattern, text)
    if found is None or not found["number"]:
        raise InvalidNumberError("the network's text does not fit the pattern of sims.number_rules")
    number = caller_number(_SPACE.sub(" ", found["number"]).strip(), country)
    if number is None or not E164.fullmatch(number):
        raise InvalidNumberError("the group `number` of the pattern in sims.number_rules found no telephone number")
    return number


def _pattern(allowed: str) -> re.Pattern[str]:
    return re.compile(re.escape(allowed).replace(re.escape(_DIGITS), "[0-9]{1,20}"))

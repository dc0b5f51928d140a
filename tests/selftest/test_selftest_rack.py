"""The rack file and the budget: what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.errors import LimitReachedError, NotInRackError, SettingsError
from modembank.selftest.rack import Budget, Limits, read_rack
from tests.support.bank import ROOT

RACK = """
[limits]
calls = 3
minutes = 5
messages = 2
money = 0.50
currency = "EUR"
price_per_minute = 0.10
price_per_message = 0.05

[[sim]]
name = "A"
iccid = "8944000000000000001"
number = "+447700900001"
may_call = ["B", "+447700900901"]
may_text = ["B"]
ussd = "*100#"

[[sim]]
name = "B"
slot = "hub 1, port 3"
number = "+447700900002"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rack.toml"
    path.write_text(text)
    return path


def test_who_may_reach_whom(tmp_path: Path) -> None:
    rack = read_rack(written(tmp_path, RACK))
    rack.check_call("A", "B")
    rack.check_call("A", "+447700900002")
    rack.check_call("A", "+447700900901")
    rack.check_text("A", "+447700900002")


@pytest.mark.parametrize(
    ("sim", "to"), [("A", "+447700900003"), ("B", "A"), ("B", "+447700900001"), ("C", "A"), ("A", "A")]
)
def test_what_is_not_in_the_file_is_refused(tmp_path: Path, sim: str, to: str) -> None:
    with pytest.raises(NotInRackError):
        read_rack(written(tmp_path, RACK)).check_call(sim, to)


def test_a_number_that_may_be_called_may_not_be_texted_for_that(tmp_path: Path) -> None:
    with pytest.raises(NotInRackError, match="may_text"):
        read_rack(written(tmp_path, RACK)).check_text("A", "+447700900901")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "B"', 'name = "A"', "same name"),
        ('may_text = ["B"]', 'may_text = ["Z"]', "neither"),
        ('slot = "hub 1, port 3"', "", "either iccid or slot"),
        ("+447700900002", "07700900002", "sim.1.number"),
        ("calls = 3", "calls = -3", "limits.calls"),
        ("calls = 3", "call = 3", "limits.call"),
        ('ussd = "*100#"', 'ussd = "100"', "sim.0.ussd"),
        ("[limits]", "[limits", "TOML"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_rack(written(tmp_path, RACK.replace(old, new)))


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_rack(tmp_path / "none.toml")


def test_the_example_is_valid() -> None:
    rack = read_rack(ROOT / "hardware" / "rack.example.toml")
    assert len(rack.sim) >= 2


def test_limits_stop_before_they_are_passed() -> None:
    budget = Budget(Limits(calls=3, minutes=5, money=0.5, price_per_minute=0.1))
    first = budget.take_call(120)
    second = budget.take_call(120)
    with pytest.raises(LimitReachedError, match="5 minutes"):
        budget.take_call(120)
    budget.settle_call(first, 31)
    budget.settle_call(second, 61)
    assert budget.spent() == "2 calls, 3 minutes, 0 messages, 0.30 GBP"
    third = budget.take_call(90)
    budget.settle_call(third, 0)
    with pytest.raises(LimitReachedError, match="3 calls"):
        budget.take_call(1)


def test_money_is_a_limit_of_its_own() -> None:
    budget = Budget(Limits(calls=99, minutes=99, messages=99, money=0.25, price_per_minute=0.1, price_per_message=0.05))
    budget.settle_call(budget.take_call(60), 60)
    budget.take_message(3)
    with pytest.raises(LimitReachedError, match=r"0\.25 GBP"):
        budget.take_message()
    with pytest.raises(LimitReachedError, match=r"0\.25 GBP"):
        budget.take_call(60)


def test_messages_are_a_limit_of_their_own() -> None:
    budget = Budget(Limits(messages=2))
    with pytest.raises(LimitReachedError, match="2 messages"):
        budget.take_message(3)
    budget.take_message(2)
    with pytest.raises(LimitReachedError):
        budget.take_message()


@given(
    st.lists(st.tuples(st.floats(1, 600), st.floats(0, 1)), max_size=30),
    st.integers(0, 10),
    st.integers(0, 30),
    st.floats(0, 3),
)
def test_no_limit_is_ever_passed(calls: list[tuple[float, float]], most: int, minutes: int, money: float) -> None:
    budget = Budget(Limits(calls=most, minutes=minutes, money=money, price_per_minute=0.1))
    for longest_s, share in calls:
        try:
            ticket = budget.take_call(longest_s)
        except LimitReachedError:
            continue
        budget.settle_call(ticket, longest_s * share)
        assert budget.calls <= most
        assert budget.minutes <= minutes
        assert budget.money <= money + 1e-9

"""`+CUSD` lines as networks and firmware write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at.ussd import UssdReply, UssdStatus, read_ussd
from modembank.errors import AtSyntaxError

DONE, WANTED = UssdStatus.DONE, UssdStatus.REPLY_WANTED
MENU = '1. Balance\n2. "Offers", new'


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ('+CUSD: 0,"Balance: 5.00",15', (DONE, "Balance: 5.00", 15)),
        ('+CUSD:1,"x",72\r\n', (WANTED, "x", 72)),
        (f'+CUSD: 1,"{MENU}",15', (WANTED, MENU, 15)),
        ('+CUSD: 0,"a","b",15', (DONE, 'a","b', 15)),
        ('+CUSD: 0,"say "hi""', (DONE, 'say "hi"', None)),
        ('+CUSD: 0,"",15', (DONE, "", 15)),
        ('+CUSD: 0,"x",', (DONE, "x", None)),
        ('+CUSD: 0,"x"y', (DONE, "x", None)),
        ("+CUSD: 2", (UssdStatus.TERMINATED, None, None)),
        ("+CUSD: 4", (UssdStatus.NOT_SUPPORTED, None, None)),
        ("+CUSD: 5,,15", (UssdStatus.TIMEOUT, None, 15)),
        ("+CUSD: 0,AA18,15", (DONE, "AA18", 15)),
        ("+CUSD: 0,AA18", (DONE, "AA18", None)),
    ],
)
def test_cusd(line: str, reply: tuple[UssdStatus, str | None, int | None]) -> None:
    assert read_ussd(line, "GSM") == UssdReply(*reply, "GSM")


@pytest.mark.parametrize("line", ["", "+CUSD:", "+CUSD: 6", "+CUSD: x", "+CUSD: 00", "+CSQ: 1", '+CUSD: 0,"x'])
def test_what_is_no_cusd(line: str) -> None:
    with pytest.raises(AtSyntaxError):
        read_ussd(line, None)


@given(st.one_of(st.text(max_size=40), st.text('+CUSD: 0123459,"\n A', max_size=30).map("+CUSD: 0".__add__)))
def test_cusd_lines(line: str) -> None:
    try:
        reply = read_ussd(line, None)
    except AtSyntaxError:
        return
    assert reply.raw is None or reply.raw in line


def test_a_long_line_of_blanks_takes_no_time() -> None:
    with pytest.raises(AtSyntaxError):
        read_ussd('+CUSD: 0,"' + " " * 20000 + "x", None)
    assert read_ussd("+CUSD: 0," + " " * 20000 + "x" + " " * 20000 + "y", None).raw is not None

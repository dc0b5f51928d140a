"""What a person may send to a modem by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at.console import check_console_line
from modembank.errors import AtRefusedError


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        ("AT", "AT"),
        ("ATI", "ATI"),
        ("at+csq", "AT+csq"),
        ("+CREG?", "AT+CREG?"),
        ("AT+COPS?", "AT+COPS?"),
        ("AT+CLCC", "AT+CLCC"),
        ("AT+CPIN?", "AT+CPIN?"),
        ("AT+QCFG=?", "AT+QCFG=?"),
        ("AT^SYSINFOEX", "AT^SYSINFOEX"),
        (" ATI9 ", "ATI9"),
    ],
)
def test_commands_that_read_pass(line, sent):
    assert check_console_line(line) == sent


@pytest.mark.parametrize(
    "line",
    [
        "ATD+447700900123;",
        "atd123",
        "AT D 112;",
        "ATA",
        "ATH",
        "AT&F",
        "ATZ",
        "AT+CFUN=0",
        "AT+CFUN=1,1",
        "AT+CLCK?",
        "AT+CLCK=?",
        'AT+CPIN="0000"',
        "AT+CPIN=0000",
        "AT+CPWD=?",
        "AT+CMGS=?",
        'AT+CUSD=1,"*100#"',
        "AT+EGMR=?",
        "AT^CARDLOCK?",
        "AT+CSQ;D112;",
        "AT+CSQ;+CFUN=0",
        "AT+COPS=?",
        "AT+COPS=2",
        "AT+CSQ\rATD112;",
        "AT+CSQ\n",
        "AT+CMGR=1",
        "ATI" + " " * 200 + "X",
        "AT+CSQ\x1a",
        "ÄT",
    ],
)
def test_everything_else_is_refused(line):
    with pytest.raises(AtRefusedError):
        check_console_line(line)


def test_without_the_list_settings_may_be_changed_but_nothing_is_dialled():
    assert check_console_line("AT+CFUN=1,1", unrestricted=True) == "AT+CFUN=1,1"
    assert check_console_line('AT+QCFG="ims",1', unrestricted=True) == 'AT+QCFG="ims",1'
    for line in ("ATD112;", "AT+CSQ;D112;", 'AT+EGMR=1,7,"1"', "AT+CSQ\rATD112;"):
        with pytest.raises(AtRefusedError):
            check_console_line(line, unrestricted=True)


@given(st.text(max_size=30), st.booleans())
def test_no_line_ever_holds_two_lines(line, unrestricted):
    try:
        sent = check_console_line(line, unrestricted=unrestricted)
    except AtRefusedError:
        return
    assert sent.isprintable()
    assert sent.isascii()

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


@pytest.mark.parametrize(
    "line",
    [
        "ATE0D+447700900901;",
        "ATE0V1D112;",
        "ate0 d112;",
        "AT&D2D112;",
        "ATS7=60D112;",
        "ATS3?D112;",
        "AT;D112;",
        "AT+CFUN=1;E0D112;",
        'AT+QCFG="a;b";D112;',
        'AT+QCFG="a\\";"D112;',
        'AT+QCFG="a;D112;',
        "AT+CSQ D112;",
        "AT%C0D112;",
        "ATE0A",
        "ATA",
        "A/",
        "a/",
        "ATA/",
        "ATE0A/",
        "ATATD112;",
        "AT+CFUN=1;A",
        "ATS0=1",
        "ATE0S00=2",
        'AT+CKPD="112S"',
        'ATE0+EGMR=1,7,"1"',
        'AT+CSQ;+SIMEI="1"',
        "AT+CFUN=1;^CARDLOCK?",
        "AT+CDV112",
        "AT+CDV=112",
        "AT+CECALL=0",
        "+++",
    ],
)
def test_no_place_in_the_line_hides_a_call_or_a_new_imei(line):
    for unrestricted in (False, True):
        with pytest.raises(AtRefusedError):
            check_console_line(line, unrestricted=unrestricted)


@pytest.mark.parametrize(
    "line",
    [
        *("ATE0V1", "AT&F", "AT&D2", "ATZ", "ATH", "ATS0=0", "ATS7=60", "AT E0 V1", "AT+CHUP", "AT+CHLD=2"),
        *("AT^DDSETEX=2", 'AT+QCFG="a;D112;",1', "AT+CSQ;+COPS?", "AT+CFUN=1, 1", "AT$QCPWRDN", "AT+CPIN=0000;&V"),
    ],
)
def test_changing_commands_need_the_unrestricted_console(line):
    assert check_console_line(line, unrestricted=True) == line
    with pytest.raises(AtRefusedError):
        check_console_line(line)


def basic_commands(line):
    """Read a line letter by letter, as a modem would: the letters of its basic commands."""
    rest = list(line.upper().removeprefix("AT"))
    while rest:
        first = rest.pop(0)
        if first in "+^$%*#!":
            quoted = False
            while rest and (quoted or rest[0] != ";"):
                quoted ^= rest.pop(0) == '"'
        elif first in "&\\":
            rest.pop(0)
        elif first.isalpha():
            yield first


FRAGMENTS = ["AT", "A", "D112;", "d", "E0", "V1", "S7=60", "S0", "&D2", "&", "+CFUN=1", "+QCFG=", '"', ";", " ", "?"]
LINES = st.lists(st.sampled_from([*FRAGMENTS, "%C0", "^X", "/", ",", "\\", "="]), max_size=8).map("".join)


@given(LINES | st.text(st.characters(codec="ascii"), max_size=30))
def test_no_accepted_line_dials_or_answers(line):
    try:
        sent = check_console_line(line, unrestricted=True)
    except AtRefusedError:
        return
    assert not {"D", "A"} & set(basic_commands(sent))


@given(st.text(max_size=30), st.booleans())
def test_no_line_ever_holds_two_lines(line, unrestricted):
    try:
        sent = check_console_line(line, unrestricted=unrestricted)
    except AtRefusedError:
        return
    assert sent.isprintable()
    assert sent.isascii()

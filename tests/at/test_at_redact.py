"""Nothing of a person stays in a transcript, and what is left still parses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at.calls import read_clcc
from modembank.at.identity import read_cnum, read_iccid
from modembank.at.redact import Redactor
from modembank.sms import pdu as pdus

# Canaries: none of these may be in what comes out.
NUMBER, IMEI, IMSI, ICCID = "+447700900457", "867762045123456", "001018765432109", "89447654321012345678"
CONVERSATION = [
    "AT+CGSN", IMEI, "AT+CIMI", IMSI, "AT+QCCID", f"+QCCID: {ICCID}", f"^ICCID: {ICCID[:19]}F",
    '+CRSM: 144,0,"98446745230121436587"', f'+CNUM: "Alice","{NUMBER}",145', f"ATD{NUMBER};", f"AT+CMEE=1;D{NUMBER};",
    f'+CLIP: "{NUMBER}",145,,,"Alice",0', f'+CLCC: 1,0,0,0,0,"{NUMBER}",145,"Alice"',
    f"^DSCI: 1,0,3,0,{NUMBER[1:]},145,0", f'+QIND: "ccinfo",2,0,0,0,0,"{NUMBER}",145', f'+COLP: "{NUMBER}",145',
    'AT+CPIN="4711"', "AT+CPIN=4711", 'AT+CLCK="SC",0,"4711"', 'AT+CPWD="SC","4711","4712"',
    '+CREG: 2,1,"BEEF","0CAFE123",7', '+CUSD: 0,"Your balance is secret",15', 'AT+CUSD=1,"*100*4711#",15',
    '+CUSD: 0,"' + "secret".encode("utf-16-be").hex().upper() + '",72', '+CUSD: 1,"F3F21C2E4FBB41",15',
    '+CUSD: 1,"secret\nmenu secret",15', '+CPBR: 1,"+447700900457",145,"Alice"',
    f'+CNUM: "","{NUMBER.encode("utf-16-be").hex().upper()}",145', f'ERROR+CNUM: ,"{NUMBER}",145',
    "+CMGR: 0,,24\n07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
    '+CMGR: "REC READ","+447700900457",,"26/11/22"\nsecret', 'AT+VTS="7"',
    '+CMT: "Alice",24\n07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07',
    '+QENG: "servingcell","NOCONN","LTE","FDD",001,01,5B2A03B,117,1300,3',
    "+CPSI: LTE,Online,001-01,0x1816,187214780,27",
    "+QGPSLOC: 061951.0,3150.7223N,11711.9293E,0.7", "$GPGGA,061951.0,3150.7223,N,11711.9293,E,1",
    "AT^DTMF=1,7", "+QTONEDET: 55",
]  # fmt: skip
CANARIES = [
    NUMBER[1:], NUMBER[-9:], IMEI, IMSI, ICCID[:19], "98446745230121436587", "4711", "4712", "Alice",
    "BEEF", "CAFE", "secret", "balance", "00730065", "F3F21C2E", "1346610089",
    "C8F71D14", "5B2A03B", "187214780", "3150", "7223", "11711", 'VTS="7', "DTMF=1,7", "DET: 55",
]  # fmt: skip


def test_no_canary_comes_out() -> None:
    redactor = Redactor()
    told = "\n".join(redactor.line(line) for line in CONVERSATION)
    swapped = NUMBER[1:].encode("utf-16-be").hex().upper()
    found = [canary for canary in [*CANARIES, swapped] if canary in told]
    assert not found, (found, told)


def test_what_was_the_same_stays_the_same_and_parses() -> None:
    redactor = Redactor()
    dialled = redactor.line(f"ATD{NUMBER};")
    assert re.fullmatch(r"ATD\+447700900\d{3};", dialled)
    number = dialled[3:-1]
    assert read_clcc(redactor.line(f'+CLCC: 1,0,0,0,0,"{NUMBER}",145')).number == number
    assert read_cnum(redactor.line(f'+CNUM: "Alice","{NUMBER}",145')) == number
    assert redactor.line(f"^DSCI: 1,0,3,0,{NUMBER[1:]},145,0") == f"^DSCI: 1,0,3,0,{number[1:]},145,0"
    other = redactor.line("ATD+447700900458;")
    assert other not in (dialled, "ATD+447700900458;")
    plain = read_iccid(redactor.line(f"+QCCID: {ICCID}"), "+QCCID:")
    assert plain is not None and plain.startswith("8944") and len(plain) == len(ICCID)
    assert redactor.line(IMEI) == redactor.line(IMEI) != redactor.line(IMSI)
    assert redactor.line(IMSI).startswith("00101")


@pytest.mark.parametrize(
    "line",
    ["AT", "OK", "+CME ERROR: 10", "AT+CMEE=1;+CREG=2", "+CSQ: 20,99", '+COPS: 0,2,"310410",7',
     "AT+CRSM=176,12258,0,0,10", "ATD112;", "EC25EFAR06A03M4G",
     "^CEND:1,37,104,16", '+QNWINFO: "FDD LTE","26201","LTE BAND 3",1300'],
)  # fmt: skip
def test_what_says_nothing_of_anybody_stays(line: str) -> None:
    assert Redactor().line(line) == line


@pytest.mark.parametrize(
    "pdu",
    [
        "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
        "07911326040000F0440B911346610089F60008208062917314081106080412340301006800690020D83DDE00",
        "0791447758100650040DD049B7F93D6D4E0100009010714132400005E8329BFD06",
        "0006D60B911326880736F4111011719551401110117195714000",
        "07915155000000F011000B915155214365F70000FF0BE8329BFD06DDDF723619",
        "0031000B915155214365F70000FF13E8329BFD0699E5EF3668DE9ED3DF6FF61C",
    ],
)
def test_a_message_keeps_its_form(pdu: str) -> None:
    told = Redactor().line(pdu)
    assert len(told) == len(pdu) and told != pdu
    before, after = pdus.decode(pdu), pdus.decode(told)
    assert type(before) is type(after)


@given(st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=60), st.integers(0, 15))
def test_no_line_is_too_odd(text: str, _: int) -> None:
    Redactor().line(text)


@given(st.binary(min_size=11, max_size=40))
def test_no_message_is_too_odd(data: bytes) -> None:
    told = Redactor().line(data.hex())
    assert len(told) == 2 * len(data)


@given(st.from_regex(r"\+[1-9][0-9]{8,13}", fullmatch=True))
def test_any_number_goes(number: str) -> None:
    redactor = Redactor()
    for line in (f"ATD{number};", f'+CLIP: "{number}",145', f"x {number} y", f'+CLCC: 1,1,4,0,0,"{number}",145'):
        told = redactor.line(line)
        assert re.search(r"\+447700900[0-9]{3}", told)
        assert number not in told or number.startswith("+447700900")

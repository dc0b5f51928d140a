"""Commands, parsers and masks of the AT protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at import calls, identity, network
from modembank.at.calls import CallKind, Cause, ClccState, CurrentCall, Direction, Evidence, Indication
from modembank.at.command import AtCommand, RetryClass, console, dial, dtmf, join, setting
from modembank.at.fields import read_fields
from modembank.at.identity import SimStatus
from modembank.at.mask import mask
from modembank.at.network import Operator, Registration, RegistrationReport
from modembank.at.result import Result
from modembank.errors import AtResultError, AtSyntaxError, CmeError, CmsError, InvalidNumberError


def test_atd_is_a_voice_call_and_never_sent_twice() -> None:
    command = dial("+447700900901")
    assert command.line == b"ATD+447700900901;\r"
    assert command.retry is RetryClass.NEVER


@pytest.mark.parametrize(
    "number",
    ["", "+", "12", "*100#", "**21*447700900901#", "447700900901;", "0770 0900901", "447700900901\r", "44i77", "٤٤٧٧٠٠",
     "+4477009009012345", "4+4770", ">1", "123,4", "123\n"],
)  # fmt: skip
def test_nothing_but_digits_reaches_atd(number: str) -> None:
    with pytest.raises(InvalidNumberError):
        dial(number)


@given(st.text(max_size=20))
def test_whatever_is_dialled_is_a_plus_and_digits(number: str) -> None:
    try:
        line = dial(number).line
    except InvalidNumberError:
        return
    assert line.startswith(b"ATD") and line.endswith(b";\r")
    assert line[3:-2].lstrip(b"+").isdigit()


@pytest.mark.parametrize("text", ["+CSQ\r", "+CSQ\x1a", "+CSQ\x1b", "+CSQ\n", "+CUSD=é", "\x00"])
def test_control_bytes_never_reach_the_line(text: str) -> None:
    with pytest.raises(AtSyntaxError):
        AtCommand(text)


@pytest.mark.parametrize("digit", ["", "11", "a", ",", '"', "\r"])
def test_dtmf_takes_one_digit(digit: str) -> None:
    with pytest.raises(AtSyntaxError):
        dtmf(digit)


def test_join_takes_the_longest_deadline_and_the_strictest_retry_class() -> None:
    joined = join(AtCommand("+A", "+A:", 1.0), AtCommand("+B", "+B:", 9.0, RetryClass.NEVER), setting("+C=1"))
    assert (joined.text, joined.prefixes, joined.timeout_s) == ("+A;+B;+C=1", ("+A:", "+B:"), 9.0)
    assert joined.retry is RetryClass.NEVER


@pytest.mark.parametrize(
    ("line", "text", "prefixes"),
    [
        ("AT+CSQ", "+CSQ", ("+CSQ:",)),
        ("at+creg?;+cops?", "+creg?;+cops?", ("+CREG:", "+COPS:")),
        (" ATI ", "I", ()),
        ("^DSCI?", "^DSCI?", ("^DSCI:",)),
    ],
)
def test_console_lines(line: str, text: str, prefixes: tuple[str, ...]) -> None:
    command = console(line)
    assert (command.text, command.prefixes, command.retry) == (text, prefixes, RetryClass.NEVER)


def test_fields_keep_commas_inside_quotes() -> None:
    assert read_fields('+COPS: 0,0,"A, B",7', "+COPS:") == ("0", "0", "A, B", "7")
    with pytest.raises(AtSyntaxError):
        read_fields('+COPS: "open', "+COPS:")


def test_clcc_leaves_the_data_bearer_out() -> None:
    info = ('+CLCC: 1,0,0,1,0,"",128', '+CLCC: 2,1,4,0,0,"+447700900123",145')
    call = CurrentCall(2, Direction.MT, ClccState.INCOMING, 0, "+447700900123")
    assert calls.read_voice_calls(info) == (call,)


@pytest.mark.parametrize("line", ["+CLCC: ", "+CLCC: 1,0,9,0,0", "+CLCC: 1,7,0,0,0", "+CLCC: a,0,0,0,0", "+CSQ: 1,2"])
def test_a_wrong_clcc_line_is_an_at_syntax_error(line: str) -> None:
    with pytest.raises(AtSyntaxError):
        calls.read_clcc(line)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ('+CLIP: "+447700900123",145,,,,0', "+447700900123"),
        ('+CLIP: "+447700900123",145', "+447700900123"),
        ('+CLIP: "",128,,,,1', None),
        ('+CLIP: "447700900123",129,"",0,"",1', None),
    ],
)
def test_clip(line: str, number: str | None) -> None:
    assert calls.read_clip(line) == number


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("+CEER: 5,17", Cause(17, "user busy")),
        ("+CEER: Normal call clearing", Cause(16, "Normal call clearing")),
        ('+CEER: "User busy"', Cause(17, "User busy")),
        ("+CEER: 0,16,Normal call clearing", Cause(16, "Normal call clearing")),
        ("+CEER: No cause information available", None),
        ("+CEER: ", None),
        ("+CEER: Phone is offline", Cause(None, "Phone is offline")),
    ],
)
def test_ceer(line: str, cause: Cause | None) -> None:
    assert calls.read_ceer(line) == cause


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("+CEER: 9,14,0", True),
        ("+CEER: 9,16", True),
        ("+CEER: Number is blacklisted", True),
        ('+CEER: "number in black list"', True),
        ("+CEER: 9,1,0", False),
        ("+CEER: 9,140", False),
        ("+CEER: 5,17", False),
        ("+CEER: ", False),
    ],
)
def test_a_number_that_the_modem_refuses_by_itself(line: str, refused: bool) -> None:
    assert calls.BLACKLIST_SIGNS.in_report(line) is refused


def test_call_urcs_of_the_standard() -> None:
    assert calls.read_call_urc("RING") == Indication(CallKind.INCOMING, Evidence.RING, direction=Direction.MT)
    assert calls.read_call_urc("BUSY") == Indication(CallKind.RELEASED, Evidence.FINAL, code="BUSY")
    waiting = calls.read_call_urc('+CCWA: "+447700900124",145,1')
    assert waiting is not None and waiting.kind is CallKind.WAITING and waiting.number == "+447700900124"
    assert calls.read_call_urc("+CSQ: 1,2") is None


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ('+CREG: 2,1,"1A2B","01C3D4",2', RegistrationReport("CREG", Registration.HOME, "UMTS")),
        ('+CREG: 1,"1A2B","01C3D4",7', RegistrationReport("CREG", Registration.HOME, "LTE")),
        ("+CREG: 0,5", RegistrationReport("CREG", Registration.ROAMING, None)),
        ("+CREG: 2", RegistrationReport("CREG", Registration.SEARCHING, None)),
        ("+CEREG: 2,3", RegistrationReport("CEREG", Registration.DENIED, None)),
        ("+CREG: 0,9", RegistrationReport("CREG", Registration.HOME_CSFB_NOT_PREFERRED, None)),
    ],
)
def test_registration(line: str, report: RegistrationReport) -> None:
    assert network.read_registration(line) == report


def test_sms_only_registrations_carry_no_voice() -> None:
    voice = {one for one in Registration if one.carries_voice}
    assert voice == {
        Registration.HOME,
        Registration.ROAMING,
        Registration.HOME_CSFB_NOT_PREFERRED,
        Registration.ROAMING_CSFB_NOT_PREFERRED,
    }


@pytest.mark.parametrize(
    ("line", "operator"),
    [
        ('+COPS: 0,2,"00101",7', Operator(None, "00101", "LTE")),
        ('+COPS: 0,0,"Test@\xa0",0', Operator("Test", None, "GSM")),
        ("+COPS: 0", Operator(None, None, None)),
    ],
)
def test_cops(line: str, operator: Operator) -> None:
    assert network.read_cops(line) == operator


@pytest.mark.parametrize(("line", "dbm"), [("+CSQ: 0,99", -113), ("+CSQ: 31,0", -51), ("+CSQ: 99,99", None)])
def test_csq(line: str, dbm: int | None) -> None:
    assert network.read_csq(line) == dbm


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("+CPIN: READY", SimStatus.READY),
        ("+CPIN: SIM PIN", SimStatus.LOCKED),
        ("+CPIN: PH-NET PIN", SimStatus.LOCKED),
        ("+CPIN: NOT READY", SimStatus.BUSY),
        ("+CPIN: NOT INSERTED", SimStatus.ABSENT),
    ],
)
def test_cpin(line: str, status: SimStatus) -> None:
    assert identity.read_cpin(line) is status


def test_iccid_without_its_filler() -> None:
    assert identity.read_iccid("+QCCID: 8944010000100000008F", "+QCCID:") == "8944010000100000008"
    with pytest.raises(AtSyntaxError):
        identity.read_iccid("+QCCID: ", "+QCCID:")


@pytest.mark.parametrize(
    ("line", "number"),
    [('+CNUM: ,"+447700900000",145', "+447700900000"), ('+CNUM: "","",145', None), ("+CNUM: ,,145", None)],
)
def test_cnum(line: str, number: str | None) -> None:
    assert identity.read_cnum(line) == number


@pytest.mark.parametrize(
    ("final", "error"),
    [
        ("+CME ERROR: 10", CmeError),
        ("+CMS ERROR: 500", CmsError),
        ("ERROR", AtResultError),
        ("+CME ERROR: SIM", AtResultError),
    ],
)
def test_negative_final_result_codes_are_errors(final: str, error: type[AtResultError]) -> None:
    with pytest.raises(error) as caught:
        Result("+CPIN?", final, ()).checked()
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "line",
    [
        "ATD+447700900123;",
        "AT+CPCMREG=0;D+447700900123;",
        '+CLIP: "+447700900123",145',
        "^DSCI: 2,0,7,0,+447700900123,145,0",
        "+QCCID: 8944010000100000008F",
        "866909030010099",
        'AT+CPIN="4711"',
        'AT+CLCK="SC",0,"4711"',
        'AT+CUSD=1,"002A0031003000300023",15',
        '+CUSD: 1,"Your balance is 4711",15',
    ],
)
def test_masked_lines_hold_no_number_and_no_pin(line: str) -> None:
    masked = mask(line)
    assert "***" in masked
    for secret in ("4711", "447700900", "89440100001000", "86690903001", "002A0031"):
        assert secret not in masked


@pytest.mark.parametrize(
    "line", ["AT+CSQ", "+CSQ: 17,99", "AT+CPIN?", "+CPIN: READY", "OK", '+CREG: 1,"1A2B","01C3D4",7']
)
def test_masking_leaves_the_rest_alone(line: str) -> None:
    assert mask(line) == line

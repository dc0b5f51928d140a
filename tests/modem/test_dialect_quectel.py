"""The EC25 family's dialect: identity, call URCs, DTMF, flow control."""

from __future__ import annotations

import pytest

from modembank.at.calls import CallKind, Direction, Evidence, Indication
from modembank.dialects import DIALECTS, Role, find_dialect, get_dialect
from modembank.dialects.quectel import EC25
from modembank.errors import AtSyntaxError

NUMBER = "+447700900901"


def test_found_by_usb_identity_and_by_name() -> None:
    assert find_dialect(0x2C7C, 0x0125) is EC25
    assert find_dialect(0x046D, 0xC31C) is None
    assert get_dialect("quectel-ec25") is EC25
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)


def test_no_usb_identity_belongs_to_two_dialects() -> None:
    ids = [one for dialect in DIALECTS for one in dialect.usb_ids]
    assert len(ids) == len(set(ids))


def test_voice_is_on_the_nmea_interface() -> None:
    assert dict(EC25.interfaces) == {1: Role.AUDIO, 2: Role.AT}


@pytest.mark.parametrize(
    ("stat", "kind"),
    [
        (1, CallKind.HELD),
        (2, CallKind.DIALING),
        (3, CallKind.ANSWERED),  # while 3 in +CLCC is alerting
        (4, CallKind.INCOMING),
        (5, CallKind.WAITING),
        (6, CallKind.RELEASED),
        (7, CallKind.ALERTING),
    ],
)
def test_dsci(stat: int, kind: CallKind) -> None:
    line = f"^DSCI: 2,0,{stat},0,{NUMBER},145,1"
    assert EC25.read_indication(line) == Indication(kind, Evidence.DSCI, 2, Direction.MO, NUMBER, network_tone=True)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (-1, CallKind.RELEASED),
        (0, CallKind.ANSWERED),
        (1, CallKind.HELD),
        (2, CallKind.DIALING),
        (3, CallKind.ALERTING),
        (4, CallKind.INCOMING),
        (5, CallKind.WAITING),
    ],
)
def test_ccinfo(state: int, kind: CallKind) -> None:
    line = f'+QIND: "ccinfo",3,1,{state},0,0,"{NUMBER}",145'
    assert EC25.read_indication(line) == Indication(kind, Evidence.CCINFO, 3, Direction.MT, NUMBER)


@pytest.mark.parametrize(
    "line",
    [
        "^DSCI: 1,0,3,1,,128",  # the data bearer
        '+QIND: "ccinfo",1,0,0,1,0,"",128',
        "^DSCI: 1,0,99,0,,128",
        '+QIND: "csq",20,99',
        "RING",
    ],
)
def test_what_is_no_event_of_a_voice_call(line: str) -> None:
    assert EC25.read_indication(line) is None


@pytest.mark.parametrize("line", ["^DSCI: 1", "^DSCI: a,b,c,d", "^DSCI: 1,7,2,0", '+QIND: "ccinfo",1'])
def test_a_cut_line_is_an_at_syntax_error(line: str) -> None:
    with pytest.raises(AtSyntaxError):
        EC25.read_indication(line)


@pytest.mark.parametrize(("line", "digit"), [("48", "0"), ("42", "*"), ("35", "#"), ("65", "A"), ("7", None)])
def test_dtmf(line: str, digit: str | None) -> None:
    assert EC25.read_dtmf(f"+QTONEDET: {line}") == digit


@pytest.mark.parametrize(("line", "ready"), [("0,0", False), ("0", False), ("1,0", True), ("1", True)])
def test_flow_control(line: str, ready: bool) -> None:
    assert EC25.read_audio_flow(f"+QPCMV: {line}") is ready


def test_signal() -> None:
    assert EC25.read_signal('+QIND: "csq",20,99') == -73
    assert EC25.read_signal('+QIND: "act","LTE"') is None

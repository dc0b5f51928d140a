"""USSD byte by byte. Expectations: 3GPP TS 27.007 clause 7.15, hardware facts sections 11 and 17."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modembank.errors import EmulatorError
from tests.support.emulated_ports import Bench, RawPort
from tests.support.sms_programs import gammu

Open = Callable[[Path], RawPort]
BALANCE = "Your balance is £12.34. Thank you!"


async def at_port(emulator: Bench, open_port: Open) -> RawPort:
    port = open_port(await emulator.link(0))
    port.ask("ATE0")
    return port


def ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


async def fault(emulator: Bench, name: str, value: object) -> None:
    await emulator.call("fault", modem=0, name=name, value=value)


async def test_one_shot_in_ucs2(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask('AT+CSCS="UCS2"')
    seen = port.ask('AT+CUSD=1,"002A0031003000300023",15', b",15\r\n")
    assert seen == f'\r\nOK\r\n\r\n+CUSD: 0,"{ucs2(BALANCE)}",15\r\n'.encode()
    assert port.ask("AT+CUSD?") == b"\r\n+CUSD: 1\r\n\r\nOK\r\n"
    assert port.ask('AT+CUSD=1,"002A",15', b"+CUSD: 4\r\n").endswith(b"+CUSD: 4\r\n")
    assert port.ask('AT+CUSD=1,"xyz",15', b"50\r\n") == b"\r\n+CME ERROR: 50\r\n"


@pytest.mark.parametrize(
    ("encoding", "asked", "expected"),
    [
        ("plain", "*100#", f'"{BALANCE}",15'.encode("latin-1")),
        ("ucs2_dcs72", "*100#", f'"{ucs2(BALANCE)}",72'.encode()),
        ("octet", "*100#", f'"{BALANCE.encode("latin-1").hex().upper()}",68'.encode()),
        ("packed", "AA180C3602", b'",15'),
    ],
)
async def test_encodings(emulator: Bench, open_port: Open, encoding: str, asked: str, expected: bytes) -> None:
    port = await at_port(emulator, open_port)
    await fault(emulator, "ussd_encoding", encoding)
    assert port.ask(f'AT+CUSD=1,"{asked}",15', expected).startswith(b"\r\nOK\r\n\r\n+CUSD: 0,")


async def test_packed_text_is_padded_and_wrong_padding_is_rejected(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await fault(emulator, "ussd_encoding", "packed")
    await emulator.call("ussd_script", modem=0, code="*100#", menu="hello12")
    # 7 septets in 7 octets: the last 7 bits are a carriage return.
    assert b'+CUSD: 0,"E8329BFD8EC91A",15\r\n' in port.ask('AT+CUSD=1,"AA180C3602",15', b",15\r\n")
    code = '"AA182CA6A28D1A"'
    assert b'+CUSD: 0,"C4303D' in port.ask(f"AT+CUSD=1,{code},15", b",15\r\n")
    port.ask('AT+CUSD=1,"AA182CA6A28D00",15', b"\r\n+CUSD: 2\r\n")


async def test_several_lines_in_plain_text(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    seen = port.ask('AT+CUSD=1,"*101*4#",15', b",15\r\n")
    assert b'"Data left: 2.5 GB\nValid until "2026-12-31", then ' in seen


async def test_menu_session(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    seen = port.ask("ATD*123#;", b",15\r\n")
    assert seen.startswith(b'\r\nOK\r\n\r\n+CUSD: 1,"Main menu\n1 Balance')
    assert b"+CUSD: 1," in port.ask('AT+CUSD=1,"2",15', b",15\r\n")
    assert b'+CUSD: 0,"Topped up by \xa310"' in port.ask('AT+CUSD=1,"2",15', b",15\r\n")
    port.ask('AT+CUSD=1,"*123#"', b",15\r\n")
    port.ask('AT+CUSD=1,"0"', b"\r\n+CUSD: 2\r\n")
    port.ask('AT+CUSD=1,"*123#"', b",15\r\n")
    port.ask("AT+CUSD=2")
    port.ask('AT+CUSD=1,"1"', b"\r\n+CUSD: 4\r\n")


async def test_time_outs_of_network_and_user(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await fault(emulator, "ussd_timeout_s", 0.3)
    await fault(emulator, "ussd_session_s", 0.3)
    await emulator.call("ussd_script", code="*199#", modem=0, menu={"silent": True})
    port.write(b'AT+CUSD=1,"*199#"\r')
    port.read_until(b"OK\r\n")
    assert port.ask('AT+CUSD=1,"*100#"', b"3\r\n") == b"\r\n+CME ERROR: 3\r\n"
    assert port.read_until(b"5\r\n") == b"\r\n+CUSD: 5\r\n"
    port.ask('AT+CUSD=1,"*123#"', b",15\r\n")
    assert port.read_until(b"2\r\n") == b"\r\n+CUSD: 2\r\n"


async def test_answer_before_ok_and_no_service(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await fault(emulator, "cusd_before_ok", True)
    assert port.ask('AT+CUSD=1,"*100#"').startswith(b'\r\n+CUSD: 0,"Your')
    await emulator.call("registration", modem=0, stat=0)
    assert port.ask('AT+CUSD=1,"*100#"', b"30\r\n") == b"\r\n+CME ERROR: 30\r\n"
    with pytest.raises(EmulatorError):
        await fault(emulator, "ussd_encoding", "morse")
    for menu in (1, {"replies": 1}, {"m": 9}):
        with pytest.raises(EmulatorError):
            await emulator.call("ussd_script", code="*1#", menu=menu)


async def test_gammu_asks(emulator: Bench, tmp_path: Path) -> None:
    output = await gammu(await emulator.link(0), tmp_path, "getussd", "*100#")
    assert "Your balance is £12.34" in output

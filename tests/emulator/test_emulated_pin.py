"""PIN and PUK. Expectations: 3GPP TS 27.007 clauses 7.4, 8.3 and 8.65; hardware facts section 7."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.emulated_ports import Bench, RawPort

Open = Callable[[Path], RawPort]


async def at_port(emulator: Bench, open_port: Open) -> RawPort:
    port = open_port(await emulator.link(0))
    port.ask("ATE0")
    return port


async def test_a_locked_card_serves_after_its_pin(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await emulator.call("pin", modem=0, pin="4711")
    assert port.read_until(b"PIN\r\n") == b"\r\n+CPIN: SIM PIN\r\n"
    assert port.ask("AT+CPIN?") == b"\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"
    for command in ("AT+CIMI", "ATD+447700900901;", 'AT+CLCK="SC",2', 'AT+CUSD=1,"*100#"'):
        assert port.ask(command, b"11\r\n") == b"\r\n+CME ERROR: 11\r\n"
    assert port.ask("AT+CMGL=4", b"311\r\n") == b"\r\n+CMS ERROR: 311\r\n"
    assert b"+QCCID: 89" in port.ask("AT+QCCID")
    assert port.ask("AT+CREG?") == b"\r\n+CREG: 0,0\r\n\r\nOK\r\n"
    assert port.ask('AT+CPIN="0000"', b"16\r\n") == b"\r\n+CME ERROR: 16\r\n"
    assert port.ask('AT+CPINR="SIM PIN"') == b"\r\n+CPINR: SIM PIN,2,3\r\n\r\nOK\r\n"
    assert b'+QPINC: "SC",2,10\r\n' in port.ask("AT+QPINC?")
    assert port.ask('AT+CPIN="4711"') == b"\r\nOK\r\n"
    assert b"\r\n+CPIN: READY\r\n" in port.read_until(b"PB DONE\r\n")
    assert b'+QPINC: "SC",3,10\r\n' in port.ask("AT+QPINC?")
    while (await emulator.modem(0))["registration"] != 1:
        port.quiet(0.05)
    assert port.ask('AT+CPIN="4711"', b"3\r\n") == b"\r\n+CME ERROR: 3\r\n"


async def test_three_wrong_pins_want_the_puk_and_ten_wrong_puks_end_the_card(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    answer = await emulator.call("pin", modem=0, pin="4711", tries=2, puk="87654321")
    assert (answer["state"], answer["tries"]) == ("SIM PIN", 2)
    port.ask("AT+CPIN=0000", b"ERROR: 16\r\n")
    port.ask("AT+CPIN=0000", b"ERROR: 12\r\n")
    assert b"+CPIN: SIM PUK\r\n" in port.ask("AT+CPIN?")
    port.ask("AT+CPIN=4711", b"ERROR: 12\r\n")
    port.ask('AT+CPIN="11111111","2222"', b"ERROR: 16\r\n")
    assert b"+CPINR: SIM PUK,9,10\r\n" in port.ask("AT+CPINR")
    assert port.ask('AT+CPIN="87654321","2222"') == b"\r\nOK\r\n"
    assert (await emulator.modem(0))["pin"] == "READY"
    await emulator.call("pin", modem=0, pin="2222", tries=0, puk_tries=1)
    port.ask('AT+CPIN="11111111","2222"', b"ERROR: 13\r\n")
    port.ask("AT+CPIN?", b"ERROR: 13\r\n")


async def test_the_lock_is_switched_and_stays_over_a_restart(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask('AT+CLCK="SC",2') == b"\r\n+CLCK: 0\r\n\r\nOK\r\n"
    port.ask('AT+CLCK="SC",1,"9999"', b"ERROR: 16\r\n")
    assert port.ask('AT+CLCK="SC",1,"1234"') == b"\r\nOK\r\n"
    assert port.ask('AT+CPWD="SC","1234","5678"') == b"\r\nOK\r\n"
    assert (await emulator.modem(0))["pin"] == "READY"
    await emulator.call("drop", modem=0)
    await emulator.call("readd", modem=0)
    port = await at_port(emulator, open_port)
    port.read_until(b"+CPIN: SIM PIN\r\n")
    port.ask('AT+CPIN="5678"')
    assert port.ask('AT+CLCK="SC",0,"5678"').endswith(b"\r\nOK\r\n")


async def test_the_network_keeps_forwardings_and_tells_why_it_refuses(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask("AT+CCFC=0,2") == b"\r\n+CCFC: 0,7\r\n\r\nOK\r\n"
    await emulator.call("forward", modem=0, number="+447700900990")
    assert port.ask("AT+CCFC=0,2") == b'\r\n+CCFC: 1,1,"+447700900990",145\r\n\r\nOK\r\n'
    assert port.ask("AT+CCFC=1,2") == b"\r\n+CCFC: 0,7\r\n\r\nOK\r\n"
    port.ask("AT+CCFC=0,4")
    assert port.ask("AT+CCFC=0,2") == b"\r\n+CCFC: 0,7\r\n\r\nOK\r\n"
    await emulator.call("registration", modem=0, stat=3, cause=11)
    assert port.ask("AT+CREG=3;+CREG?;+CREG=2") == b"\r\n+CREG: 3,3,,,,0,11\r\n\r\nOK\r\n"
    port.ask("AT+CCFC=0,2", b"30\r\n")

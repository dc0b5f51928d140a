"""Calls through the emulated network, seen from the AT port. Expectations: hardware facts sections 4.3, 6, 9, 17."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.emulated_ports import Bench, RawPort

Open = Callable[[Path], RawPort]


async def ready_port(emulator: Bench, open_port: Open, index: int = 0) -> RawPort:
    port = open_port(await emulator.link(index))
    port.ask('ATE0^DSCI=1;+QINDCFG="ccinfo",1,0;+CLIP=1;+CRC=0')
    return port


def dsci(seen: bytes) -> list[int]:
    """Return the states of all ^DSCI lines."""
    return [int(stat) for stat in re.findall(rb"\^DSCI: \d,[01],(\d),0,", seen)]


def ccinfo(seen: bytes) -> list[int]:
    """Return the states of all ccinfo lines."""
    return [int(stat) for stat in re.findall(rb'"ccinfo",\d,[01],(-?\d),0,0,"', seen)]


async def test_mo_call_answered_then_hung_up(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    number = emulator.parties["echo"]
    answer = port.ask(f"ATD{number};", b"^DSCI")
    assert answer.startswith(b"\r\nOK\r\n")
    seen = answer + port.read_until(f'"ccinfo",2,0,0,0,0,"{number}",145\r\n'.encode())
    assert f"^DSCI: 2,0,7,0,{number},145,0\r\n".encode() in seen
    assert dsci(seen) == [2, 7, 3]
    assert ccinfo(seen) == [2, 3, 0]
    expected = f'\r\n+CLCC: 1,0,0,1,0,"",128\r\n\r\n+CLCC: 2,0,0,0,0,"{number}",145\r\n\r\nOK\r\n'
    assert port.ask("AT+CLCC") == expected.encode()
    seen = port.ask("AT+CHUP") + port.quiet(0.3)
    assert seen.startswith(b"\r\nOK\r\n")
    assert (dsci(seen), ccinfo(seen)) == ([6], [-1])
    assert b"NO CARRIER" not in seen
    assert b"+CLCC: 2" not in port.ask("AT+CLCC")
    assert b"+CEER: 5,16\r\n" in port.ask("AT+CEER")


@pytest.mark.parametrize(
    ("party", "states", "final", "cause"),
    [
        ("busy", [2, 6], b"BUSY", 17),
        ("rejects", [2, 7, 6], b"NO CARRIER", 21),
        ("unassigned", [2, 6], b"NO CARRIER", 1),
        ("announcement", [2, 2, 6], b"NO CARRIER", 31),
        ("drops", [2, 7, 3, 6], b"NO CARRIER", 41),
        ("congestion", [2, 6], b"NO CARRIER", 42),
        ("no_answer", [2, 7, 6], b"NO ANSWER", 19),
    ],
)
async def test_how_calls_end(
    emulator: Bench, open_port: Open, party: str, states: list[int], final: bytes, cause: int
) -> None:
    port = await ready_port(emulator, open_port)
    await emulator.call("party", name="no_answer", ring_s=1.0)
    seen = port.ask(f"ATD{emulator.parties[party]};", b"\r\n" + final + b"\r\n")
    assert dsci(seen) == states
    assert f"+CEER: 5,{cause}\r\n".encode() in port.ask("AT+CEER")


async def test_answer_without_alerting(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    seen = port.ask(f"ATD{emulator.parties['no_alerting']};", b'"ccinfo",2,0,0')
    assert dsci(seen) == [2, 3]


async def test_number_that_nobody_has(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    port.ask("ATD07700900950;", b"NO CARRIER\r\n")
    assert b"+CEER: 5,1\r\n" in port.ask("AT+CEER")


async def test_dtmf_both_ways(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    port.ask("AT+QTONEDET=1")
    assert port.ask("AT+VTS=5", b"3\r\n") == b"\r\n+CME ERROR: 3\r\n"
    seen = port.ask(f"ATD{emulator.parties['dtmf']};", b"+QTONEDET: 51\r\n")
    assert re.findall(rb"\+QTONEDET: (\d+)", seen) == [b"49", b"50", b"51"]
    for command in ('AT+VTS="7"', "AT+VTS=*", 'AT+VTS="#"', "AT+VTS=d"):
        assert port.ask(command) == b"\r\nOK\r\n"
    assert port.ask("AT+VTS=E", b"50\r\n") == b"\r\n+CME ERROR: 50\r\n"
    assert (await emulator.call("sent_dtmf", number=emulator.parties["dtmf"]))["digits"] == "7*#D"
    assert (await emulator.call("sent_dtmf", modem=0))["digits"] == "7*#D"


async def test_incoming_call_answered_then_ended_by_the_caller(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    call = await emulator.call("incoming", to=0, from_="+447700900991", behaviour="echo")
    seen = port.read_until(b'"ccinfo",2,1,4,0,0,"+447700900991",145\r\n')
    assert seen.startswith(b'\r\nRING\r\n\r\n+CLIP: "+447700900991",145,,,,0\r\n')
    assert dsci(seen) == [4]
    assert b'+CLCC: 2,1,4,0,0,"+447700900991",145\r\n' in port.ask("AT+CLCC")
    seen = port.ask("ATA", b'"ccinfo",2,1,0')
    assert seen.startswith(b"\r\nOK\r\n")
    await emulator.call("hangup", call=call["call"])
    seen = port.read_until(b"NO CARRIER\r\n")
    assert (dsci(seen), ccinfo(seen)) == ([6], [-1])


async def test_caller_gives_up_and_cring(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    port.ask("AT+CRC=1")
    await emulator.call("incoming", to=0, ring_s=0.2)
    seen = port.read_until(b"NO CARRIER\r\n")
    assert seen.startswith(b"\r\n+CRING: VOICE\r\n")
    assert dsci(seen) == [4, 6]
    assert port.ask("ATA", b"CARRIER\r\n") == b"\r\nNO CARRIER\r\n"


async def test_ringing_repeats(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    await emulator.call("incoming", to=0)
    seen = port.read_until(b"RING\r\n") + port.read_until(b"RING\r\n")
    assert seen.count(b"^DSCI") == 1
    port.ask("AT+CHUP")


async def test_sims_call_each_other(emulator: Bench, open_port: Open) -> None:
    one, two = await ready_port(emulator, open_port, 0), await ready_port(emulator, open_port, 1)
    caller, called = await emulator.number(0), await emulator.number(1)
    one.ask(f"ATD{called.replace('+44', '0')};")
    assert f'+CLIP: "{caller}",145'.encode() in two.read_until(b'"ccinfo",2,1,4')
    assert dsci(one.read_until(b'"ccinfo",2,0,3')) == [2, 7]
    two.ask("ATA", b'"ccinfo",2,1,0')
    one.read_until(b'"ccinfo",2,0,0')
    third = await ready_port(emulator, open_port, 2)
    third.ask(f"ATD{called};", b"BUSY\r\n")
    two.ask("AT+CHUP")
    assert dsci(one.read_until(b"NO CARRIER\r\n")) == [6]


async def test_refused_call_is_busy_for_the_caller(emulator: Bench, open_port: Open) -> None:
    one, two = await ready_port(emulator, open_port, 0), await ready_port(emulator, open_port, 1)
    one.ask(f"ATD{await emulator.number(1)};")
    two.read_until(b"RING\r\n")
    two.ask("AT+CHUP")
    one.read_until(b"\r\nBUSY\r\n")


async def test_waiting_call_hold_and_swap(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    port.ask("AT+CCWA=1,1,1")
    port.ask(f"ATD{emulator.parties['echo']};", b'"ccinfo",2,0,0')
    await emulator.call("incoming", to=0, from_="+447700900992")
    port.read_until(b'+CCWA: "+447700900992",145,1\r\n')
    seen = port.ask("AT+CHLD=2", b'"ccinfo",3,1,0')
    assert dsci(seen) == [5, 1, 3]
    clcc = port.ask("AT+CLCC")
    assert b"+CLCC: 2,0,1,0,0," in clcc
    assert b"+CLCC: 3,1,0,0,0," in clcc
    port.ask("AT+CHLD=1", b'"ccinfo",2,0,0')
    assert b"+CLCC: 3" not in port.ask("AT+CLCC")
    assert port.ask("AT+CHLD=12") == b"\r\nOK\r\n"


async def test_hook_commands_and_ignored_hangup(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    port.ask(f"ATD{emulator.parties['echo']};", b'"ccinfo",2,0,0')
    port.read_until(b",145\r\n")
    assert port.ask("AT+CVHU=1;H") == b"\r\nOK\r\n"
    assert b"+CLCC: 2" in port.ask("AT+CLCC")
    await emulator.call("fault", modem=0, name="hangup_ignored", value=1)
    port.ask("AT+CHUP")
    assert b"+CLCC: 2" in port.ask("AT+CLCC")
    port.ask("AT+CVHU=0;H", b'"ccinfo",2,0,-1')
    assert b"+CLCC: 2" not in port.ask("AT+CLCC")


async def test_connected_line_presentation_delays_ok(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    port.ask("AT+COLP=1")
    seen = port.ask(f"ATD{emulator.parties['echo']};")
    assert seen.endswith(b'+COLP: "+447700900901",145\r\n\r\nOK\r\n')
    assert dsci(seen) == [2, 7, 3]
    port.ask("ATH")
    seen = port.ask(f"ATD{emulator.parties['busy']};", b"BUSY\r\n")
    assert b"OK\r\n" not in seen


async def test_late_no_carrier_comes_into_the_next_call(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    await emulator.call("fault", modem=0, name="late_no_carrier", value=True)
    port.ask(f"ATD{emulator.parties['echo']};", b'"ccinfo",2,0,0')
    port.ask("AT+CHUP")
    port.ask(f"ATD{emulator.parties['echo']};", b'"ccinfo",2,0,0')
    port.read_until(b"\r\nNO CARRIER\r\n")
    assert b"+CLCC: 2,0,0" in port.ask("AT+CLCC")


async def test_lost_registration_and_lost_device_end_calls(emulator: Bench, open_port: Open) -> None:
    one, two = await ready_port(emulator, open_port, 0), await ready_port(emulator, open_port, 1)
    one.ask(f"ATD{await emulator.number(1)};")
    two.read_until(b"RING\r\n")
    two.ask("ATA", b'"ccinfo",2,1,0')
    await emulator.call("drop", modem=1)
    one.read_until(b"NO CARRIER\r\n")
    one.ask(f"ATD{await emulator.number(1)};", b"NO CARRIER\r\n")
    assert b"+CEER: 5,27\r\n" in one.ask("AT+CEER")
    one.ask(f"ATD{emulator.parties['echo']};", b'"ccinfo",2,0,0')
    await emulator.call("registration", modem=0, stat=0)
    one.read_until(b"NO CARRIER\r\n")


async def test_watch_tells_the_life_of_a_call(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    events = emulator.running.control.watch()
    pending = events.__anext__()
    number = await emulator.number(0)
    states: list[object] = []
    port_asked = False
    while "released" not in states:
        if not port_asked:
            # The first event can only come when the subscription stands: the fault below makes none itself.
            port_asked = True
            await emulator.call("signal", modem=0, rssi=9)
            port.ask(f"ATD{emulator.parties['rejects']};")
        event = await pending
        if event["event"] == "call" and event["from"] == number:
            states.append(event["state"])
        pending = events.__anext__()
    await events.aclose()
    assert states[-2:] == ["alerting", "released"]


async def test_an_announcement_is_told_as_the_networks_tone_and_alerts_nobody(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    number = emulator.parties["announcement"]
    seen = port.ask(f"ATD{number};", b"NO CARRIER\r\n")
    told = re.findall(rb"\^DSCI: 2,0,(\d),0,\+447700900908,145,(\d)\r\n", seen)
    assert told == [(b"2", b"0"), (b"2", b"1"), (b"6", b"0")]
    assert ccinfo(seen) == [2, -1]


async def test_ring_comes_once_more_after_the_end(emulator: Bench, open_port: Open) -> None:
    port = await ready_port(emulator, open_port)
    await emulator.call("fault", modem=0, name="ring_after_end", value=True)
    await emulator.call("incoming", to=0, ring_s=0.2)
    port.read_until(b"NO CARRIER\r\n")
    assert port.read_until(b"RING\r\n") == b"\r\nRING\r\n"
    assert b"+CLCC: 2" not in port.ask("AT+CLCC")


@pytest.mark.parametrize(("how", "final"), [("report", b"NO CARRIER"), ("code", b"BLACKLISTED")])
async def test_after_failed_tries_a_number_is_refused_until_the_modem_starts(
    emulator: Bench, open_port: Open, how: str, final: bytes
) -> None:
    port = await ready_port(emulator, open_port)
    await emulator.call("fault", modem=0, name="blacklist_how", value=how)
    await emulator.call("fault", modem=0, name="blacklist_after", value=2)
    dial = f"ATD{emulator.parties['busy']};"
    for _ in range(2):
        assert b"OK" in port.ask(dial, b"BUSY\r\n")
        assert b"+CEER: 5,17\r\n" in port.ask("AT+CEER")
    assert final in port.ask(dial, final + b"\r\n")
    assert b"+CEER: 9,14,0\r\n" in port.ask("AT+CEER")
    assert b"OK" in port.ask(f"ATD{emulator.parties['congestion']};", b"NO CARRIER\r\n")
    assert b"+CEER: 5,42\r\n" in port.ask("AT+CEER")

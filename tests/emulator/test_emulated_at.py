"""The AT dialogue byte by byte, as section 1, 4, 7, 8 and 17 of the hardware facts write it."""

from __future__ import annotations

import re
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.emulated_ports import PATIENCE_S, Bench, RawPort

Open = Callable[[Path], RawPort]


async def at_port(emulator: Bench, open_port: Open, index: int = 0, *, echo: bool = False) -> RawPort:
    port = open_port(await emulator.link(index))
    if not echo:
        port.ask("ATE0")
    return port


def luhn_valid(digits: str) -> bool:
    values = [int(char) for char in reversed(digits)]
    return sum(v if i % 2 == 0 else sum(divmod(v * 2, 10)) for i, v in enumerate(values)) % 10 == 0


async def test_echo_is_on_at_boot_and_echoes_its_own_end(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port, echo=True)
    assert re.fullmatch(rb"AT\+CSQ\r\r\n\+CSQ: \d+,99\r\n\r\nOK\r\n", port.ask("AT+CSQ"))
    assert port.ask("ATE0") == b"ATE0\r\r\nOK\r\n"
    assert port.ask("AT") == b"\r\nOK\r\n"


async def test_stray_newline_escape_and_case_do_not_matter(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.write(b"\x1b\rat+cgmi\r\n\nAT\r")
    assert port.read_until(b"Quectel\r\n\r\nOK\r\n\r\nOK\r\n") == b"\r\nQuectel\r\n\r\nOK\r\n\r\nOK\r\n"


async def test_backspace_takes_a_character_back(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask("AT+CGMX\bM") == b"\r\nEC25\r\n\r\nOK\r\n"


async def test_one_byte_at_a_time_gives_the_same_answer(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    for byte in b"AT+CGMM\r":
        port.write(bytes([byte]))
    assert port.read_until(b"OK\r\n") == b"\r\nEC25\r\n\r\nOK\r\n"


async def test_joined_commands_give_one_final_result(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask("AT+CMEE=1;+CREG=2") == b"\r\nOK\r\n"
    assert port.ask("AT+COPS=3,2;+COPS?") == b'\r\n+COPS: 0,2,"00101",7\r\n\r\nOK\r\n'
    assert port.ask("ATE0V1;+CREG?;+CREG=0") == b'\r\n+CREG: 2,1,"1A2B","1C3D401",7\r\n\r\nOK\r\n'
    assert port.ask("AT+CREG?") == b"\r\n+CREG: 0,1\r\n\r\nOK\r\n"


async def test_a_line_stops_at_its_first_error(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    answer = port.ask("AT+CLIP=1;+NONSENSE;+CRC=1", b"100\r\n")
    assert answer == b"\r\n+CME ERROR: 100\r\n"
    assert port.ask("AT+CLIP?;+CRC?") == b"\r\n+CLIP: 1,1\r\n\r\n+CRC: 0\r\n\r\nOK\r\n"


@pytest.mark.parametrize(
    ("cmee", "expected"),
    [(0, b"\r\nERROR\r\n"), (1, b"\r\n+CME ERROR: 50\r\n"), (2, b"\r\n+CME ERROR: Incorrect parameters\r\n")],
)
async def test_errors_are_told_as_cmee_wants(emulator: Bench, open_port: Open, cmee: int, expected: bytes) -> None:
    port = await at_port(emulator, open_port)
    port.ask(f"AT+CMEE={cmee}")
    assert port.ask("AT+CLIP=7", expected) == expected


async def test_identity_is_well_formed(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port, 2)
    facts = await emulator.modem(2)
    imei = port.ask("AT+CGSN").split()[0].decode()
    assert len(imei) == 15
    assert luhn_valid(imei)
    assert imei == facts["imei"]
    assert re.fullmatch(rb"\r\n00101\d{10}\r\n\r\nOK\r\n", port.ask("AT+CIMI"))
    found = re.search(rb"\+QCCID: (89\d{17})F\r\n", port.ask("AT+QCCID"))
    assert found is not None
    iccid = found[1].decode()
    assert luhn_valid(iccid)
    assert iccid == facts["iccid"]
    swapped = "".join((iccid + "F")[place ^ 1] for place in range(20)).encode()
    assert b'+CRSM: 144,0,"' + swapped + b'"' in port.ask("AT+CRSM=176,12258,0,0,10")
    assert f'+CNUM: ,"{facts["number"]}",145'.encode() in port.ask("AT+CNUM")


async def test_test_forms_that_gammu_parses(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert b'+CPMS: ("SM","ME","MT"),("SM","ME","MT"),("SM","ME","MT")\r\n' in port.ask("AT+CPMS=?")
    assert b"+CNMI: (0-2),(0-3),(0-3),(0-2),(0,1)\r\n" in port.ask("AT+CNMI=?")
    assert b"+QPCMV: (0,1),(0-2)\r\n" in port.ask("AT+QPCMV=?")


async def test_sms_stores_are_empty_and_honest(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask('AT+CPMS="SM","SM","SM"') == b"\r\n+CPMS: 0,20,0,20,0,20\r\n\r\nOK\r\n"
    assert port.ask("AT+CMGL=4") == b"\r\nOK\r\n"
    assert port.ask("AT+CMGR=1", b"321\r\n") == b"\r\n+CMS ERROR: 321\r\n"


async def test_pcm_carrier_changes_only_through_off(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask("AT+QPCMV=1,0;+QPCMV?") == b"\r\n+QPCMV: 1,0\r\n\r\nOK\r\n"
    assert port.ask("AT+QPCMV=1,2", b"ERROR\r\n") == b"\r\nERROR\r\n"
    assert port.ask("AT+QPCMV=0;+QPCMV=1,2;+QPCMV?") == b"\r\n+QPCMV: 1,2\r\n\r\nOK\r\n"


async def test_reset_takes_the_ports_away_and_forgets_settings(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    before = await emulator.modem(0)
    await emulator.call("fault", modem=0, name="sim_busy_s", value=2.0)  # time to open the port before RDY
    port.ask("AT+CLIP=1;+QPCMV=1,0;^DSCI=1;+CREG=2;+CMEE=2")
    port.ask('AT+QGPSCFG="outport","none"')
    port.ask("AT+CFUN=1,1")
    with pytest.raises((OSError, AssertionError)):
        while True:
            port.write(b"AT\r")
            port.read_until(b"OK")
    after = await emulator.modem(0)
    while not after["present"]:
        after = await emulator.modem(0)
    assert not set(before["dev"].values()) & set(after["dev"].values())
    again = open_port(await emulator.link(0))
    booted = again.read_until(b"PB DONE\r\n")
    for urc in (b"\r\nRDY\r\n", b"\r\n+CPIN: READY\r\n", b"\r\n+QUSIM: 1\r\n", b"\r\n+QIND: SMS DONE\r\n"):
        assert urc in booted
    assert again.ask("AT") == b"AT\r\r\nOK\r\n"  # echo is back
    answer = again.ask("AT+CLIP?;+QPCMV?;^DSCI?;+CREG?;+CMEE?")
    for value in (b"+CLIP: 0,1", b"+QPCMV: 0,0", b"^DSCI: 0", b"+CREG: 0,", b"+CMEE: 1"):
        assert value in answer
    assert b'"outport","none"' in again.ask('AT+QGPSCFG="outport"')  # kept in flash


async def test_sim_is_busy_after_boot_and_may_be_missing(emulator: Bench, open_port: Open) -> None:
    await emulator.call("fault", modem=1, name="sim_busy_s", value=30.0)
    await emulator.call("drop", modem=1)
    await emulator.call("readd", modem=1)
    port = await at_port(emulator, open_port, 1)
    assert port.ask("AT+CPIN?", b"14\r\n").endswith(b"\r\n+CME ERROR: 14\r\n")
    other = await at_port(emulator, open_port, 2)
    other.ask("AT+QSIMSTAT=1;+CREG=1")
    iccid = (await emulator.call("remove_sim", modem=2))["iccid"]
    assert b"+CREG: 0\r\n" in other.read_until(b"+CPIN: NOT READY\r\n")
    assert other.ask("AT+CPIN?", b"10\r\n").endswith(b"\r\n+CME ERROR: 10\r\n")
    await emulator.call("remove_sim", modem=0)
    await emulator.call("insert_sim", modem=0, iccid=iccid)
    zero = await at_port(emulator, open_port, 0)
    zero.read_until(b"PB DONE\r\n")
    assert str(iccid).encode() in zero.ask("AT+QCCID")


async def test_registration_urc_and_query_differ(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask("AT+CREG=2")
    await emulator.call("registration", modem=0, stat=3)
    assert port.read_until(b"3\r\n") == b"\r\n+CREG: 3\r\n"
    assert port.ask("AT+CREG?") == b"\r\n+CREG: 2,3\r\n\r\nOK\r\n"
    assert port.ask("ATD+447700900901;", b"30\r\n") == b"\r\n+CME ERROR: 30\r\n"
    await emulator.call("registration", modem=0, stat=5)
    assert port.read_until(b",7\r\n") == b'\r\n+CREG: 5,"1A2B","1C3D401",7\r\n'


async def test_signal_urc(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask('AT+QINDCFG="csq",1,0')
    await emulator.call("signal", modem=0, rssi=7)
    assert port.read_until(b"99\r\n") == b'\r\n+QIND: "csq",7,99\r\n'
    assert port.ask("AT+CSQ") == b"\r\n+CSQ: 7,99\r\n\r\nOK\r\n"


@pytest.mark.parametrize("number", ["", "+", "12x4", "+44 7700\t9009o1", "1,2", '"1"', ">1", "+44+1"])
async def test_dial_refuses_what_is_no_number(emulator: Bench, open_port: Open, number: str) -> None:
    port = await at_port(emulator, open_port)
    assert port.ask(f"ATD{number};", b"27\r\n").endswith(b"\r\n+CME ERROR: 27\r\n")


async def test_modem_interface_answers_too(emulator: Bench, open_port: Open) -> None:
    port = open_port(await emulator.link(0, "modem"))
    assert port.ask("AT") == b"AT\r\r\nOK\r\n"


async def test_what_is_said_to_a_closed_port_is_lost(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask('AT+QINDCFG="csq",1,0')
    port.write(b"AT+CGMI\r")
    select.select([port.fd], [], [], PATIENCE_S)  # the answer is there, and stays unread
    port.close()
    await emulator.call("signal", modem=0, rssi=9)
    again = open_port(await emulator.link(0))
    assert again.ask("AT+CGMM") == b"\r\nEC25\r\n\r\nOK\r\n"

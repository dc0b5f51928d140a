"""Families beside the EC25. Expectations: hardware facts sections 3, 5, 6, 10, 11 and 17."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from modembank.emulator.client import EmulatorClient
from modembank.emulator.families import FAMILIES
from tests.support.emulated_ports import PATIENCE_S, RawPort
from tests.support.emulator import Launched, RunningEmulator, launched, running

Open = Callable[[Path], RawPort]
NAMES = tuple(FAMILIES)
EC25, HUAWEI, SIMCOM, GENERIC = range(4)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    options = {"family": "mixed", "party_speed": 10, "reenumerate_s": 0.2, "sim_busy_s": 0.2}
    with launched(tmp_path_factory.mktemp("mixed"), 80, 1, **options) as process:
        yield process


@pytest.fixture(scope="module")
def rounds() -> Iterator[int]:
    return iter(range(0, 80, 4))


@dataclass(frozen=True, slots=True)
class Mixed:
    """One modem of each family that no other test has touched."""

    running: RunningEmulator
    first: int

    async def port(self, open_port: Open, family: int, role: str = "at") -> RawPort:
        port = open_port(await self.running.link(self.first + family, role))
        if role == "at":
            port.ask("ATE0")
        return port

    async def fault(self, family: int, name: str, value: object) -> None:
        await self.running.call("fault", modem=self.first + family, name=name, value=value)


@pytest.fixture
async def rack(mixed: Launched, rounds: Iterator[int]) -> AsyncIterator[Mixed]:
    async with EmulatorClient(mixed.control) as client:
        rack = Mixed(running(mixed, client), next(rounds))
        yield rack
        for family in range(4):
            if (await rack.running.modem(rack.first + family))["present"]:
                await rack.running.call("drop", modem=rack.first + family)


async def test_a_mixed_rack_shows_each_family_as_linux_does(rack: Mixed) -> None:
    expected = [("2c7c", "0125"), ("12d1", "1436"), ("1e0e", "9001"), ("1d6b", "0104")]
    for place, (name, (vendor, product)) in enumerate(zip(NAMES, expected, strict=True)):
        facts = await rack.running.modem(rack.first + place)
        assert facts["family"] == name
        interfaces = {role: number for number, role in FAMILIES[name].roles.items()}
        assert set(facts["dev"]) == set(interfaces)
        for role, path in facts["dev"].items():
            tty = Path(path).name
            if tty.startswith("ttyACM"):
                interface = (rack.running.sys / "class/tty" / tty / "device").resolve()
            else:
                interface = (rack.running.sys / "bus/usb-serial/devices" / tty).resolve().parent
            assert (interface / "bInterfaceNumber").read_text() == f"{interfaces[role]:02x}\n"
            assert (interface.parent / "idVendor").read_text() == f"{vendor}\n"
            assert (interface.parent / "idProduct").read_text() == f"{product}\n"
    await rack.running.call("drop", modem=rack.first + GENERIC)
    assert not (rack.running.sys / "class/tty" / tty).is_symlink()


async def test_huawei_call_as_the_sheet_writes_it(rack: Mixed, open_port: Open) -> None:
    port, audio = await rack.port(open_port, HUAWEI), await rack.port(open_port, HUAWEI, "audio")
    assert port.ask("AT^CVOICE?") == b"\r\n^CVOICE:0,8000,16,20\r\n\r\nOK\r\n"
    echo = rack.running.parties["echo"]
    seen = port.ask(f"ATD{echo};", b"^ORIG:1,0\r\n")
    assert seen == b"\r\nOK\r\n\r\n^ORIG:1,0\r\n"
    assert audio.read_until(b"\x7e").endswith(b"\x7e")  # DIAG until DDSETEX
    port.ask("AT^DDSETEX=2", b"OK\r\n")
    rest = port.read_until(b"^CONN:1,0\r\n")
    assert b"^CONF:1\r\n" in rest or b"^CONF:1" in seen
    audio.quiet(0.1)
    assert os.write(audio.fd, b"\x11\x22" * 1600) == 3200
    assert audio.read_until(b"\x11\x22" * 160)
    assert port.ask("AT^DTMF=1,7") == b"\r\nOK\r\n"
    assert (await rack.running.call("sent_dtmf", number=echo))["digits"] == "7"
    assert re.fullmatch(rb"\r\nOK\r\n\r\n\^CEND:1,\d+,29\r\n", port.ask("AT+CHUP", b",29\r\n"))
    assert port.ask("AT+CLCC") == b"\r\nOK\r\n"
    seen = port.ask(f"ATD{rack.running.parties['busy']};", b"\r\nBUSY\r\n")
    assert b"\r\n^CEND:1,0,104,17\r\n" in seen
    seen = port.ask(f"ATD{rack.running.parties['rejects']};", b"104,21\r\n")
    assert b"NO CARRIER" not in seen + port.quiet(0.2)


async def test_huawei_incoming_call_and_early_hang_up(rack: Mixed, open_port: Open) -> None:
    port = await rack.port(open_port, HUAWEI)
    port.ask("AT+CLIP=1")
    await rack.fault(HUAWEI, "conn_before_ok", True)
    call = await rack.running.call("incoming", to=rack.first + HUAWEI, from_="+447700900991")
    assert port.read_until(b",,,,0\r\n") == b'\r\nRING\r\n\r\n+CLIP: "+447700900991",145,,,,0\r\n'
    assert b"+CLCC: 1,1,4,0,0," in port.ask("AT+CLCC")
    assert port.ask("ATA") == b"\r\n^CONN:1,0\r\n\r\nOK\r\n"
    await rack.running.call("hangup", call=call["call"])
    port.read_until(b",104,16\r\n")
    await rack.fault(HUAWEI, "orig_late", True)
    seen = port.ask(f"ATD{rack.running.parties['no_answer']};\rAT+CHUP") + port.quiet(0.5)
    assert b"^CEND" not in seen
    assert b"^ORIG" not in seen
    assert port.ask("AT+CLCC") == b"\r\nOK\r\n"


async def test_huawei_odds_and_ends(rack: Mixed, open_port: Open) -> None:
    port = await rack.port(open_port, HUAWEI)
    number = (await rack.running.modem(rack.first + HUAWEI))["number"]
    assert re.match(rb"\r\n\^ICCID: 89\d{17}F\r\n", port.ask("AT^ICCID?"))
    assert b"^CPIN: READY,,10,3,10,3\r\n" in port.ask("AT^CPIN?")
    assert b"^SYSINFO:2,3,0,5,1,,4\r\n" in port.ask("AT^SYSINFO")
    assert port.ask("AT+QCCID", b"SUPPORT\r\n") == b"\r\nCOMMAND NOT SUPPORT\r\n"
    await rack.fault(HUAWEI, "glued_lines", True)
    assert f'\r\nERROR+CNUM: ,"{number}",145\r\n'.encode() in port.ask("AT+CNUM")
    await rack.running.call("signal", modem=rack.first + HUAWEI, rssi=7)
    assert port.read_until(b"7\r\n") == b"\r\n^RSSI:7\r\n"
    assert port.ask('AT+CUSD=1,"AA180C3602",15', b'",15\r\n').startswith(b'\r\nOK\r\n\r\n+CUSD: 0,"D9775D0E')
    await rack.running.call("sms", to=rack.first + HUAWEI, text="hello")
    assert port.read_until(b"0\r\n") == b'\r\n+CMTI: "SM",0\r\n'
    await rack.fault(HUAWEI, "sms_capacity", 1)
    await rack.running.call("sms", to=rack.first + HUAWEI, text="hello")
    port.read_until(b'\r\n^SMMEMFULL:"SM"\r\n')
    await rack.running.call("remove_sim", modem=rack.first + HUAWEI)
    port.read_until(b"\r\n^SIMST:255\r\n")
    assert port.ask("AT^CURC=0").endswith(b"\r\nOK\r\n")
    await rack.running.call("signal", modem=rack.first + HUAWEI, rssi=8)
    assert b"^RSSI" not in port.quiet(0.2)


async def test_huawei_speaks_unasked(rack: Mixed, open_port: Open) -> None:
    index = rack.first + HUAWEI
    await rack.fault(HUAWEI, "noise_s", 0.2)
    await rack.running.call("drop", modem=index)
    await rack.running.call("readd", modem=index)
    port = await rack.port(open_port, HUAWEI)
    seen = port.read_until(b"^BOOT:") + port.read_until(b"^RSSI:") + port.read_until(b"^BOOT:")
    assert b"^SIMST:1\r\n" in seen + port.read_until(b"^MODE:5,4\r\n")


async def test_simcom_call_as_the_sheet_writes_it(rack: Mixed, open_port: Open) -> None:
    port, audio = await rack.port(open_port, SIMCOM), await rack.port(open_port, SIMCOM, "audio")
    assert port.ask("AT+CLCC=?;+CPCMREG=?") == b"\r\n+CLCC: (0-1)\r\n\r\n+CPCMREG: (0-1)\r\n\r\nOK\r\n"
    port.ask("AT+CLCC=1")
    await rack.fault(SIMCOM, "pcmreg_after_s", 0.5)
    echo = rack.running.parties["echo"]
    seen = port.ask(f"ATD{echo};", f'+CLCC: 1,0,0,0,0,"{echo}",145\r\n'.encode())
    assert port.ask("AT+CPCMREG=1", b"ERROR\r\n") == b"\r\nERROR\r\n"
    lines = [f'+CLCC: 1,0,{stat},0,0,"{echo}",145' for stat in (2, 3)] + ["VOICE CALL: BEGIN"]
    expected = "".join(f"\r\n{line}\r\n" for line in ["OK", *lines, f'+CLCC: 1,0,0,0,0,"{echo}",145'])
    assert seen == expected.encode()
    deadline = time.monotonic() + PATIENCE_S
    while b"ERROR" in port.ask("AT+CPCMREG=1", b"\r\n") + port.read_until(b"\r\n"):
        assert time.monotonic() < deadline
    os.write(audio.fd, b"\x11\x22" * 1600)
    assert audio.read_until(b"\x11\x22" * 160)
    assert port.ask("AT+CPCMREG=0") == b"\r\nOK\r\n"
    assert port.ask("AT+CPCMREG=0", b"ERROR\r\n") == b"\r\nERROR\r\n"
    ended = port.ask("AT+CHUP", b",145\r\n")
    last = rb'\+CLCC: 1,0,6,0,0,"\+447700900901",145'
    assert re.fullmatch(rb"\r\nVOICE CALL: END: \d{6}\r\n\r\nOK\r\n\r\n" + last + rb"\r\n", ended)


async def test_simcom_hears_digits_and_misses_calls(rack: Mixed, open_port: Open) -> None:
    port = await rack.port(open_port, SIMCOM)
    port.ask("AT+DDET=1;+CRC=1")
    await rack.running.call("incoming", to=rack.first + SIMCOM, ring_s=0.3)
    assert port.read_until(b"VOICE") == b"\r\r\n+CRING: VOICE"
    seen = port.read_until(b"NO CARRIER\r\n")
    assert re.search(rb"\r\nMISSED_CALL: \d\d:\d\d[AP]M \+447700900990\r\n", seen)
    seen = port.ask(f"ATD{rack.running.parties['dtmf']};", b"+RXDTMF: 3\r\r\n")
    assert b"\r\r\n+RXDTMF: 1\r\r\n" in seen
    assert port.ask("ATH") == b"\r\nOK\r\n"
    assert b"+CLCC: 1,0,0" in port.ask("AT+CLCC")
    assert b"VOICE CALL: END" in port.ask("AT+CHUP")
    assert re.match(rb"\r\n\+ICCID: 89\d{17}F\r\n", port.ask("AT+CICCID"))


async def test_simcom_at_16_khz(rack: Mixed, open_port: Open) -> None:
    port, audio = await rack.port(open_port, SIMCOM), await rack.port(open_port, SIMCOM, "audio")
    await rack.fault(SIMCOM, "pcmreg_after_s", 0.0)
    port.ask("AT+CPCMFRM=1")
    port.ask(f"ATD{rack.running.parties['echo']};", b"VOICE CALL: BEGIN\r\n")
    port.ask("AT+CPCMREG=1")
    # 8 kHz at 16 kHz sampling: the highest tone there is, lost by any detour over 8 kHz.
    tone = (b"\x00\x20" + b"\x00\xe0") * 1600
    os.write(audio.fd, tone)
    assert audio.read_until(tone[:1280])
    audio.quiet(0.1)
    count = 0
    started = time.monotonic()
    while count < 40 * 640 and time.monotonic() - started < PATIENCE_S:
        if select.select([audio.fd], [], [], PATIENCE_S)[0]:
            count += len(os.read(audio.fd, 4096))
    assert (time.monotonic() - started) > 0.6  # 40 frames of 640 bytes take 0.8 s
    answer = await rack.running.call("heard", modem=rack.first + SIMCOM)
    header = Path(str(answer["path"])).read_bytes()[24:28]
    assert int.from_bytes(header, "little") == 16000


async def test_generic_calls_without_words_of_its_own(rack: Mixed, open_port: Open) -> None:
    port = await rack.port(open_port, GENERIC)
    port.ask(f"ATD{rack.running.parties['echo']};")
    deadline = time.monotonic() + PATIENCE_S
    while b"+CLCC: 1,0,0,0,0," not in (seen := port.ask("AT+CLCC")):
        assert time.monotonic() < deadline, seen
    assert port.ask("AT+CHUP") + port.quiet(0.2) == b"\r\nOK\r\n"
    for command in ("AT^DSCI=1", "AT+QPCMV?", "AT+QCCID", "AT^CVOICE?"):
        assert port.ask(command, b"100\r\n") == b"\r\n+CME ERROR: 100\r\n"
    assert re.match(rb"\r\n\+CCID: 89", port.ask("AT+CCID"))
    await rack.running.call("sms", to=rack.first + GENERIC, text="hello")
    assert port.read_until(b"1\r\n") == b'\r\n+CMTI: "SM",1\r\n'


async def test_wideband_sound_comes_though_narrowband_is_set(rack: Mixed, open_port: Open) -> None:
    port, audio = await rack.port(open_port, SIMCOM), await rack.port(open_port, SIMCOM, "audio")
    await rack.fault(SIMCOM, "pcmreg_after_s", 0.0)
    await rack.fault(SIMCOM, "pcm_16khz", True)
    port.ask(f"ATD{rack.running.parties['echo']};", b"VOICE CALL: BEGIN\r\n")
    port.ask("AT+CPCMREG=1")
    tone = (b"\x00\x20" + b"\x00\xe0") * 1600
    os.write(audio.fd, tone)
    assert audio.read_until(tone[:1280])
    assert b"+CPCMFRM: 0\r\n" in port.ask("AT+CPCMFRM?")

"""Modules on plain serial ports, and USB audio devices. Hardware facts sections 4.1, 5, 12, 16 and 17."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from modembank.emulator.client import EmulatorClient
from modembank.emulator.families import choose
from modembank.errors import EmulatorError
from tests.support.emulated_ports import PATIENCE_S, RawPort
from tests.support.emulator import Launched, RunningEmulator, launched, running

Open = Callable[[Path], RawPort]
SIM800, A7670, M95, EC25 = range(4)
NAMES = "simcom-sim800,simcom-a7670,quectel-m95,quectel-ec25"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    options = {"family": NAMES, "party_speed": 10, "reenumerate_s": 0.2, "sim_busy_s": 0.2}
    with launched(tmp_path_factory.mktemp("analog"), 4, 1, **options) as process:
        yield process


@pytest.fixture
async def rack(shared: Launched) -> AsyncIterator[RunningEmulator]:
    async with EmulatorClient(shared.control) as client:
        yield running(shared, client)


async def at_port(rack: RunningEmulator, open_port: Open, index: int) -> RawPort:
    port = open_port(await rack.link(index))
    port.ask("ATE0")
    return port


@pytest.mark.parametrize("index", [SIM800, A7670, M95])
async def test_a_module_is_on_a_serial_port_and_not_on_the_bus(rack: RunningEmulator, index: int) -> None:
    facts = await rack.modem(index)
    link = Path(str(facts["usb_path"]))
    assert link == rack.dev / f"ttyS{index}"
    assert facts["dev"] == {"at": str(link), "card": "hw:CARD=Line" + (f"_{index}" if index else "")}
    assert not any(one.name == link.name for one in (rack.sys / "class/tty").iterdir())
    assert (Path(rack.alsa).parent / str(facts["dev"]["card"]).removeprefix("hw:CARD=")).is_symlink()


@pytest.mark.parametrize("index", [SIM800, A7670])
async def test_a_simcom_module_tells_calls_by_clcc_and_digits_by_dtmf(
    rack: RunningEmulator, open_port: Open, index: int
) -> None:
    port = await at_port(rack, open_port, index)
    assert re.search(rb"\r\n89\d{17,18}\r\n", port.ask("AT+CCID")), "bare digits"
    port.ask("AT+CLCC=1;+DDET=1")
    port.ask(f"ATD{rack.parties['dtmf']};", b",0,3,0,0,")
    port.read_until(b",0,0,0,0,")
    port.read_until(b"\r\n+DTMF: 1\r\n")
    port.ask("ATH", b",0,6,0,0,")
    for unknown in ("AT+CPCMREG=?", "AT+QPCMV?"):
        assert b"ERROR" in port.ask(unknown, b"ERROR")


async def test_an_m95_says_nothing_of_calls(rack: RunningEmulator, open_port: Open) -> None:
    port = await at_port(rack, open_port, M95)
    port.ask("AT+QTONEDET=1")
    port.ask(f"ATD{rack.parties['dtmf']};")
    assert b"+QTONEDET: 49" in port.read_until(b"+QTONEDET: 49")
    assert b"+CLCC: 1,0,0,0,0," in port.ask("AT+CLCC")
    port.ask("ATH")
    assert port.ask("AT+CLCC") == b"\r\nOK\r\n"
    assert b"+QCCID: 89" in port.ask("AT+QCCID")


async def test_a_module_restarts_on_a_port_that_stays(rack: RunningEmulator, open_port: Open) -> None:
    port = await at_port(rack, open_port, SIM800)
    port.ask("AT+CFUN=1,1")
    assert b"RDY" in port.read_until(b"Call Ready")
    assert b"AT\r" in port.ask("AT"), "the echo is back"


async def test_usbcfg_switches_the_audio_device_on_at_the_next_start(rack: RunningEmulator, open_port: Open) -> None:
    """As the how-to has it: the last field, then AT+CFUN=1,1."""
    assert "card" not in (await rack.modem(EC25))["dev"]
    port = await at_port(rack, open_port, EC25)
    assert b'+QCFG: "usbcfg",0x2C7C,0x125,1,1,1,1,1,0,0' in port.ask('AT+QCFG="usbcfg"')
    port.ask('AT+QCFG="usbcfg",0x2C7C,0x0125,1,1,1,1,1,0,1')
    port.ask("AT+CFUN=1,1")
    async with asyncio.timeout(PATIENCE_S):
        while "card" not in (facts := await rack.modem(EC25))["dev"]:
            await asyncio.sleep(0.02)
    assert facts["dev"]["card"] == "hw:CARD=Android"
    card = (rack.sys / "class/sound/card3").resolve()
    assert (card / "id").read_text() == "Android\n"
    assert (card / "device").resolve().name == f"{facts['usb_path']}:1.5"
    assert (card / "device").resolve().parent.name == facts["usb_path"]


def test_several_families_are_named_with_commas() -> None:
    assert [family.name for family in choose(NAMES)] == NAMES.split(",")
    with pytest.raises(EmulatorError, match="no family nokia"):
        choose("simcom-sim800,nokia")

"""`modembank detect` on modems with sound cards and on modems on serial ports: emulated, with alsa-lib itself."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.conftest import COMMAND, LIMIT_S
from tests.support.emulator import RunningEmulator, start_emulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

UAC, SIM800, A7670, M95, SECOND_UAC = range(5)
OWN, SECOND_OWN, LINE, SECOND_LINE = (
    "hw:CARD=Android,DEV=0",
    "hw:CARD=Android_1,DEV=0",
    "hw:CARD=Line",
    "hw:CARD=Line_1",
)


@dataclass(frozen=True)
class Rack:
    """An emulator, and what a detect on it said last."""

    emulator: RunningEmulator

    def port(self, index: int) -> str:
        return str(self.emulator.dev / f"ttyS{index}")

    async def detect(self, *options: str, lost: str = "") -> tuple[int, str]:
        """`lost`: a serial port that only the settings know."""
        modems: list[dict[str, object]] = [
            {"at": self.port(SIM800), "family": "simcom-sim800", "audio": LINE},
            {"at": self.port(A7670), "family": "simcom-a7670", "audio": SECOND_LINE, "baud": 9600},
            {"at": self.port(M95), "family": "quectel-m95"},
        ]
        settings = {
            "MODEMBANK_SERIAL__SYSFS_ROOT": str(self.emulator.sys),
            "MODEMBANK_SERIAL__DEV_ROOT": str(self.emulator.dev),
            "MODEMBANK_SERIAL__MODEMS": json.dumps([*modems, *([{"at": lost}] if lost else [])]),
            "ALSA_CONFIG_PATH": self.emulator.alsa,
            "MODEMBANK_URL": "http://127.0.0.1:9",
            "MODEMBANK_API_KEY": "none",
        }
        process = await asyncio.create_subprocess_exec(
            *(str(COMMAND), "detect", *options),
            env=os.environ | settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(process.communicate(), LIMIT_S)
        assert not errors, errors.decode()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def devices(self, *options: str, lost: str = "") -> dict[str, dict[str, Any]]:
        """What it says of each modem, by its place."""
        _, output = await self.detect("--json", *options, lost=lost)
        return {device["usb_path"]: device for device in json.loads(output)["devices"]}

    async def place(self, index: int) -> str:
        return str((await self.emulator.modem(index))["usb_path"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rack]:
    families = "quectel-ec25-uac,simcom-sim800,simcom-a7670,quectel-m95"
    async with start_emulator(tmp_path_factory.mktemp("sound"), modems=5, family=families) as running:
        yield Rack(running)


async def test_serial_ports_are_a_branch_and_every_card_stands_at_its_modem(rack: Rack) -> None:
    _, text = await rack.detect()
    lines = [line.strip("│├└─ \n") for line in text.splitlines()]
    assert lines.index("serial ports") > lines.index(f"sound card {SECOND_OWN} (its own)")
    at = lines.index(f"{rack.port(SIM800)}  simcom-sim800  free")
    assert at > lines.index("serial ports")
    assert lines[at + 1] == f"sound card {LINE} (by the settings)"
    assert lines[at + 2].endswith("IMEI " + str((await rack.emulator.modem(SIM800))["imei"]))
    assert f"{rack.port(M95)}  quectel-m95  free: no sound card is named in serial.modems: calls are silent" in lines


async def test_cards_are_found_by_the_place_of_their_modem(rack: Rack) -> None:
    seen = await rack.devices("--passive")
    cards = {place: device["card"] for place, device in seen.items()}
    assert cards[await rack.place(UAC)] == {"name": OWN, "wired": False, "state": "free"}
    assert cards[await rack.place(SECOND_UAC)] == {"name": SECOND_OWN, "wired": False, "state": "free"}
    assert cards[rack.port(A7670)] == {"name": SECOND_LINE, "wired": True, "state": "free"}
    assert cards[rack.port(M95)] is None
    assert all(device["state"] == "free" for device in seen.values())


async def test_every_trouble_has_its_name_and_its_remedy(rack: Rack, tmp_path: Path) -> None:
    """A port that is held, one that is not there, and three cards that are not: wired, own, and never made."""
    sound = rack.emulator.sys / "class" / "sound"
    never_made = next(card for card in sound.iterdir() if (card / "id").read_text() == "Android\n")
    target = never_made.readlink()
    cards = Path(rack.emulator.alsa).parent
    gone = [cards / "Line_1", cards / "Android_1"]
    names = {link: link.readlink() for link in gone}
    lost = str(tmp_path / "ttyUSB9")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import time; f = open({rack.port(M95)!r}, 'rb', 0); print(flush=True); time.sleep(99)",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        never_made.unlink()
        for link in gone:
            link.unlink()
        seen = await rack.devices("--passive", lost=lost)
        status, text = await rack.detect("--passive", lost=lost)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        never_made.symlink_to(target)
        for link, name in names.items():
            link.symlink_to(name)
    first, second = await rack.place(UAC), await rack.place(SECOND_UAC)
    states = {place: device["state"] for place, device in seen.items()}
    assert states == {
        first: "no_card",
        second: "no_card",
        rack.port(SIM800): "free",
        rack.port(A7670): "no_card",
        rack.port(M95): "held",
        lost: "no_node",
    }
    advice = {place: device["advice"] for place, device in seen.items()}
    assert "snd-usb-audio" in advice[first]
    assert "/dev/snd" in advice[second] and SECOND_OWN in seen[second]["detail"]
    assert "arecord -L" in advice[rack.port(A7670)] and SECOND_LINE in seen[rack.port(A7670)]["detail"]
    assert f"(pid {holder.pid})" in advice[rack.port(M95)]
    assert "serial.modems" in advice[lost]
    assert status == 1
    assert all(f"→ {one}" in text for one in advice.values() if one)


async def test_without_writing_a_byte(rack: Rack) -> None:
    before = (await rack.emulator.call("at_log", modem=SIM800, limit=1000))["lines"]
    await rack.devices("--passive")
    assert (await rack.emulator.call("at_log", modem=SIM800, limit=1000))["lines"] == before


async def test_a_modem_on_a_serial_port_that_is_silent_is_dead(rack: Rack) -> None:
    await rack.emulator.call("fault", modem=A7670, name="muted", value=True)
    try:
        dead = (await rack.devices())[rack.port(A7670)]
    finally:
        await rack.emulator.call("fault", modem=A7670, name="muted", value=False)
    assert dead["state"] == "dead" and "baud" in dead["advice"]

"""`modembank detect` on a rack with every kind of trouble at once, without a server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.conftest import COMMAND, LIMIT_S
from tests.support.emulator import RunningEmulator, start_emulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

EC25, STICK, SIM7600, GENERIC, TWIN, OTHER_STICK, BARE, LAST = range(8)
CHASSIS = Path(__file__).resolve().parents[2] / "hardware" / "chassis" / "emulated.toml"
# What the kernel does when a port hangs: `open` never comes back.
HANG = """
import os, threading
real = os.open
def hanging(path, *rest, **more):
    if str(path) == {port!r}:
        threading.Event().wait()
    return real(path, *rest, **more)
os.open = hanging
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningEmulator]:
    async with start_emulator(tmp_path_factory.mktemp("detect"), modems=8, family="mixed") as running:
        yield running


async def detect(rack: RunningEmulator, *options: str, **environment: str) -> tuple[int, str]:
    settings = {
        "MODEMBANK_SERIAL__SYSFS_ROOT": str(rack.sys),
        "MODEMBANK_SERIAL__DEV_ROOT": str(rack.dev),
        "MODEMBANK_SERIAL__CHASSIS": str(CHASSIS),
        "MODEMBANK_URL": "http://127.0.0.1:9",
        "MODEMBANK_API_KEY": "none",
    }
    process = await asyncio.create_subprocess_exec(
        *(str(COMMAND), "detect", *options),
        env=os.environ | settings | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert not errors, errors.decode()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def devices(rack: RunningEmulator, *options: str, **environment: str) -> dict[str, dict[str, Any]]:
    _, output = await detect(rack, "--json", *options, **environment)
    return {device["slot"]: device for device in json.loads(output)["devices"]}


async def fault(rack: RunningEmulator, index: int, name: str, value: object) -> None:
    await rack.call("fault", modem=index, name=name, value=value)


async def test_a_healthy_rack_as_a_tree(rack: RunningEmulator) -> None:
    status, text = await detect(rack)
    lines = [line.strip("│├└─ \n") for line in text.splitlines()]
    assert "hub 1-1.1  hub 1" in lines
    assert "01-1  1-1.1.1  quectel-ec25  free" in lines
    assert "voice ttyUSB1 (interface 1), commands ttyUSB2 (interface 2), not used: ttyUSB0 ttyUSB3" in lines
    assert any(line.startswith("EC25  IMEI ") for line in lines)
    assert any(line.startswith("01-4  1-1.1.4  no modem that we know: ") for line in lines)
    assert "02-2  1-1.2.2  empty" in lines
    # places stand in the order of the rack, empty ones among them
    assert text.index("01-3 ") < text.index("01-4 ") < text.index("01-5 ")
    assert status == 0 or "→" in text  # this machine itself may run a program that takes modems


async def test_without_writing_a_byte(rack: RunningEmulator) -> None:
    before = (await rack.call("at_log", modem=EC25, limit=1000))["lines"]
    (first, *_) = (await devices(rack, "--passive")).values()
    assert (first["state"], first["imei"]) == ("free", None)
    assert (await rack.call("at_log", modem=EC25, limit=1000))["lines"] == before


async def test_every_trouble_has_its_name_and_its_remedy(rack: RunningEmulator) -> None:
    imei = (await rack.modem(EC25))["imei"]
    await fault(rack, TWIN, "imei", imei)
    await fault(rack, SIM7600, "muted", True)
    await fault(rack, STICK, "storage_mode", True)
    await rack.call("drop", modem=STICK)
    await rack.call("readd", modem=STICK)
    for number in await ttys(rack, BARE):
        (rack.sys / "bus/usb-serial/devices" / number).unlink()
    port = await rack.link(OTHER_STICK)
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import time; f = open({str(port)!r}, 'rb', 0); print(flush=True); time.sleep(99)"],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        seen = await devices(rack)
        status, text = await detect(rack, "--passive")  # quicker: the dead one is not asked
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        await fault(rack, STICK, "storage_mode", False)
        await fault(rack, SIM7600, "muted", False)
    states = {slot: device["state"] for slot, device in seen.items()}
    assert states == {
        "01-1": "free",
        "01-2": "cd_rom",
        "01-3": "dead",
        "01-5": "free",
        "01-6": "held",
        "01-7": "no_driver",
    }
    advice = {slot: device["advice"] for slot, device in seen.items()}
    assert "1-1.1.5" in advice["01-1"] and imei in advice["01-1"] and "1-1.1.1" in advice["01-5"]
    assert "usb_modeswitch -v 12d1 -p 1446" in advice["01-2"]
    assert "power" in advice["01-3"]
    assert f"(pid {holder.pid})" in advice["01-6"] and "python" in advice["01-6"]
    assert "option" in advice["01-7"]
    assert status == 1
    assert all(f"→ {advice[slot]}" in text for slot in ("01-2", "01-6", "01-7"))
    assert "3 free, 1 cd rom, 1 held, 1 no driver" in text
    assert (await rack.modem(STICK))["present"]  # switched back


async def ttys(rack: RunningEmulator, index: int) -> list[str]:
    dev = (await rack.modem(index))["dev"]
    assert isinstance(dev, dict)
    return [Path(path).name for path in dev.values()]


async def test_a_port_that_hangs_in_open_hangs_nobody(rack: RunningEmulator, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HANG.format(port=str(await rack.link(EC25))))
    seen = await devices(rack, PYTHONPATH=str(tmp_path))
    assert seen["01-1"]["state"] == "hangs"
    assert "unplug" in seen["01-1"]["advice"]
    assert seen["01-5"]["state"] == "free"

"""gammu and smstools run against an emulated port, unmodified."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PROGRAM_S = 60.0


async def gammu(port: Path, folder: Path, *arguments: str) -> str:
    """Run one gammu command and return what it printed."""
    config = folder / "gammurc"
    config.write_text(f"[gammu]\ndevice={port}\nconnection=at\n")
    process = await asyncio.create_subprocess_exec(
        "gammu", "-c", str(config), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), PROGRAM_S)
    assert process.returncode == 0, output
    return output.decode()


@asynccontextmanager
async def daemon(package: str, *command: str) -> AsyncIterator[None]:
    """Run a program until the block ends."""
    assert shutil.which(command[0]), f"{command[0]} is missing: apt-get install {package}"
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def file_with(folder: Path, text: bytes) -> Path:
    """Wait for a file that holds some bytes."""
    deadline = time.monotonic() + PROGRAM_S
    while True:
        for path in folder.iterdir():
            if text in path.read_bytes():
                return path
        assert time.monotonic() < deadline, [path.read_bytes() for path in folder.iterdir()]
        await asyncio.sleep(0.1)


def smsd_config(folder: Path, port: Path, first_slot: int) -> Path:
    """Write the settings of smstools for one modem."""
    names = ("outgoing", "checked", "incoming", "failed", "sent")
    for name in names:
        (folder / name).mkdir(parents=True)
    config = folder / "smsd.conf"
    config.write_text(
        f"devices = GSM1\nlogfile = {folder / 'smsd.log'}\nuser = root\ndelaytime = 1\nerrorsleeptime = 1\n"
        f"infofile = {folder / 'info'}\npidfile = {folder / 'pid'}\n"
        + "".join(f"{name} = {folder / name}\n" for name in names)
        + f"[GSM1]\ndevice = {port}\nincoming = yes\nmemory_start = {first_slot}\nbaudrate = 115200\n"
    )
    return config


def gammu_smsd_config(folder: Path, port: Path) -> Path:
    """Write the settings of gammu-smsd for one modem."""
    keys = ("inboxpath", "inbox"), ("outboxpath", "outbox"), ("sentsmspath", "sent"), ("errorsmspath", "error")
    for _, name in keys:
        (folder / name).mkdir(parents=True)
    config = folder / "smsdrc"
    config.write_text(
        f"[gammu]\ndevice = {port}\nconnection = at\n[smsd]\nservice = files\nlogfile = {folder / 'log'}\n"
        + "".join(f"{key} = {folder / name}/\n" for key, name in keys)
        + "commtimeout = 1\nsendtimeout = 20\nloopsleep = 1\nreceivefrequency = 1\ncheckbattery = 0\n"
    )
    return config

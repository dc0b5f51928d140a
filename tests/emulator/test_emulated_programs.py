"""gammu, gammu-smsd and smstools, unmodified, on emulated ports."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.emulated_ports import Bench
from tests.support.sms_programs import gammu

PATIENCE_S = 60.0
LONG = "The quick brown fox jumps over the lazy dog. " * 8
MODES = [("hello {world} €", ()), ("привет 😀", ("-unicode",)), (LONG.strip(), ("-len", "400"))]


async def texts(emulator: Bench, op: str, count: int, **values: object) -> list[str]:
    """Wait for so many messages; those of several parts are told as one text, the oldest first."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = (await emulator.call(op, **values))["messages"]
        assert isinstance(found, list)
        if len(found) >= count:
            return [str(message["text"]) for message in found]
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("text", "options"), MODES, ids=["gsm7", "ucs2", "long"])
async def test_gammu_sends(emulator: Bench, tmp_path: Path, text: str, options: Sequence[str]) -> None:
    output = await gammu(
        await emulator.link(0), tmp_path, "sendsms", "TEXT", emulator.parties["sms_silent"], *options, "-text", text
    )
    assert "OK" in output
    sent = await texts(emulator, "sms_sent", 3 if text.startswith("The") else 1, modem=0)
    assert "".join(sent) == text


async def test_gammu_reads_and_deletes(emulator: Bench, tmp_path: Path) -> None:
    await emulator.call("sms", to=0, from_="+447700900991", text="hello {world}")
    await emulator.call("sms", to=0, from_="modembank", text="привет 😀 " * 20)
    await texts(emulator, "sms_inbox", 4, modem=0)
    port = await emulator.link(0)
    output = await gammu(port, tmp_path, "getallsms")
    assert "hello {world}" in output
    assert "+447700900991" in output
    assert "modembank" in output
    assert "part 3 of 3" in output
    assert output.count("привет 😀") >= 18  # gammu shows parts one by one, two texts are cut
    await gammu(port, tmp_path, "deleteallsms", "3")
    assert (await emulator.call("sms_store", modem=0))["messages"] == []


@asynccontextmanager
async def daemon(*command: str) -> AsyncIterator[None]:
    """Run a program until the block ends."""
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
    deadline = time.monotonic() + PATIENCE_S
    while True:
        for path in folder.iterdir():
            if text in path.read_bytes():
                return path
        assert time.monotonic() < deadline, [path.read_bytes() for path in folder.iterdir()]
        await asyncio.sleep(0.1)


def _need(program: str, package: str) -> None:
    assert shutil.which(program), f"{program} is missing: apt-get install {package}"


async def test_smstools_sends_and_receives(emulator: Bench, tmp_path: Path) -> None:
    _need("smsd", "smstools")
    for name in ("outgoing", "checked", "incoming", "failed", "sent"):
        (tmp_path / name).mkdir()
    folders = "".join(f"{name} = {tmp_path / name}\n" for name in ("outgoing", "checked", "incoming", "failed", "sent"))
    config = tmp_path / "smsd.conf"
    port = await emulator.link(0)
    config.write_text(
        f"devices = GSM1\nlogfile = {tmp_path / 'smsd.log'}\nuser = root\ndelaytime = 1\nerrorsleeptime = 1\n"
        f"infofile = {tmp_path / 'info'}\npidfile = {tmp_path / 'pid'}\n{folders}"
        f"[GSM1]\ndevice = {port}\nincoming = yes\nmemory_start = 0\nbaudrate = 115200\n"
    )
    await emulator.call("sms", to=0, from_="+447700900991", text="for the daemon")
    async with daemon("smsd", "-t", f"-c{config}"):
        assert re.search(
            rb"From: 447700900991\n", (await file_with(tmp_path / "incoming", b"for the daemon")).read_bytes()
        )
        (tmp_path / "outgoing" / "one").write_text("To: 447700900922\n\nfrom the daemon\n")
        assert "from the daemon" in (await texts(emulator, "sms_sent", 1, modem=0))[0]
    assert (await emulator.call("sms_store", modem=0))["messages"] == []


async def test_gammu_smsd_sends_and_receives(emulator: Bench, tmp_path: Path) -> None:
    _need("gammu-smsd", "gammu-smsd")
    for name in ("inbox", "outbox", "sent", "error"):
        (tmp_path / name).mkdir()
    keys = ("inboxpath", "inbox"), ("outboxpath", "outbox"), ("sentsmspath", "sent"), ("errorsmspath", "error")
    paths = "".join(f"{key} = {tmp_path / name}/\n" for key, name in keys)
    config = tmp_path / "smsdrc"
    config.write_text(
        f"[gammu]\ndevice = {await emulator.link(0)}\nconnection = at\n"
        f"[smsd]\nservice = files\nlogfile = {tmp_path / 'log'}\n{paths}"
        "commtimeout = 1\nsendtimeout = 20\nloopsleep = 1\nreceivefrequency = 1\ncheckbattery = 0\n"
    )
    await emulator.call("sms", to=0, from_="+447700900991", text="for the daemon")
    async with daemon("gammu-smsd", "-c", str(config)):
        got = await file_with(tmp_path / "inbox", b"for the daemon")
        assert "+447700900991" in got.name
        (tmp_path / "outbox" / "OUT+447700900922.txt").write_text("from the daemon\n")
        assert "from the daemon" in (await texts(emulator, "sms_sent", 1, modem=0))[0]
    assert (await emulator.call("sms_store", modem=0))["messages"] == []

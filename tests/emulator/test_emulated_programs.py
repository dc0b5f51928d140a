"""gammu, unmodified, on emulated ports: reading and deleting, in detail; test_program_matrix.py has every family."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.support.emulated_ports import Bench
from tests.support.sms_programs import gammu

PATIENCE_S = 60.0


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

"""Fixtures of the emulator's tests: one running emulator for a file, fresh modems for each test."""

from __future__ import annotations

import array
import math
import os
import shutil
import tempfile
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from modembank.emulator.client import EmulatorClient
from tests.support.emulated_ports import MODEMS_A_TEST, Bench, RawPort
from tests.support.emulator import Launched, launched, running


@pytest.fixture(scope="session")
def speech_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a rising sound that never repeats."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    samples = array.array("h", (round(8000 * math.sin(n * n / 9000)) for n in range(4000)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture(scope="module")
def shared_emulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, speech_file: Path
) -> Iterator[Launched]:
    """One emulator for a file, because a start costs more than a test; its parties act ten times as fast.

    It has three modems for each of the file's tests and no more: Linux has 4096 ptys for all that runs side by side.
    """
    tests = sum(item.path == request.path for item in request.session.items)
    memory = Path("/dev/shm")  # thousands of sysfs files are made in no time there
    in_memory = os.access(memory, os.W_OK)
    folder = Path(tempfile.mkdtemp(dir=memory)) if in_memory else tmp_path_factory.mktemp("shared")
    options = {"party_speed": 10, "reenumerate_s": 0.2, "sim_busy_s": 0.2, "speech_file": speech_file}
    with launched(folder, tests * MODEMS_A_TEST, 1, **options) as process:
        yield process
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def fresh_modems() -> Iterator[int]:
    """Count up the modems that no test has used."""
    return count(0, MODEMS_A_TEST)


@pytest.fixture
async def emulator(shared_emulator: Launched, fresh_modems: Iterator[int]) -> AsyncIterator[Bench]:
    """Three modems that no other test has touched."""
    async with EmulatorClient(shared_emulator.control) as client:
        bench = Bench(running(shared_emulator, client), next(fresh_modems))
        yield bench
        for index in range(MODEMS_A_TEST):
            if (await bench.modem(index))["present"]:
                await bench.call("drop", modem=index)  # ends what the test left running


@pytest.fixture
def open_port() -> Iterator[Callable[[Path], RawPort]]:
    """Open ports that are closed at the end of the test."""
    ports: list[RawPort] = []

    def open_one(path: Path) -> RawPort:
        ports.append(RawPort(path))
        return ports[-1]

    yield open_one
    for port in ports:
        port.close()

"""Fixtures of the emulator's tests: a running emulator, and ports spoken to by plain os.read and os.write."""

from __future__ import annotations

import os
import select
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.emulator import RunningEmulator, start_emulator

PATIENCE_S = 20.0


class RawPort:
    """A serial port opened with nothing but system calls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.seen = b""

    def write(self, data: bytes) -> None:
        """Write everything."""
        assert os.write(self.fd, data) == len(data)

    def read_until(self, expected: bytes, patience_s: float = PATIENCE_S) -> bytes:
        """Return what came up to and including `expected`."""
        deadline = time.monotonic() + patience_s
        while expected not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"waited for {expected!r}, got {self.seen!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 4096)
        end = self.seen.index(expected) + len(expected)
        got, self.seen = self.seen[:end], self.seen[end:]
        return got

    def ask(self, command: str, expected: bytes = b"\r\nOK\r\n") -> bytes:
        """Send a command and return everything up to the expected bytes."""
        self.write(command.encode() + b"\r")
        return self.read_until(expected)

    def quiet(self, for_s: float) -> bytes:
        """Return what came within a time, without waiting for anything in particular."""
        deadline = time.monotonic() + for_s
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 4096)
        got, self.seen = self.seen, b""
        return got

    def close(self) -> None:
        """Close the port once."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[RunningEmulator]:
    """Three modems whose far parties act ten times as fast as people do."""
    async with start_emulator(tmp_path, modems=3, party_speed=10, reenumerate_s=0.2, sim_busy_s=0.2) as running:
        yield running


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

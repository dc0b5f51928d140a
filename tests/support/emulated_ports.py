"""A serial port spoken to by plain system calls, and a test's share of a shared emulator."""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modembank.emulator.client import Answer
from tests.support.emulator import RunningEmulator

PATIENCE_S = 20.0
MODEMS_A_TEST = 3


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
                data = os.read(self.fd, 4096)
                if not data:
                    raise OSError(errno.EIO, "the device is gone")
                self.seen += data
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


@dataclass(frozen=True, slots=True)
class Bench:
    """Three fresh modems of the shared emulator, numbered 0 to 2 in the test."""

    running: RunningEmulator
    first: int

    @property
    def parties(self) -> Mapping[str, str]:
        """Return the far parties."""
        return self.running.parties

    async def call(self, op: str, **values: object) -> Answer:
        """Run one operation; `modem` and a whole number in `to` are the test's own numbering."""
        for name in ("modem", "to"):
            if isinstance(number := values.get(name), int) and number < MODEMS_A_TEST:
                values[name] = self.first + number
        return await self.running.call(op, **values)

    async def modem(self, index: int) -> Mapping[str, object]:
        """Return one modem's status record."""
        return await self.running.modem(self.first + index)

    async def link(self, index: int, role: str = "at") -> Path:
        """Return the symlink of a modem's port."""
        return await self.running.link(self.first + index, role)

    async def number(self, index: int) -> str:
        """Return the number of a modem's SIM."""
        return str((await self.modem(index))["number"])

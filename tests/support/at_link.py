"""An AT port in memory: a modem that answers from a table, over a line that may be slow, thin or lossy."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modembank.errors import PortLostError
from modembank.tty.transport import Transport, TransportSink

TICK_S = 1e-6
PATH = Path("/dev/ttyUSB2")
SENTINELS = {"AT+CMEE?": "\r\n+CMEE: 1\r\n\r\nOK\r\n", "AT+CSCS?": '\r\n+CSCS: "GSM"\r\n\r\nOK\r\n'}

ESCAPE = "\x1b"
_END = re.compile(rb"[\r\x1a]")

Deliver = Callable[[bytes], list[tuple[float, bytes]]]
"""What the host gets of some bytes, and after how many seconds."""


def whole(data: bytes) -> list[tuple[float, bytes]]:
    """A perfect line."""
    return [(0.0, data)]


def byte_by_byte(data: bytes) -> list[tuple[float, bytes]]:
    """One byte at a time."""
    return [(0.0, data[place : place + 1]) for place in range(len(data))]


def delayed(data: bytes) -> list[tuple[float, bytes]]:
    """A second late, in halves."""
    middle = len(data) // 2
    return [(1.0, data[:middle]), (1.2, data[middle:])]


def lossy(seed: int, loss: float = 0.02) -> Deliver:
    """Loses bytes."""
    chance = random.Random(seed)

    def deliver(data: bytes) -> list[tuple[float, bytes]]:
        return [(0.0, bytes(byte for byte in data if chance.random() >= loss))]

    return deliver


@dataclass
class AtLink:
    """Both ends of a port: opener for the channel, modem for the test. Commands in `silent` get no answer."""

    answers: Mapping[str, str]
    deliver: Deliver = whole
    silent: set[str] = field(default_factory=set)
    heard: list[str] = field(default_factory=list)
    open: bool = False
    _last_s: float = 0.0
    _sink: TransportSink | None = None
    _line: bytearray = field(default_factory=bytearray)

    async def __call__(self, path: Path, sink: TransportSink, baud: int = 115_200) -> Transport:
        """Open."""
        self._sink = sink
        self.open = True
        return self

    def write(self, data: bytes) -> None:
        """From the host: answer every complete line."""
        if not self.open:
            raise PortLostError("the port is gone")
        self._line += data
        while end := _END.search(self._line):
            line = bytes(self._line[: end.end()])
            del self._line[: end.end()]
            self._answer(line.rstrip(b"\r").decode("ascii", "replace"))

    def close(self) -> None:
        """From the host."""
        self.open = False

    def push(self, text: str) -> None:
        """The modem says something."""
        loop = asyncio.get_running_loop()
        for delay_s, piece in self.deliver(text.encode("latin-1")):
            self._last_s = max(loop.time() + delay_s, self._last_s + TICK_S)  # timers of one moment have no order
            loop.call_at(self._last_s, self._arrive, piece)

    def unplug(self) -> None:
        """The device goes."""
        assert self._sink is not None
        self.open = False
        self._sink.connection_lost(OSError(5, "Input/output error"))

    def _answer(self, line: str) -> None:
        line = line.removeprefix(ESCAPE)  # of no use outside a prompt, and ignored
        self.heard.append(line)
        if line in self.silent:
            return
        answer = self.answers.get(line) or SENTINELS.get(line)
        self.push(answer if answer is not None else "\r\nERROR\r\n")

    def _arrive(self, piece: bytes) -> None:
        if self.open and self._sink is not None and piece:
            self._sink.data_received(piece)

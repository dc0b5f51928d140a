"""Clients of a running emulator's control socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from modembank.emulator.sockets import connect_to
from modembank.errors import EmulatorError

Answer = Mapping[str, object]
LINE_BYTES = 1 << 24
TIMEOUT_S = 30.0
"""An operation answers at once; only a machine at its limits needs longer than a moment."""


class EmulatorClient:
    """Asynchronous client; one call at a time, use as `async with` or call `close()`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._ids = itertools.count(1)
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> EmulatorClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def call(self, op: str, **values: object) -> Answer:
        """Run one operation and return its answer. `from_` stands for `from`.

        Raises:
            EmulatorError: the emulator is not there or refused.
            TimeoutError: it did not answer.
        """
        async with self._lock:
            reader, writer = await self._connected()
            writer.write(_request(next(self._ids), op, values))
            async with asyncio.timeout(TIMEOUT_S):
                await writer.drain()
                line = await reader.readline()
        return _checked(line)

    async def watch(self) -> AsyncIterator[Answer]:
        """Yield events until the emulator ends; uses a connection of its own."""
        reader, writer = await _open(self.path)
        try:
            writer.write(_request(0, "watch", {}))
            _checked(await reader.readline())
            while line := await reader.readline():
                yield json.loads(line)
        finally:
            writer.close()

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            await asyncio.wait((asyncio.ensure_future(writer.wait_closed()),))

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await _open(self.path)
        return self._streams


class SyncEmulatorClient:
    """The same without an event loop, one connection a call."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def call(self, op: str, **values: object) -> Answer:
        """Run one operation and return its answer. `from_` stands for `from`.

        Raises:
            EmulatorError: the emulator is not there or refused.
            TimeoutError: it did not answer.
        """
        with _connect(self.path) as connection, connection.makefile("rb") as lines:
            connection.settimeout(TIMEOUT_S)
            connection.sendall(_request(1, op, values))
            return _checked(lines.readline())

    def watch(self) -> Iterator[Answer]:
        """Yield events until the emulator ends."""
        with _connect(self.path) as connection, connection.makefile("rb") as lines:
            connection.sendall(_request(1, "watch", {}))
            _checked(lines.readline())
            for line in lines:
                yield json.loads(line)


def _request(key: int, op: str, values: Mapping[str, object]) -> bytes:
    named = {name.rstrip("_"): value for name, value in values.items()}
    return json.dumps({"id": key, "op": op, **named}).encode() + b"\n"


def _checked(line: bytes) -> Answer:
    if not line:
        raise EmulatorError("the emulator ended the connection")
    answer = json.loads(line)
    if not answer.pop("ok"):
        raise EmulatorError(answer["error"])
    del answer["id"]
    return {**answer}


def _connect(path: Path) -> socket.socket:
    try:
        return connect_to(path)
    except OSError as error:
        raise EmulatorError(f"no emulator is running at {path}: {error.strerror}") from error


async def _open(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection = _connect(path)
    connection.setblocking(False)
    return await asyncio.open_unix_connection(sock=connection, limit=LINE_BYTES)

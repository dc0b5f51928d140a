"""The control socket: JSON lines, `{"id", "op", …}` in, `{"id", "ok", …}` out; `watch` streams events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping

from modembank.emulator.operations import OPERATIONS
from modembank.emulator.request import Request
from modembank.emulator.sockets import listen_at
from modembank.emulator.world import World
from modembank.errors import EmulatorError

LINE_BYTES = 1 << 20


class ControlServer:
    """Serves a world at `control.sock` in its directory."""

    def __init__(self, world: World, shut_down: Callable[[], None]) -> None:
        self._world = world
        self._shut_down = shut_down
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.path = world.directory.path / "control.sock"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._accept, sock=listen_at(self.path), limit=LINE_BYTES)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # The client is gone, the emulator ends, or a line had no end: this connection is over.
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, ValueError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer, watch = self._answer(line)
            await _send(writer, answer)
            if watch:
                await self._stream(reader, writer)
                return

    def _answer(self, line: bytes) -> tuple[Mapping[str, object], bool]:
        key: object = None
        try:
            values = json.loads(line)
            if not isinstance(values, dict):
                raise EmulatorError("a request is one JSON object on one line")
            key = values.pop("id", None)
            name = values.pop("op", None)
            return {"id": key, "ok": True, **self._run(name, values)}, name == "watch"
        except (EmulatorError, json.JSONDecodeError, UnicodeDecodeError) as error:
            return {"id": key, "ok": False, "error": str(error)}, False

    def _run(self, name: object, values: Mapping[str, object]) -> Mapping[str, object]:
        if name == "watch":
            return {}
        if name == "shutdown":
            asyncio.get_running_loop().call_later(0.05, self._shut_down)
            return {}
        operation = OPERATIONS.get(name) if isinstance(name, str) else None
        if operation is None:
            raise EmulatorError(f"there is no operation {name}; there are {', '.join(OPERATIONS)}, watch, shutdown")
        return operation(self._world, Request(values, self._world.modem))

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        watcher = self._world.journal.watch()
        gone = asyncio.create_task(reader.read())
        try:
            while not gone.done():
                event = asyncio.create_task(watcher.queue.get())
                await asyncio.wait((gone, event), return_when=asyncio.FIRST_COMPLETED)
                if not event.done():
                    event.cancel()
                    return
                await _send(writer, {**event.result(), "lost": watcher.lost})
        finally:
            self._world.journal.leave(watcher)
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await gone


async def _send(writer: asyncio.StreamWriter, message: Mapping[str, object]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    await writer.drain()

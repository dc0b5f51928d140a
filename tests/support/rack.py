"""A bank on a real database, with a scripted host at the other end of the bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from modembank.bank.bank import Bank
from modembank.bank.events import stream_event
from modembank.bank.records import StreamEvent
from modembank.bus.bus import InProcessBus
from modembank.bus.commands import AnyCommand, AnyReply
from modembank.config import Settings
from modembank.store.database import Database
from modembank.store.events import events_after
from tests.support.scripted_host import HOST_ID, ScriptedHost, modem

LIMIT_S = 30.0
Handler = Callable[[AnyCommand], Awaitable[AnyReply | None]]


@dataclass
class Rack:
    """Bank, bus and host; a handler in `on` sees a command before the host and may answer it."""

    bank: Bank
    bus: InProcessBus
    host: ScriptedHost
    database: Database
    settings: Settings
    on: dict[type, Handler] = field(default_factory=dict)

    async def handle(self, command: AnyCommand) -> AnyReply:
        handler = self.on.get(type(command))
        reply = await handler(command) if handler else None
        if reply is not None:
            self.host.commands.append(command)
            return reply
        return await self.host._handle(command)

    @property
    def url(self) -> str:
        return self.database.url.render_as_string(hide_password=False)

    async def told(self) -> None:
        """Wait until the bank has recorded all that was published."""
        async with asyncio.timeout(LIMIT_S):
            await self.bus.drained()

    async def call_events(self, call_id: str) -> list[StreamEvent]:
        """What is stored of one call, in order."""
        async with self.database.read() as session:
            return [stream_event(row) for row in await events_after(session, 0, 10_000) if row.call_id == call_id]


@asynccontextmanager
async def running(database: Database, settings: Settings, modems: int) -> AsyncIterator[Rack]:
    """Run a bank until the end of the block."""
    bus = InProcessBus()
    host = ScriptedHost(bus, [modem(number) for number in range(modems)])
    made = Rack(Bank(settings, database, bus), bus, host, database, settings)
    host.start()
    bus.serve(HOST_ID, made.handle)
    await made.bank.start()
    await made.told()
    try:
        yield made
    finally:
        await made.bank.stop()

"""The bus: commands go down to one host, events come up to the bank. The in-process bus carries the same records as
any other would, through the same encoding, so that whatever crosses it can also cross a network."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from modembank.bus.codec import decode_command, decode_event, decode_reply, encode
from modembank.bus.commands import AnyCommand, AnyReply, Refused
from modembank.bus.events import AnyEvent, CallLevels
from modembank.errors import HostUnreachableError

log = logging.getLogger(__name__)

CommandHandler = Callable[[AnyCommand], Awaitable[AnyReply]]
EventHandler = Callable[[AnyEvent], Awaitable[None]]

# A host emits a handful of facts a second per call; this is minutes of a busy bank. Facts are never dropped: when the
# bank is that far behind, the newest level meters go first and then the emitter is told.
EVENT_QUEUE_LIMIT = 20_000
# Above this many waiting facts level meters are dropped, they are stale anyway.
LEVELS_QUEUE_LIMIT = 200


class Bus(Protocol):
    """What bank and host see of each other."""

    async def request(self, host_id: str, command: AnyCommand) -> AnyReply:
        """Send a command and wait for its reply, at most `command.deadline_s`.

        Raises:
            HostUnreachableError: nobody serves this host, or no reply came in time.
        """
        ...

    def serve(self, host_id: str, handler: CommandHandler) -> Callable[[], None]:
        """Carry out commands for one host; the result ends that."""
        ...

    def publish(self, event: AnyEvent) -> None:
        """Send a fact to the bank, in order, without waiting."""
        ...

    async def consume(self, handler: EventHandler) -> None:
        """Hand every fact to the bank, one after the other, until cancelled."""
        ...


class InProcessBus:
    """Bank and host in one process. Facts wait in one bounded queue; `dropped` counts what did not fit."""

    def __init__(self) -> None:
        self._handlers: dict[str, CommandHandler] = {}
        self._events: asyncio.Queue[bytes] = asyncio.Queue(EVENT_QUEUE_LIMIT)
        self.dropped = 0

    async def request(self, host_id: str, command: AnyCommand) -> AnyReply:
        handler = self._handlers.get(host_id)
        if handler is None:
            error = HostUnreachableError(f"no host {host_id} is connected")
            error.handed_over = False
            raise error
        try:
            async with asyncio.timeout(command.deadline_s):
                reply = await handler(decode_command(encode(command)))
        except TimeoutError as error:
            if isinstance(error, HostUnreachableError):
                raise
            raise HostUnreachableError(
                f"host {host_id} did not answer {type(command).__name__} within {command.deadline_s:g} s"
            ) from None
        return decode_reply(encode(reply))

    def serve(self, host_id: str, handler: CommandHandler) -> Callable[[], None]:
        self._handlers[host_id] = handler

        def stop() -> None:
            self._handlers.pop(host_id, None)

        return stop

    def publish(self, event: AnyEvent) -> None:
        if isinstance(event, CallLevels) and self._events.qsize() > LEVELS_QUEUE_LIMIT:
            self.dropped += 1
            return
        try:
            self._events.put_nowait(encode(event))
        except asyncio.QueueFull:
            self.dropped += 1
            log.error("the bank does not take facts fast enough, %d were dropped", self.dropped)

    async def consume(self, handler: EventHandler) -> None:
        while True:
            data = await self._events.get()
            try:
                await handler(decode_event(data))
            finally:
                self._events.task_done()

    async def drained(self) -> None:
        """Wait until every fact published so far was handled."""
        await self._events.join()


def refused(code: str, detail: str) -> Refused:
    """Shorthand for the one negative reply."""
    return Refused(code=code, detail=detail)

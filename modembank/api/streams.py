"""The open event streams of a server, WebSocket and Server-Sent Events alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from modembank.api.content import without_content
from modembank.bank.bank import Bank
from modembank.bank.events import LEVELS, Subscription
from modembank.bank.records import StreamEvent
from modembank.bank.scopes import Scope, permits
from modembank.errors import TooManyStreamsError

# Pages, dashboards and scripts of one bank; each may hold a full queue, so their number has a bound.
STREAM_LIMIT = 256
# Proxies cut connections that are silent for a minute; a vanished client is noticed by a failed write.
PING_S = 15.0


class Streams:
    """Counts the open streams and ends them all when the server stops."""

    def __init__(self, bank: Bank, limit: int = STREAM_LIMIT) -> None:
        self._bank = bank
        self.limit = limit
        self._open: set[Subscription] = set()
        self._closed = False

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._open)

    @asynccontextmanager
    async def follow(
        self, key_id: str, *, after: str | None, levels: bool
    ) -> AsyncIterator[AsyncGenerator[StreamEvent | None]]:
        """Follow the bank's events; None when nothing happened for `PING_S`. Ends when the key is revoked.

        Raises:
            TooManyStreamsError: the limit is reached, or the server stops.
        """
        if self._closed or len(self._open) >= self.limit:
            raise TooManyStreamsError("No more event streams can be opened now; close some or try again later.")
        subscription = self._bank.events.subscribe(after)
        self._open.add(subscription)
        events = self._events(subscription, key_id, levels)
        try:
            yield events
        finally:
            self._open.discard(subscription)
            await events.aclose()
            await subscription.aclose()

    def close(self) -> None:
        """End all streams and take no more."""
        self._closed = True
        for subscription in self._open:
            subscription.end()

    async def _events(
        self, subscription: Subscription, key_id: str, levels: bool
    ) -> AsyncGenerator[StreamEvent | None]:
        following: asyncio.Task[StreamEvent] | None = None
        with_content = await self._reads_content(key_id)
        try:
            while True:
                following = asyncio.ensure_future(anext(subscription))
                while not (await asyncio.wait({following}, timeout=PING_S))[0]:
                    if not await self._valid(key_id):
                        return
                    yield None
                try:
                    event = following.result()
                except StopAsyncIteration:
                    return
                if levels or event.type != LEVELS:
                    yield event if with_content else without_content(event)
        finally:
            if following is not None and not following.done():
                following.cancel()
                with suppress(asyncio.CancelledError):
                    await following

    async def _reads_content(self, key_id: str) -> bool:
        keys = await self._bank.keys.list_keys()
        return any(key.id == key_id and permits(key.scopes, Scope.SMS_CONTENT) for key in keys)

    async def _valid(self, key_id: str) -> bool:
        return any(key.id == key_id and key.revoked_at is None for key in await self._bank.keys.list_keys())

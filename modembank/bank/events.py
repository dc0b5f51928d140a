"""The public event stream: live events for every subscriber, stored ones for those who come back.

Producers never wait. A subscriber has a bounded queue: when it is half full its level meters are dropped, when it is
full it loses the queue and gets one `stream.reset`, after which it reads the lists again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from weakref import WeakSet

from modembank.bank.records import JsonObject, StreamEvent
from modembank.ids import new_id
from modembank.store import events as rows
from modembank.store.database import Database
from modembank.store.models import EventRow

log = logging.getLogger(__name__)

QUEUE_LIMIT = 2_000  # some seconds of a bank with 256 busy modems
PAGE = 500  # stored events that a returning subscriber reads at a time
RESET = "stream.reset"
LEVELS = "call.levels"


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with its place in the database."""

    seq: int
    event: StreamEvent


class EventStream:
    """Fans committed events out, in the order of their commits. `dropped` counts what slow subscribers lost."""

    def __init__(self, database: Database, queue_limit: int = QUEUE_LIMIT) -> None:
        self._database = database
        self._queue_limit = queue_limit
        self._subscriptions: WeakSet[Subscription] = WeakSet()
        self._last_id = new_id("evt")
        self._unstored = count(1)
        self.dropped = 0

    async def start(self) -> None:
        """Continue after the newest stored event."""
        async with self._database.read() as session:
            self._last_id = await rows.last_event_id(session) or self._last_id

    def subscribe(self, after: str | None = None) -> Subscription:
        """Follow the stream from now on, or from just after the event `after`. Close it with `aclose`."""
        subscription = Subscription(self, self._database, after, self._queue_limit)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, events: Sequence[Stored]) -> None:
        """Hand out events that were just committed."""
        for stored in events:
            self._last_id = stored.event.id
            for subscription in tuple(self._subscriptions):
                subscription.push(stored)

    def publish_levels(self, at: datetime, data: JsonObject) -> None:
        """Hand out a level meter. It is not stored; its id names the event before it, so that one can resume there."""
        event = self.unstored(LEVELS, at, data)
        for subscription in tuple(self._subscriptions):
            subscription.push_levels(event)

    def unstored(self, kind: str, at: datetime, data: JsonObject) -> StreamEvent:
        """Make an event that is not stored."""
        return StreamEvent(id=f"{self._last_id}.{next(self._unstored)}", type=kind, at=at, sequence=0, data=data)

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in tuple(self._subscriptions):
            subscription.end()

    def forget(self, subscription: Subscription) -> None:
        """Stop feeding a subscription."""
        self._subscriptions.discard(subscription)


class Subscription:
    """One subscriber: an async iterator of events that ends when the stream closes."""

    def __init__(self, stream: EventStream, database: Database, after: str | None, limit: int) -> None:
        self._stream = stream
        self._database = database
        self._after = after.partition(".")[0] if after else None
        self._limit = limit
        self._seen = 0  # seq of the newest event handed out or known to the client
        self._catching_up = after is not None
        self._backlog: deque[Stored] = deque()
        self._live: deque[Stored | StreamEvent] = deque()
        self._reset = ""
        self._ended = False
        self._wake = asyncio.Event()
        self.dropped = 0

    def push(self, stored: Stored) -> None:
        """Queue a stored event."""
        if self._reset:
            self._drop(1)
        elif len(self._live) >= self._limit:
            self._drop(len(self._live) + 1)
            self._live.clear()
            self._reset = "this client reads too slowly, events were lost"
        else:
            self._live.append(stored)
        self._wake.set()

    def push_levels(self, event: StreamEvent) -> None:
        """Queue a level meter, unless the client lags."""
        if len(self._live) >= self._limit // 2 or self._reset:
            self._drop(1)
            return
        self._live.append(event)
        self._wake.set()

    def end(self) -> None:
        """Let the iteration end after what is queued."""
        self._ended = True
        self._wake.set()

    async def aclose(self) -> None:
        """Stop following."""
        self._stream.forget(self)
        self.end()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> StreamEvent:
        while True:
            if self._reset:
                return self._reset_event()
            if self._catching_up and not self._backlog:
                await self._read_backlog()
                continue
            if self._backlog:
                stored = self._backlog.popleft()
                self._seen = stored.seq
                return stored.event
            event = self._next_live()
            if event is not None:
                return event
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    def _next_live(self) -> StreamEvent | None:
        while self._live:
            item = self._live.popleft()
            if isinstance(item, StreamEvent):
                return item
            if item.seq > self._seen:
                self._seen = item.seq
                return item.event
        return None

    async def _read_backlog(self) -> None:
        """Read stored events after what the client has; live ones queue up meanwhile and overlap, never leave a gap."""
        async with self._database.read() as session:
            if self._after is not None:
                seq = await rows.seq_of(session, self._after)
                if seq is None:
                    self._catching_up = False
                    self._reset = "the last event that this client has seen is not kept any more"
                    return
                self._seen, self._after = seq, None
            found = await rows.events_after(session, self._seen, PAGE)
        self._backlog.extend(Stored(row.seq, stream_event(row)) for row in found)
        self._catching_up = len(found) == PAGE

    def _reset_event(self) -> StreamEvent:
        reason, self._reset = self._reset, ""
        self._catching_up = False
        self._backlog.clear()
        return self._stream.unstored(RESET, datetime.now(UTC), {"reason": reason})

    def _drop(self, events: int) -> None:
        self.dropped += events
        self._stream.dropped += events


def stream_event(row: EventRow) -> StreamEvent:
    """Return the public form of a stored event."""
    return StreamEvent(id=row.id, type=row.type, at=row.at, sequence=row.sequence, data=row.data)

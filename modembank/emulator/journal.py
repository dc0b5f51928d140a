"""What happened, for whoever watches on the control socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

WATCH_EVENTS = 1000
"""A watcher that does not read loses the events beyond so many; the loss is counted in `lost`."""

Record = Mapping[str, object]


class Watcher:
    """One subscriber's bounded queue."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Record] = asyncio.Queue(WATCH_EVENTS)
        self.lost = 0

    def offer(self, event: Record) -> None:
        """Queue an event, or count it as lost."""
        if self.queue.full():
            self.lost += 1
        else:
            self.queue.put_nowait(event)


class Journal:
    """Fan-out of events to watchers."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()

    def publish(self, event: str, **facts: object) -> None:
        """Tell all watchers; `at_s` is the emulator's monotonic time."""
        if not self._watchers:
            return
        record = {"event": event, "at_s": asyncio.get_running_loop().time(), **facts}
        for watcher in self._watchers:
            watcher.offer(record)

    def watch(self) -> Watcher:
        """Return a new subscriber."""
        watcher = Watcher()
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """End a subscription."""
        self._watchers.discard(watcher)

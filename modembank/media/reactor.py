"""An asyncio loop that calls the audio path's readers from inside the selector.

Audio is thousands of tiny events a second. asyncio wraps each in a handle, a context and a turn of its loop, which
costs more than the event itself; here a descriptor that was added with `add_direct_reader` is served right where
epoll reports it, and the loop turns only when there is something else to do. Everything else about the loop is
asyncio's own. On other loops `add_direct_reader` is `loop.add_reader`.
"""

from __future__ import annotations

import asyncio
import select
import selectors
from collections.abc import Callable
from contextvars import Context
from time import monotonic
from typing import Any, TypeVarTuple, Unpack

Reader = Callable[[], None]
_Args = TypeVarTuple("_Args")

# More than one pass ever brings; epoll asks for a bound.
_EVENTS_A_PASS = 512


class _DirectSelector(selectors.EpollSelector):
    """epoll that serves some descriptors itself and returns the others' events."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        super().__init__()
        self.direct: dict[int, Reader] = {}
        self.woken = False
        """Something was scheduled on the loop: it must have its turn."""
        self._failed = failed
        self._epoll: select.epoll = self._selector  # type: ignore[attr-defined]  # checked by MediaLoop

    def add(self, fd: int, reader: Reader) -> None:
        """Serve this descriptor from now on."""
        self.direct[fd] = reader
        self._epoll.register(fd, select.EPOLLIN)

    def discard(self, fd: int) -> None:
        """Serve it no more; nothing happens when it was not served."""
        if self.direct.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector.select`; may also return early with nothing."""
        direct = self.direct
        if not direct:
            return super().select(timeout)
        poll = self._epoll.poll
        self.woken = False
        wait = -1.0 if timeout is None else max(timeout, 0.0)
        deadline = None if timeout is None else monotonic() + wait
        while True:
            others: list[tuple[int, int]] = []
            try:
                events = poll(wait, _EVENTS_A_PASS)
            except InterruptedError:
                return []
            for event in events:
                reader = direct.get(event[0])
                if reader is None:
                    others.append(event)
                    continue
                try:
                    reader()
                except Exception as error:  # noqa: BLE001  # as asyncio does for its own callbacks
                    self._failed(error)
            if others:
                return self._translate(others)
            if self.woken:
                return []
            if deadline is not None:
                wait = deadline - monotonic()
                if wait <= 0:
                    return []

    def _translate(self, events: list[tuple[int, int]]) -> list[tuple[selectors.SelectorKey, int]]:
        ready = []
        keys = self.get_map()
        for fd, event in events:
            key = keys.get(fd)
            if key is None:
                continue  # closed by a reader of the same pass
            mask = 0
            if event & ~select.EPOLLIN:
                mask |= selectors.EVENT_WRITE
            if event & ~select.EPOLLOUT:
                mask |= selectors.EVENT_READ
            ready.append((key, mask & key.events))
        return ready


class MediaLoop(asyncio.SelectorEventLoop):
    """The loop for a process that carries audio: `asyncio.Runner(loop_factory=MediaLoop)`."""

    def __init__(self) -> None:
        self._direct = _DirectSelector(self._reader_failed)
        super().__init__(self._direct)

    def add_direct_reader(self, fd: int, reader: Reader) -> None:
        """Call `reader` whenever `fd` can be read. It must not block, and must not await."""
        self._remove_reader(fd)
        self._direct.add(fd, reader)

    def remove_direct_reader(self, fd: int) -> bool:
        """Call it no more."""
        return self._remove_reader(fd)

    # Whatever schedules a callback ends up in one of these two.

    def _call_soon(self, *arguments: Any) -> Any:  # asyncio's own signature, passed through
        self._direct.woken = True
        return super()._call_soon(*arguments)  # type: ignore[misc]

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Args]], object],
        *args: *_Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See `asyncio.loop.call_at`."""
        self._direct.woken = True
        return super().call_at(when, callback, *args, context=context)

    def _remove_reader(self, fd: int) -> bool:
        """asyncio's transports call this when they close: a descriptor's number may be given away again."""
        self._direct.discard(fd)
        return bool(super()._remove_reader(fd))  # type: ignore[misc]

    def _reader_failed(self, error: Exception) -> None:
        self.call_exception_handler({"message": "a media reader failed", "exception": error})


def add_direct_reader(fd: int, reader: Reader) -> None:
    """Call `reader` whenever `fd` can be read, as directly as the running loop can."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, MediaLoop):
        loop.add_direct_reader(fd, reader)
    else:
        # The public add_reader refuses a descriptor that a transport owns.
        loop._add_reader(fd, reader)  # type: ignore[attr-defined]


def remove_direct_reader(fd: int) -> None:
    """Call it no more; harmless when it was not called."""
    loop = asyncio.get_running_loop()
    loop._remove_reader(fd)  # type: ignore[attr-defined]

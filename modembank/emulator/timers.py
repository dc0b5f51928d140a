"""Delayed actions that die together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """The pending delays of one owner; `cancel()` ends them all."""

    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()

    def after(self, delay_s: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Run an action after so many seconds."""

        def run() -> None:
            self._handles.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay_s, run)
        self._handles.add(handle)
        return handle

    def stop(self, handle: asyncio.TimerHandle | None) -> None:
        """Cancel one delay, if it is still pending."""
        if handle is not None:
            handle.cancel()
            self._handles.discard(handle)

    def cancel(self) -> None:
        """Cancel all delays."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()

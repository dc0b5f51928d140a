"""Watches the event loop: how late it runs, and what it is doing when it does not run at all.

A heartbeat on the loop measures the lag. A thread beside it looks at the heartbeat: when it is overdue, the stacks of
all threads go to the log, while the loop still hangs. systemd hears of the heartbeat too, so that a server that hangs
for good is restarted. Code that keeps the interpreter lock stops the thread as well; such a standstill is told when it
is over, without stacks.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass
from types import FrameType

from modembank.service.systemd import Notifier

log = logging.getLogger(__name__)

STALL_S = 0.25
"""A dozen frames: what is on the loop is late for everybody by then, and a busy machine alone seldom does that."""

BEAT_S = 0.05
WINDOW = 1200
"""Beats that are remembered: a minute."""

TELLS = 5
TELLS_WITHIN_S = 300.0
"""So often at most stacks go to the log: a loop that stalls all the time would fill the disk with them."""

MAX_THREADS = 40
MAX_FRAMES = 30
"""Innermost calls of a stack."""

FEEDS = 4
"""So many signs of life within the time that systemd allows for one: three may be late."""


@dataclass(frozen=True, slots=True)
class LoopLag:
    """How late the loop ran, in ms: at the last beat, and within the last minute. `stalls` counts since the start."""

    last_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    stalls: int = 0


class LagWindow:
    """The lags of the last beats, in seconds."""

    def __init__(self, size: int = WINDOW) -> None:
        self._lags: deque[float] = deque(maxlen=size)
        self._stalls = 0

    def add(self, lag_s: float) -> None:
        """Take one beat's lag; one of `STALL_S` and more is a stall."""
        self._lags.append(max(0.0, lag_s))
        self._stalls += lag_s >= STALL_S

    def sum_up(self) -> LoopLag:
        """Return what is shown."""
        if not self._lags:
            return LoopLag()
        ordered = sorted(self._lags)
        p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
        return LoopLag(
            last_ms=round(1000 * self._lags[-1], 1),
            p99_ms=round(1000 * p99, 1),
            max_ms=round(1000 * ordered[-1], 1),
            stalls=self._stalls,
        )


class Limit:
    """Lets `TELLS` through within `TELLS_WITHIN_S`."""

    def __init__(self) -> None:
        self._passed: deque[float] = deque(maxlen=TELLS)

    def passes(self, now_s: float) -> bool:
        """Return whether one more may pass now, which counts."""
        if len(self._passed) == TELLS and now_s - self._passed[0] < TELLS_WITHIN_S:
            return False
        self._passed.append(now_s)
        return True


class Overdue:
    """Decides when a standstill is worth a look: once per stall, and seldom. Times are of one clock."""

    def __init__(self) -> None:
        self._told_beat_s = -math.inf
        self._limit = Limit()
        self._looked_s = math.inf

    def look(self, beat_s: float, now_s: float) -> bool:
        """Return whether to tell now, given when the last beat was due.

        A look that comes late itself says nothing of the loop: the whole process stood still.
        """
        late, self._looked_s = now_s - self._looked_s >= STALL_S, now_s
        if late or now_s - beat_s < STALL_S or beat_s == self._told_beat_s:
            return False
        self._told_beat_s = beat_s
        return self._limit.passes(now_s)


class LoopWatchdog:
    """Watches the loop from `ready()` on, until the context ends: a start has work to do that nobody waits for."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._window = LagWindow()
        self._overdue = Overdue()
        self._due_s = 0.0  # written by the loop, read by the thread
        self._fed_s = -math.inf
        self._limit = Limit()
        self._beat_timer: asyncio.TimerHandle | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop watchdog", daemon=True)

    def __enter__(self) -> LoopWatchdog:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def ready(self) -> None:
        """The service is up: tell systemd, and begin. Called on the loop, once."""
        self._notifier.ready()
        self._due_s = time.monotonic()
        self._beat()
        self._thread.start()

    def lag(self) -> LoopLag:
        """Return how late the loop ran lately."""
        return self._window.sum_up()

    def _beat(self) -> None:
        now_s = time.monotonic()
        lag_s = now_s - self._due_s
        self._window.add(lag_s)
        if lag_s >= STALL_S and self._limit.passes(now_s):
            log.warning("the event loop stood still for %.1f s", lag_s)
        limit_s = self._notifier.watchdog_s
        if limit_s is not None and now_s - self._fed_s >= limit_s / FEEDS:
            self._fed_s = now_s
            self._notifier.alive()
        self._due_s = now_s + BEAT_S
        self._beat_timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _watch(self) -> None:
        while not self._ended.wait(BEAT_S):
            now_s = time.monotonic()
            if self._overdue.look(self._due_s, now_s):
                late_s = now_s - self._due_s
                log.warning("the event loop has not run for %.2f s; what every thread does:\n%s", late_s, stacks())


def stacks() -> str:
    """Return the stacks of all threads but the calling one: places and lines of code, never values."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    frames = [(ident, frame) for ident, frame in sys._current_frames().items() if ident != own]
    parts = [f"{names.get(ident, 'a thread')}:\n{_calls(frame)}" for ident, frame in frames[:MAX_THREADS]]
    if len(frames) > MAX_THREADS:
        parts.append(f"{len(frames) - MAX_THREADS} more threads")
    return "\n".join(parts)


def _calls(frame: FrameType) -> str:
    return "".join(traceback.format_list(traceback.extract_stack(frame, limit=MAX_FRAMES))).rstrip()

"""JSON lines over stdin and stdout between the benchmark's processes, and what both sides measure with."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FRAME_S = 0.02
FRAME_SAMPLES = 160
FRAME_BYTES = 320
RATE_HZ = 8000

MARK_EVERY = 50
"""One mark a second on each call and direction."""

_MARK_AT = 40  # samples into the frame
_MARK_SAMPLES = 80
_LOUD = 3000

Answer = dict[str, Any]
Handler = Callable[[Answer], Awaitable[Answer]]

SILENT = bytes(FRAME_BYTES)
MARK = array(
    "h",
    [0] * _MARK_AT
    + [12000 if i // 4 % 2 == 0 else -12000 for i in range(_MARK_SAMPLES)]
    + [0] * (FRAME_SAMPLES - _MARK_AT - _MARK_SAMPLES),
).tobytes()


async def serve(handler: Handler) -> None:
    """Answer each line of stdin with one line of stdout until `quit` or end of file."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        if request["op"] == "quit":
            break
        print(json.dumps(await handler(request)), flush=True)


class Child:
    """A process of the benchmark."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, script: str, *arguments: str, cpus: set[int]) -> Child:
        """Start a script beside this file on the given CPUs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name(script)),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        os.sched_setaffinity(process.pid, cpus)
        return cls(process)

    async def ask(self, op: str, **arguments: object) -> Answer:
        """Send one request and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        if not line:
            raise RuntimeError(f"a benchmark process ended at {op}")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    async def stop(self) -> None:
        """End the process."""
        with contextlib.suppress(ConnectionError):
            if self._process.stdin is not None:
                self._process.stdin.write(b'{"op": "quit"}\n')
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def usage() -> Answer:
    """CPU seconds and resident memory of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"cpu_s": used.ru_utime + used.ru_stime, "rss_kb": pages * resource.getpagesize() // 1024}


@dataclass
class Ear:
    """Notes when each frame of one call and direction came, and where marks are in it."""

    marks: list[tuple[float, int]] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    _mute_until: float = 0.0

    def frame(self, pcm: bytes, now: float) -> None:
        """One frame of 160 samples came."""
        self.arrivals.append(now)
        if now < self._mute_until or max(pcm) == 0:
            return
        samples = array("h", pcm)
        for index, value in enumerate(samples):
            if abs(value) > _LOUD:
                self.marks.append((now, index))
                self._mute_until = now + 0.1
                return

    def result(self, start: float, end: float) -> Answer:
        """Marks and lateness within a window."""
        return {"marks": [mark for mark in self.marks if start <= mark[0] < end], **self._late(start, end)}

    def _late(self, start: float, end: float) -> Answer:
        """A frame is late that comes more than 20 ms behind the fastest of the last second."""
        transits: list[float] = []
        late = frames = 0
        for number, now in enumerate(self.arrivals):
            transits.append(now - number * FRAME_S)
            if start <= now < end:
                frames += 1
                late += transits[-1] - min(transits[-51:]) > FRAME_S
        return {"frames": frames, "late": late}


@dataclass
class Mouth:
    """Says silence with a mark once a second, and notes when."""

    phase: int
    count: int = 0
    marks: list[float] = field(default_factory=list)

    def next(self, now: float) -> bytes:
        """Return the next frame."""
        self.count += 1
        if self.count % MARK_EVERY == self.phase % MARK_EVERY:
            self.marks.append(now)
            return MARK
        return SILENT


def added_ms(said: list[float], heard: list[tuple[float, int]]) -> list[float]:
    """Pair marks said with marks heard; return the milliseconds from a sample's writing to its availability."""
    result = []
    index = 0
    for moment in said:
        while index < len(heard) and heard[index][0] < moment:
            index += 1
        if index < len(heard) and heard[index][0] - moment < 0.9:
            now, at = heard[index]
            result.append(1000 * (now - moment + (at - _MARK_AT) / RATE_HZ))
    return result

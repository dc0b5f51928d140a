"""Hours in minutes: many calls one after the other, and long calls whose clocks disagree.

`SOAK_CALLS` and `SOAK_CALL_S` make it shorter while you work on it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from modembank.webrtc.client import ToneVoice, Voice, WebrtcClient
from tests.support.bank import TestBank, start_bank, until
from tests.support.sound import Samples, read_wav

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

CALLS = int(os.environ.get("SOAK_CALLS", "300"))
CALL_S = float(os.environ.get("SOAK_CALL_S", "600"))
WARM_UP = max(10, CALLS // 5)
RSS_PER_CALL_KIB = 20
RSS_NOISE_KIB = 6 * 1024

# The server tells the number of its tasks when asked by a signal; Python imports this module before any other.
COUNTER = """
import asyncio, os, pathlib, signal

def count(number, frame):
    path = pathlib.Path(os.environ["SOAK_TASKS"])
    path.with_suffix(".new").write_text(str(len(asyncio.all_tasks())))
    path.with_suffix(".new").rename(path)

signal.signal(signal.SIGUSR2, count)
"""

RATE_HZ = 8000
FRAME = 160
MARK_FRAMES = 5
MARK_EVERY = 100
MARKS = 7
TRIES = 40
WHOLE = 0.6
DELAY_GROWTH_S = 0.04


@dataclass(frozen=True, slots=True)
class Use:
    """What a server holds."""

    rss_kib: int
    files: int
    threads: int
    tasks: int


async def _use(bank: TestBank, tasks: Path) -> Use:
    pid = bank.server.pid
    tasks.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)

    async def counted() -> int | None:
        return int(tasks.read_text()) if tasks.exists() else None

    count = await until(counted, what="the server to count its tasks")
    lines = (line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    status = {name: value.split()[0] for name, value, *_ in lines if value.split()}
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Use(int(status["VmRSS"]), files, int(status["Threads"]), count)


async def _short_call(bank: TestBank) -> None:
    client = WebrtcClient(ToneVoice(440.0))
    try:
        call = await bank.dial(bank.parties["echo"], webrtc={"type": "offer", "sdp": await client.offer()})
        await client.accept(call["webrtc"]["sdp"])
        await client.connected(30)
        await bank.wait_status(call["id"], "in_progress")
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        await bank.wait_status(call["id"], "completed")
    finally:
        await client.close()


async def _at_rest(bank: TestBank, tasks: Path, like: Use | None) -> Use:
    """What the server holds when nothing goes on; connections that end take seconds to be gone."""
    await bank.wait_ready(2)
    deadline = time.monotonic() + 30
    while True:
        use = await _use(bank, tasks)
        rested = like is not None and use.files <= like.files and use.tasks <= like.tasks
        if rested or time.monotonic() > deadline:
            return use
        await asyncio.sleep(1)


async def test_many_calls_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "counter").mkdir()
    (tmp_path / "counter" / "sitecustomize.py").write_text(COUNTER)
    tasks = tmp_path / "tasks"
    settings = {"PYTHONPATH": str(tmp_path / "counter"), "SOAK_TASKS": str(tasks)}
    async with start_bank(tmp_path, modems=2, settings=settings, party_speed=10) as bank:
        for _ in range(WARM_UP):
            await _short_call(bank)
        before = await _at_rest(bank, tasks, None)
        for _ in range(CALLS):
            await _short_call(bank)
        after = await _at_rest(bank, tasks, before)
    print(f"after {WARM_UP} calls {before}, after {CALLS} more {after}")
    assert after.files <= before.files
    assert after.tasks <= before.tasks
    assert after.threads <= before.threads + 1, "a thread pool may still grow to its size"
    assert after.rss_kib <= before.rss_kib + RSS_NOISE_KIB + RSS_PER_CALL_KIB * CALLS


class MarkerVoice(Voice):
    """Says the same burst of noise every two seconds, and remembers when."""

    def __init__(self) -> None:
        self.burst: Samples = np.random.default_rng(1).uniform(-0.3, 0.3, MARK_FRAMES * FRAME)
        self.said_at = 0.0
        self._pcm = (self.burst * 32767).astype(np.int16).tobytes()
        self._frame = 0

    def next(self) -> bytes:
        place = self._frame % MARK_EVERY
        self._frame += 1
        if place == 0:
            self.said_at = time.monotonic()
        frame = self._pcm[place * 2 * FRAME : (place + 1) * 2 * FRAME]
        return frame or bytes(2 * FRAME)


async def _delay_s(bank: TestBank, voice: MarkerVoice) -> float:
    """The median time from the client's mouth to the far party's ear."""
    delays: list[float] = []
    for _ in range(TRIES):
        delay = await _one_delay_s(bank, voice)
        if delay is not None:
            delays.append(delay)
        if len(delays) == MARKS:
            return float(np.median(delays))
    raise AssertionError(f"of {TRIES} markers only {len(delays)} arrived")


async def _one_delay_s(bank: TestBank, voice: MarkerVoice) -> float | None:
    """One marker's delay; None when it came in pieces, as happens when the machine was busy."""
    last = voice.said_at

    async def said() -> bool | None:
        return (voice.said_at > last and time.monotonic() > voice.said_at + 1.0) or None

    await until(said, what="the next marker")
    said_at, asked = voice.said_at, time.monotonic()
    answer = await bank.emulator.call("heard", number=bank.parties["echo"])
    taken = (asked + time.monotonic()) / 2
    samples, _ = read_wav(Path(str(answer["path"])))
    recent = samples[-int(1.8 * RATE_HZ) :]
    match = np.correlate(recent, voice.burst, mode="valid")
    begin = int(np.argmax(match))
    if match[begin] < WHOLE * float(voice.burst @ voice.burst):
        return None
    return taken - said_at - (len(recent) - begin) / RATE_HZ


@pytest.mark.parametrize("ppm", [100, -100])
async def test_a_modem_clock_that_is_off_does_not_delay_a_long_call(tmp_path: Path, ppm: int) -> None:
    """In ten minutes 100 ppm are 60 ms, which would stay in a buffer that nobody shortens."""
    async with start_bank(tmp_path, modems=1, party_speed=10, heard_s=4) as bank:
        await bank.emulator.call("fault", modem=0, name="ppm", value=ppm)
        voice = MarkerVoice()
        client = WebrtcClient(voice)
        try:
            call = await bank.dial(bank.parties["echo"], webrtc={"type": "offer", "sdp": await client.offer()})
            await client.accept(call["webrtc"]["sdp"])
            await bank.wait_status(call["id"], "in_progress")
            await asyncio.sleep(5)
            early = await _delay_s(bank, voice)
            await asyncio.sleep(CALL_S)
            late = await _delay_s(bank, voice)
            assert (await bank.get(f"/v1/calls/{call['id']}"))["status"] == "in_progress"
        finally:
            await client.close()
    print(f"{ppm} ppm: {early * 1000:.0f} ms early, {late * 1000:.0f} ms late")
    assert late <= early + DELAY_GROWTH_S

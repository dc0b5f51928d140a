"""A modem's audio side on a real pty, and one call's media around it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import time
import tty
from collections.abc import Callable
from pathlib import Path

import numpy as np

from modembank.bus.vocabulary import AudioDirection
from modembank.call.engine import EngineChoice, make_engine
from modembank.call.media import AudioPlace, Levels, MediaSession, MediaSettings, MediaState
from modembank.media.records import RATE_HZ, frame_bytes
from modembank.webrtc.client import SilentVoice, Voice, WebrtcClient


class PtyModem:
    """Plays what it is given at its own 20 ms clock and says its voice at the same pace."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        self._master, slave = pty.openpty()
        self.rate_hz = rate_hz
        tty.setraw(self._master)
        os.set_blocking(self._master, False)
        self.path = Path(os.ttyname(slave))
        os.close(slave)
        self.voice: Voice = SilentVoice(rate_hz)
        self.heard = bytearray()
        self.starved = 0
        self._fifo = bytearray()
        self._task: asyncio.Task[None] | None = None

    @property
    def place(self) -> AudioPlace:
        return AudioPlace(str(self.path), self.rate_hz)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def unplug(self) -> None:
        """The device is gone: reads on the other side fail from now on."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    async def close(self) -> None:
        await self.stop()
        self.unplug()

    async def _run(self) -> None:
        due = time.monotonic()
        size = frame_bytes(self.rate_hz)
        while True:
            due += 0.02
            await asyncio.sleep(due - time.monotonic())
            with contextlib.suppress(BlockingIOError, OSError):
                self._fifo += os.read(self._master, 4096)
            if len(self._fifo) < size:
                self.starved += 1
            frame, self._fifo = self._fifo[:size], self._fifo[size:]
            self.heard += frame.ljust(size, b"\0")
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._master, self.voice.next())


class Sink:
    """Keeps everything that a call would be told."""

    def __init__(self) -> None:
        self.states: list[MediaState] = []
        self.digits: list[str] = []
        self.all_levels: list[Levels] = []
        self.early = 0
        self.quiet_told: list[tuple[AudioDirection, ...]] = []
        self.lost = 0

    def media_state(self, state: MediaState) -> None:
        self.states.append(state)

    def far_dtmf(self, digit: str) -> None:
        self.digits.append(digit)

    def levels(self, levels: Levels) -> None:
        self.all_levels.append(levels)

    def quiet(self, directions: tuple[AudioDirection, ...], *, stalled: bool) -> None:
        self.quiet_told.append(directions)

    def early_media(self) -> None:
        self.early += 1

    def modem_audio_dead(self) -> None:
        self.lost += 1

    def modem_audio_lost(self) -> None:
        self.lost += 1


class Call:
    """One open media session with its modem, its sink, and clients that end with it."""

    def __init__(self, settings: MediaSettings, choice: EngineChoice, rate_hz: int = RATE_HZ) -> None:
        self.choice = choice
        self.modem = PtyModem(rate_hz)
        self.sink = Sink()
        self.settings = settings
        self.session: MediaSession
        self.clients: list[WebrtcClient] = []

    async def open(self) -> None:
        engine = make_engine(self.settings, self.choice)
        self.session = await engine.open("call_test", self.modem.place, self.sink)

    async def connect(self, client: WebrtcClient) -> WebrtcClient:
        self.clients.append(client)
        await client.accept(await self.session.attach(await client.offer()))
        await client.connected()
        await until(lambda: self.sink.states[-1:] == [MediaState.CONNECTED])
        return client

    async def close(self) -> None:
        await self.session.close()
        for client in self.clients:
            await client.close()
        await self.modem.close()


async def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    """Wait for a condition, generously."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


def level(pcm: bytes, hz: float, seconds: float = 0.5, rate_hz: int = RATE_HZ) -> float:
    """The level of one frequency in dBFS in the last part of a recording."""
    values = np.frombuffer(bytes(pcm), np.int16).astype(float)[-int(rate_hz * seconds) :]
    if len(values) == 0:
        return -90.0
    wave = np.exp(-2j * np.pi * hz * np.arange(len(values)) / rate_hz)
    return float(20 * np.log10(max(abs((values * wave).mean()) * 2**0.5, 1.0) / 32768))


def total(pcm: bytes, seconds: float = 0.5) -> float:
    """The whole level in dBFS in the last part of a recording."""
    values = np.frombuffer(bytes(pcm), np.int16).astype(float)[-int(8000 * seconds) :]
    return float(20 * np.log10(max(np.sqrt((values**2).mean()), 1.0) / 32768)) if len(values) else -90.0

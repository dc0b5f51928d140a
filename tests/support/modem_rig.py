"""Real drivers on emulated modems, and a listener that keeps what they tell."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from modembank.modem import (
    CallKind,
    CallProgress,
    CallRelease,
    Modem,
    ModemInfo,
    ModemState,
    ModemTimings,
    SerialBackend,
    StoredAt,
    UssdReply,
    scan,
)
from modembank.tty.transport import TransportOpener
from tests.support.emulator import RunningEmulator

PATIENCE_S = 30.0  # machines are shared; a condition is waited for, never a time


@dataclass
class Listener:
    """A ModemSink and MessageSink that remembers and can be waited on: conditions may also be about what no
    event tells.
    """

    infos: list[ModemInfo] = field(default_factory=list)
    progress: list[CallProgress] = field(default_factory=list)
    releases: list[CallRelease] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    flow: list[bool] = field(default_factory=list)
    places: list[StoredAt | None] = field(default_factory=list)
    pdus: list[str] = field(default_factory=list)
    ussd: list[UssdReply] = field(default_factory=list)
    log: list[ModemInfo | CallProgress | CallRelease] = field(default_factory=list)

    def modem_changed(self, info: ModemInfo) -> None:
        self.infos.append(info)
        self.log.append(info)

    def call_progress(self, progress: CallProgress) -> None:
        self.progress.append(progress)
        self.log.append(progress)

    def call_released(self, release: CallRelease) -> None:
        self.releases.append(release)
        self.log.append(release)

    def dtmf_received(self, digit: str) -> None:
        self.digits.append(digit)

    def audio_flow(self, ready: bool) -> None:
        self.flow.append(ready)

    def message_waiting(self, place: StoredAt | None) -> None:
        self.places.append(place)

    def message_direct(self, pdu: str) -> None:
        self.pdus.append(pdu)

    def ussd_received(self, reply: UssdReply) -> None:
        self.ussd.append(reply)

    @property
    def kinds(self) -> list[CallKind]:
        """What happened, in order."""
        return [one.kind for one in self.progress]

    async def until(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until the condition is true."""
        async with asyncio.timeout(patience_s):
            while not condition():
                await asyncio.sleep(0.01)

    async def heard(self, kind: CallKind) -> CallProgress:
        """Wait for a step of a call."""
        await self.until(lambda: kind in self.kinds)
        return next(one for one in self.progress if one.kind is kind)

    async def released(self, count: int = 1) -> CallRelease:
        """Wait for the end of the `count`th call."""
        await self.until(lambda: len(self.releases) >= count)
        return self.releases[count - 1]


@dataclass
class Rig:
    """One modem with its driver running."""

    index: int
    modem: Modem
    heard: Listener
    task: asyncio.Task[None]
    emulator: RunningEmulator

    @property
    def number(self) -> str:
        """Its SIM's own number."""
        number = self.modem.info.number
        assert number is not None
        return number

    async def state(self, state: ModemState) -> None:
        """Wait for a state."""
        await self.heard.until(lambda: self.modem.info.state is state)

    async def fault(self, name: str, value: object) -> None:
        """Set one of the emulated modem's fault switches."""
        await self.emulator.call("fault", modem=self.index, name=name, value=value)

    async def sent(self, start: str) -> list[str]:
        """The lines starting so that the emulated modem got."""
        lines = (await self.emulator.call("at_log", modem=self.index, limit=1000))["lines"]
        assert isinstance(lines, list)
        got = [one["bytes"] for one in lines if one["port"] == "at" and one["direction"] == "received"]
        return [one for one in got if start in one]


@asynccontextmanager
async def driven(
    emulator: RunningEmulator,
    index: int,
    *,
    ready: bool = True,
    backend: SerialBackend | TransportOpener = SerialBackend.SERIALX,
    timings: ModemTimings | None = None,
) -> AsyncIterator[Rig]:
    """Run the driver on one emulated modem."""
    place = (await emulator.modem(index))["usb_path"]
    ports = next(one for one in scan(emulator.sys, emulator.dev) if one.usb_path == place)
    listener = Listener()
    modem = Modem(ports, listener, messages=listener, backend=backend, timings=timings)
    task = asyncio.create_task(modem.run())
    rig = Rig(index, modem, listener, task, emulator)
    try:
        if ready:
            await rig.state(ModemState.READY)
        yield rig
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task

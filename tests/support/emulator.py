"""A running emulator for tests: the real process, driven over its control socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from modembank.emulator.client import Answer, EmulatorClient

END_S = 20.0


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator process; `parties` maps the far parties' names to their numbers."""

    dir: Path
    dev: Path
    sys: Path
    control: EmulatorClient
    control_path: Path
    parties: Mapping[str, str]
    seed: int
    pid: int
    alsa: str

    async def call(self, op: str, **values: object) -> Answer:
        """Run one operation of the control protocol."""
        return await self.control.call(op, **values)

    async def modem(self, index: int) -> Mapping[str, object]:
        """Return one modem's status record."""
        modems = (await self.control.call("status", modem=index))["modems"]
        assert isinstance(modems, list)
        return modems[0]

    async def link(self, index: int, role: str = "at") -> Path:
        """Return the symlink of a modem's port; roles are at, audio, modem, diag."""
        dev = (await self.modem(index))["dev"]
        assert isinstance(dev, dict)
        return Path(dev[role])


@dataclass(frozen=True, slots=True)
class Launched:
    """The ready line of an emulator process."""

    dir: str
    dev: str
    sys: str
    control: str
    modems: int
    seed: int
    parties: Mapping[str, str]
    pid: int
    alsa: str
    chaos: int | None = None


@contextmanager
def launched(tmp_path: Path, modems: int, seed: int, **options: object) -> Iterator[Launched]:
    """Run an emulator process in `tmp_path/emulator` without an event loop."""
    arguments = ["--dir", str(tmp_path / "emulator"), "--modems", str(modems), "--seed", str(seed), "--json"]
    for name, value in options.items():
        arguments += [f"--{name.replace('_', '-')}", str(value)]
    command = [sys.executable, "-m", "modembank.cli.emulate", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the emulator ended before it was ready; its reason stands on stderr"
            yield Launched(**json.loads(line))
        finally:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def running(process: Launched, control: EmulatorClient) -> RunningEmulator:
    """Join a process and a client."""
    return RunningEmulator(
        dir=Path(process.dir),
        dev=Path(process.dev),
        sys=Path(process.sys),
        control=control,
        control_path=Path(process.control),
        parties=process.parties,
        seed=process.seed,
        pid=process.pid,
        alsa=process.alsa,
    )


@asynccontextmanager
async def start_emulator(
    tmp_path: Path, modems: int = 4, seed: int = 1, **options: object
) -> AsyncIterator[RunningEmulator]:
    """Run an emulator in `tmp_path/emulator`; options are those of `modembank emulate`, e.g. `party_speed=10`."""
    context = launched(tmp_path, modems, seed, **options)
    process = await asyncio.to_thread(context.__enter__)
    try:
        async with EmulatorClient(process.control) as control:
            yield running(process, control)
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)

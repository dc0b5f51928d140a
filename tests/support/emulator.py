"""A running emulator for tests: the real process, driven over its control socket."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from modembank.emulator.client import Answer, EmulatorClient

READY_S = 60.0
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


@asynccontextmanager
async def start_emulator(
    tmp_path: Path, modems: int = 4, seed: int = 1, **options: object
) -> AsyncIterator[RunningEmulator]:
    """Run an emulator in `tmp_path/emulator`; options are those of `modembank emulate`, e.g. `party_speed=10`."""
    arguments = ["--dir", str(tmp_path / "emulator"), "--modems", str(modems), "--seed", str(seed), "--json"]
    for name, value in options.items():
        arguments += [f"--{name.replace('_', '-')}", str(value)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "modembank.cli.emulate", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), READY_S)
        assert line, "the emulator ended before it was ready; its reason stands on stderr"
        ready = json.loads(line)
        async with EmulatorClient(ready["control"]) as control:
            yield RunningEmulator(
                dir=Path(ready["dir"]),
                dev=Path(ready["dev"]),
                sys=Path(ready["sys"]),
                control=control,
                control_path=Path(ready["control"]),
                parties=ready["parties"],
                seed=ready["seed"],
                pid=ready["pid"],
            )
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            os.kill(process.pid, 9)
    await process.wait()

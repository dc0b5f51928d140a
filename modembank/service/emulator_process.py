"""Starts an emulated bank as a process of its own, so that its calls outlive a server that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modembank.emulator.client import EmulatorClient
from modembank.errors import EmulatorError

# 500 modems with four ptys each take a few seconds on a slow machine.
START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedBank:
    """A running emulator: where its devices and its control socket are, and who can be called."""

    directory: Path
    control: Path
    dev: Path
    sys: Path
    seed: int
    modems: int
    parties: Mapping[str, str]


@contextlib.asynccontextmanager
async def emulated_bank(directory: Path, *, modems: int, seed: int) -> AsyncIterator[EmulatedBank]:
    """Run an emulator in `directory`; one that an earlier run left there is ended first.

    Raises:
        EmulatorError: it did not start; the text says why.
    """
    await _end_left_over(directory)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "modembank.cli.emulate",
        "--modems",
        str(modems),
        "--dir",
        str(directory),
        "--seed",
        str(seed),
        "--json",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C at the terminal is for us: we end the calls first, then the emulator
    )
    try:
        yield await _ready(process)
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process) -> EmulatedBank:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_LIMIT_S):
            line = await process.stdout.readline()
    except TimeoutError:
        raise EmulatorError(f"the emulator was not ready within {START_LIMIT_S:g} s") from None
    if not line:
        raise EmulatorError("the emulator ended before it was ready; its message is above")
    facts = json.loads(line)
    return EmulatedBank(
        directory=Path(facts["dir"]),
        control=Path(facts["control"]),
        dev=Path(facts["dev"]),
        sys=Path(facts["sys"]),
        seed=facts["seed"],
        modems=facts["modems"] if isinstance(facts["modems"], int) else len(facts["modems"]),
        parties=facts["parties"],
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


async def _end_left_over(directory: Path) -> None:
    """End an emulator whose owner was killed, and wait until it has let go of its directory."""
    control, lock = directory / "control.sock", directory / "emulator.lock"
    if not control.exists():
        return
    with contextlib.suppress(OSError, EmulatorError, TimeoutError):  # nobody listens: the emulator cleans up itself
        async with asyncio.timeout(STOP_LIMIT_S):
            await EmulatorClient(control).call("shutdown")
            while _locked(lock):  # noqa: ASYNC110  # the lock's end is all another process tells us
                await asyncio.sleep(0.05)


def _locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False

"""Run an emulator until it is told to end."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass

from modembank.emulator.control import ControlServer
from modembank.emulator.world import World, WorldOptions
from modembank.errors import EmulatorError

FILES_PER_MODEM = 4
SPARE_FILES = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """What the ready line tells."""

    dir: str
    control: str
    dev: str
    sys: str
    modems: int
    seed: int
    parties: dict[str, str]
    pid: int


async def run(options: WorldOptions, on_ready: Callable[[Ready], None]) -> None:
    """Run an emulator until SIGINT, SIGTERM or operation `shutdown`.

    Raises:
        EmulatorError: it cannot start; the text says why.
    """
    _allow_files(options.modems * FILES_PER_MODEM + SPARE_FILES)
    world = World(options)
    done = asyncio.Event()
    control = ControlServer(world, done.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    try:
        await control.start()
        on_ready(_ready(world, control))
        await done.wait()
    finally:
        await control.close()
        world.close()


def _ready(world: World, control: ControlServer) -> Ready:
    path = world.directory.path
    return Ready(
        dir=str(path),
        control=str(control.path),
        dev=str(path / "dev"),
        sys=str(path / "sys"),
        modems=len(world.modems),
        seed=world.options.seed,
        parties=world.parties(),
        pid=os.getpid(),
    )


def _allow_files(needed: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise EmulatorError(f"so many modems need {needed} open files, but the limit is {hard} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))

"""Run an emulator until it is told to end."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass

from modembank.emulator.cards import CONFIG
from modembank.emulator.control import ControlServer
from modembank.emulator.scenario import Player, read_scenario
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
    alsa: str = ""
    """The file that `ALSA_CONFIG_PATH` must name, where a sound card is used."""
    chaos: int | None = None


async def run(options: WorldOptions, on_ready: Callable[[Ready], None]) -> None:
    """Run an emulator until SIGINT, SIGTERM or operation `shutdown`.

    Raises:
        EmulatorError: it cannot start; the text says why.
    """
    _allow_files(options.modems * FILES_PER_MODEM + SPARE_FILES)
    steps = () if options.scenario is None else read_scenario(options.scenario)
    world = World(options)
    player = Player(world)
    world.on_calm = player.calm
    done = asyncio.Event()
    control = ControlServer(world, done.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    try:
        await control.start()
        player.play(steps)
        if options.chaos is not None:
            player.play_chaos(options.chaos, options.chaos_every_s)
        on_ready(_ready(world, control))
        await done.wait()
    finally:
        player.close()
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
        alsa=str(path / "alsa" / CONFIG),
        chaos=world.options.chaos,
    )


def _allow_files(needed: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise EmulatorError(f"so many modems need {needed} open files, but the limit is {hard} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))

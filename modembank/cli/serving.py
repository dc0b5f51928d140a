"""`modembank serve` and `modembank demo`: run the service until interrupted."""

from __future__ import annotations

import asyncio
import faulthandler
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.output import AsJson, JsonObject, print_json

if TYPE_CHECKING:
    from modembank.config import Settings
    from modembank.service.demo import DemoRunning
    from modembank.service.serve import Running

# Where the demo keeps its state when nothing else is said: beside the checkout's other throw-away files.
DEMO_FOLDER = Path(".demo")
STDERR = 2

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="TCP port; 0 takes a free one.")]


def serve(host: Host = None, port: Port = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Run bank, host and page on this machine until Ctrl-C.

    Modems that are plugged in are found by themselves. The first start creates the database and an API key, which
    is shown once.
    """
    name_config_file(config)
    from modembank.config import load_settings

    settings = _listening(load_settings(), host, port)

    def ready(running: Running) -> None:
        if as_json:
            print_json({"url": running.url, "api_key": running.api_key})
            return
        print(f"modembank serves at {running.url}")
        if running.api_key is not None:
            print(f"Your API key, shown only now: {running.api_key}")
        print("Ctrl-C ends it.", flush=True)

    from modembank.service import serve as run
    from modembank.service.logs import set_up_logging

    set_up_logging(settings.log_level)
    faulthandler.enable(STDERR)  # systemd aborts a server that hangs: say where it hung
    _run(run(settings, on_ready=ready))


def demo(
    modems: Annotated[int, typer.Option("--modems", min=1, max=500, help="How many emulated modems.")] = 16,
    seed: Annotated[int, typer.Option("--seed", help="The emulator's chance; the same seed, the same run.")] = 1,
    host: Host = None,
    port: Port = None,
    directory: Annotated[Path, typer.Option("--dir", help="Folder for the demo's state.")] = DEMO_FOLDER,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Try everything without hardware: emulated modems, a server and the softphone page, until Ctrl-C."""
    name_config_file(config)
    from modembank.config import load_settings

    settings = _listening(load_settings(data_dir=directory.absolute()), host, port)

    def ready(running: DemoRunning) -> None:
        if as_json:
            print_json(_demo_facts(running))
        else:
            _welcome(running)

    from modembank.service import demo as run
    from modembank.service.logs import set_up_logging

    set_up_logging(settings.log_level if as_json else "WARNING")
    if not as_json:
        print(f"Starting {modems} emulated modems …", file=sys.stderr, flush=True)
    _run(run(settings, modems=modems, seed=seed, on_ready=ready))


def _run(service: Coroutine[None, None, None]) -> None:
    """On the loop that carries audio."""
    from modembank.media.reactor import MediaLoop

    with asyncio.Runner(loop_factory=MediaLoop) as runner:
        runner.run(service)


def _demo_facts(running: DemoRunning) -> JsonObject:
    emulator = running.emulator
    return {
        "url": running.url,
        "api_key": running.api_key,
        "modems": emulator.modems,
        "emulator": {
            "dir": str(emulator.directory),
            "control": str(emulator.control),
            "dev": str(emulator.dev),
            "sys": str(emulator.sys),
            "seed": emulator.seed,
            "parties": dict(emulator.parties),
        },
    }


def _welcome(running: DemoRunning) -> None:
    print(f"Open the softphone:  {running.url}")
    print(f"Your API key:        {running.api_key}")
    print(f"Emulated modems:     {running.emulator.modems}")
    print("Numbers to call:")
    for name, number in running.emulator.parties.items():
        print(f"  {number}  {name.replace('_', ' ')}")
    print("Ctrl-C ends it.", flush=True)


def _listening(settings: Settings, host: str | None, port: int | None) -> Settings:
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return settings.model_copy(update={"http": settings.http.model_copy(update=changes)})

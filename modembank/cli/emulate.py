"""`modembank emulate`: run emulated modems, or drive those that run.

Without a subcommand the emulator runs in the foreground until it is interrupted; every subcommand is one
operation of its control socket.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modembank.cli.emulate_drive import DEFAULT_DIR, DirOption, JsonOption, commands, fail
from modembank.cli.emulate_messages import commands as message_commands
from modembank.errors import EmulatorError

if TYPE_CHECKING:
    from modembank.emulator.server import Ready
    from modembank.emulator.world import WorldOptions


app = typer.Typer(
    name="emulate",
    help="Run emulated modems with a cellular network behind them, or drive those that run.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def emulate(
    context: typer.Context,
    modems: Annotated[int, typer.Option(help="How many modems, 1 to 500.")] = 16,
    family: Annotated[
        str, typer.Option(help="Families of the modems in turn, with commas between, or mixed.")
    ] = "quectel-ec25",
    directory: DirOption = DEFAULT_DIR,
    seed: Annotated[int, typer.Option(help="Same seed, same identities, signals and sounds.")] = 1,
    speech_file: Annotated[Path | None, typer.Option(help="What the speech party says: 8 kHz mono WAV.")] = None,
    party_speed: Annotated[float, typer.Option(help="Divide all times of the far parties by this.")] = 1.0,
    reenumerate_s: Annotated[float, typer.Option(help="How long a reset modem is off the bus.")] = 2.0,
    sim_busy_s: Annotated[float, typer.Option(help="How long the SIM is busy after a boot.")] = 0.5,
    heard_s: Annotated[float, typer.Option(help="How much of each call's audio is kept per side.")] = 60.0,
    scenario: Annotated[Path | None, typer.Option(help="TOML file of operations at given times.")] = None,
    chaos: Annotated[int | None, typer.Option(help="Random faults at random times; same seed, same faults.")] = None,
    chaos_every_s: Annotated[float, typer.Option(help="One such fault every so many seconds on average.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Run emulated modems until interrupted; a subcommand drives a running emulator instead."""
    if context.invoked_subcommand is not None:
        return
    from modembank.emulator.network import NetworkOptions
    from modembank.emulator.world import WorldOptions

    if not 0.01 <= party_speed <= 100 or min(reenumerate_s, sim_busy_s, heard_s) < 0:
        fail("--party-speed must be 0.01 to 100, and the times must not be negative")
    if chaos_every_s <= 0:
        fail("--chaos-every-s must be more than 0")
    options = WorldOptions(
        directory=directory,
        modems=modems,
        family=family,
        seed=seed,
        speech_file=speech_file,
        reenumerate_s=reenumerate_s,
        sim_busy_s=sim_busy_s,
        scenario=scenario,
        chaos=chaos,
        chaos_every_s=chaos_every_s,
        network=NetworkOptions(speed=party_speed, heard_s=heard_s),
    )
    _run(options, as_json)


def _run(options: WorldOptions, as_json: bool) -> None:
    import asyncio

    from modembank.emulator.server import run

    try:
        asyncio.run(run(options, lambda ready: _print_ready(ready, as_json)))
    except EmulatorError as error:
        fail(str(error))
    except OSError as error:
        fail(f"the emulator cannot use {options.directory}: {error.strerror}")


def _print_ready(ready: Ready, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(ready)), flush=True)
        return
    print(f"{ready.modems} emulated modems are ready (seed {ready.seed}).")
    if ready.chaos is not None:
        print(f"Faults come by chance, with --chaos {ready.chaos}.")
    print(f"  ports    {ready.dev}\n  sysfs    {ready.sys}\n  control  {ready.control}\n  sound    {ready.alsa}")
    print("Numbers to dial:")
    for name, number in ready.parties.items():
        print(f"  {number}  {name.replace('_', ' ')}")
    print("Stop with Ctrl-C.", flush=True)


app.add_typer(commands)
app.add_typer(message_commands)


if __name__ == "__main__":
    app()

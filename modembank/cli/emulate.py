"""`modembank emulate`: run emulated modems, or drive those that run.

Without a subcommand the emulator runs in the foreground until it is interrupted; every subcommand is one
operation of its control socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modembank.emulator.client import SyncEmulatorClient
from modembank.errors import EmulatorError

if TYPE_CHECKING:
    from modembank.emulator.server import Ready
    from modembank.emulator.world import WorldOptions

DEFAULT_DIR = Path(".demo/emulator")

app = typer.Typer(
    name="emulate",
    help="Run emulated modems with a cellular network behind them, or drive those that run.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
)

DirOption = Annotated[Path, typer.Option("--dir", help="The emulator's directory.")]
ControlOption = Annotated[Path | None, typer.Option("--control", help="Its control socket, if not in --dir.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModemArgument = Annotated[int, typer.Argument(help="Index of the modem, from 0.")]
SwitchOption = Annotated[bool, typer.Option("--on/--off", help="Switch it on or off.")]


@app.callback(invoke_without_command=True)
def emulate(
    context: typer.Context,
    modems: Annotated[int, typer.Option(help="How many modems, 1 to 500.")] = 16,
    directory: DirOption = DEFAULT_DIR,
    seed: Annotated[int, typer.Option(help="Same seed, same identities, signals and sounds.")] = 1,
    speech_file: Annotated[Path | None, typer.Option(help="What the speech party says: 8 kHz mono WAV.")] = None,
    party_speed: Annotated[float, typer.Option(help="Divide all times of the far parties by this.")] = 1.0,
    reenumerate_s: Annotated[float, typer.Option(help="How long a reset modem is off the bus.")] = 2.0,
    sim_busy_s: Annotated[float, typer.Option(help="How long the SIM is busy after a boot.")] = 0.5,
    heard_s: Annotated[float, typer.Option(help="How much of each call's audio is kept per side.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Run emulated modems until interrupted; a subcommand drives a running emulator instead."""
    if context.invoked_subcommand is not None:
        return
    from modembank.emulator.network import NetworkOptions
    from modembank.emulator.world import WorldOptions

    if not 0.01 <= party_speed <= 100 or min(reenumerate_s, sim_busy_s, heard_s) < 0:
        _fail("--party-speed must be 0.01 to 100, and the times must not be negative")
    options = WorldOptions(
        directory=directory,
        modems=modems,
        seed=seed,
        speech_file=speech_file,
        reenumerate_s=reenumerate_s,
        sim_busy_s=sim_busy_s,
        network=NetworkOptions(speed=party_speed, heard_s=heard_s),
    )
    _run(options, as_json)


def _run(options: WorldOptions, as_json: bool) -> None:
    import asyncio

    from modembank.emulator.server import run

    try:
        asyncio.run(run(options, lambda ready: _print_ready(ready, as_json)))
    except EmulatorError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"the emulator cannot use {options.directory}: {error.strerror}")


def _print_ready(ready: Ready, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(ready)), flush=True)
        return
    print(f"{ready.modems} emulated modems are ready (seed {ready.seed}).")
    print(f"  ports    {ready.dev}\n  sysfs    {ready.sys}\n  control  {ready.control}")
    print("Numbers to dial:")
    for name, number in ready.parties.items():
        print(f"  {number}  {name.replace('_', ' ')}")
    print("Stop with Ctrl-C.", flush=True)


def _fail(message: str) -> None:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(1)


def _do(directory: Path, control: Path | None, as_json: bool, op: str, **values: object) -> None:
    try:
        answer = SyncEmulatorClient(control or directory / "control.sock").call(op, **values)
    except (EmulatorError, TimeoutError, OSError) as error:
        _fail(str(error))
    else:
        _show(answer, as_json)


def _show(answer: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer))
    elif not answer:
        print("done")
    for name, value in ({} if as_json else answer).items():
        if isinstance(value, list):
            for entry in value:
                print(_flat(entry))
        else:
            print(f"{name}: {_flat(value)}")


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{key}={_flat(inner)}" for key, inner in value.items() if inner not in ({}, []))
    return str(value)


@app.command()
def status(directory: DirOption = DEFAULT_DIR, control: ControlOption = None, as_json: JsonOption = False) -> None:
    """Show modems, calls and far parties."""
    _do(directory, control, as_json, "status")


@app.command()
def incoming(
    to: Annotated[str, typer.Argument(help="Number of the SIM to call, or a modem's index.")],
    calling: Annotated[str, typer.Option("--from", help="Who calls.")] = "+447700900990",
    behaviour: Annotated[str, typer.Option(help="echo, tone, speech, dtmf or silent.")] = "echo",
    ring_s: Annotated[float, typer.Option(help="Give up after so many seconds.")] = 30.0,
    talk_s: Annotated[float | None, typer.Option(help="Hang up so many seconds after the answer.")] = None,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a person call a SIM."""
    values: dict[str, object] = {"to": int(to) if to.isdigit() and len(to) <= 3 else to, "from_": calling}
    values |= {"behaviour": behaviour, "ring_s": ring_s}
    if talk_s is not None:
        values["talk_s"] = talk_s
    _do(directory, control, as_json, "incoming", **values)


@app.command()
def hangup(
    number: Annotated[str, typer.Argument(help="A call's key, or the number of either side.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the network end a call."""
    client = SyncEmulatorClient(control or directory / "control.sock")
    for key in ("call", "from"):
        try:
            _show(client.call("hangup", **{key: number}), as_json)
            return
        except (EmulatorError, TimeoutError, OSError):
            continue  # not under this key; the last one tells the error
    _do(directory, control, as_json, "hangup", to=number)


@app.command()
def signal(
    modem: ModemArgument,
    rssi: Annotated[int, typer.Argument(help="Value of +CSQ: 0 to 31, or 99.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a modem's signal strength."""
    _do(directory, control, as_json, "signal", modem=modem, rssi=rssi)


@app.command()
def registration(
    modem: ModemArgument,
    stat: Annotated[int, typer.Argument(help="Value of +CREG: 1 home, 3 denied, 5 roaming, 0 none.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a modem's registration."""
    _do(directory, control, as_json, "registration", modem=modem, stat=stat)


@app.command("remove-sim")
def remove_sim(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a modem's SIM out."""
    _do(directory, control, as_json, "remove_sim", modem=modem)


@app.command("insert-sim")
def insert_sim(
    modem: ModemArgument,
    iccid: Annotated[str | None, typer.Option(help="A SIM taken out of another modem.")] = None,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a SIM in, by default the one taken out of this modem last."""
    chosen: dict[str, object] = {} if iccid is None else {"iccid": iccid}
    _do(directory, control, as_json, "insert_sim", modem=modem, **chosen)


@app.command()
def mute(
    modem: ModemArgument,
    on: SwitchOption = True,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Silence a modem: the ports stay open, nothing comes."""
    _do(directory, control, as_json, "mute", modem=modem, on=on)


@app.command()
def hang(
    modem: ModemArgument,
    on: SwitchOption = True,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Half hang a modem: URCs come, commands are not answered."""
    _do(directory, control, as_json, "hang", modem=modem, on=on)


@app.command()
def slow(
    modem: ModemArgument,
    delay_s: Annotated[float, typer.Argument(help="Delay of every answer; 0 ends it.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a modem answer late."""
    _do(directory, control, as_json, "slow", modem=modem, delay_s=delay_s)


@app.command()
def drop(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Unplug a modem."""
    _do(directory, control, as_json, "drop", modem=modem)


@app.command()
def readd(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plug a modem in again; its ports get other numbers."""
    _do(directory, control, as_json, "readd", modem=modem)


@app.command()
def reset(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restart a modem as AT+CFUN=1,1 does."""
    _do(directory, control, as_json, "reset", modem=modem)


if __name__ == "__main__":
    app()

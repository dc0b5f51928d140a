"""Subcommands of `modembank emulate`: each is one operation of a running emulator's control socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from modembank.emulator.client import SyncEmulatorClient
from modembank.errors import EmulatorError

DEFAULT_DIR = Path(".demo/emulator")

commands = typer.Typer()

DirOption = Annotated[Path, typer.Option("--dir", help="The emulator's directory.")]
ControlOption = Annotated[Path | None, typer.Option("--control", help="Its control socket, if not in --dir.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModemArgument = Annotated[int, typer.Argument(help="Index of the modem, from 0.")]
SwitchOption = Annotated[bool, typer.Option("--on/--off", help="Switch it on or off.")]


def fail(message: str) -> NoReturn:
    """End with one sentence on stderr and status 1."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(1)


def do(directory: Path, control: Path | None, as_json: bool, op: str, **values: object) -> None:
    """Run one operation and show its answer, or end with its error."""
    try:
        answer = SyncEmulatorClient(control or directory / "control.sock").call(op, **values)
    except (EmulatorError, TimeoutError, OSError) as error:
        fail(str(error))
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


@commands.command()
def status(directory: DirOption = DEFAULT_DIR, control: ControlOption = None, as_json: JsonOption = False) -> None:
    """Show modems, calls and far parties."""
    do(directory, control, as_json, "status")


@commands.command()
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
    do(directory, control, as_json, "incoming", **values)


@commands.command()
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
    do(directory, control, as_json, "hangup", to=number)


@commands.command()
def signal(
    modem: ModemArgument,
    rssi: Annotated[int, typer.Argument(help="Value of +CSQ: 0 to 31, or 99.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a modem's signal strength."""
    do(directory, control, as_json, "signal", modem=modem, rssi=rssi)


@commands.command()
def registration(
    modem: ModemArgument,
    stat: Annotated[int, typer.Argument(help="Value of +CREG: 1 home, 3 denied, 5 roaming, 0 none.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a modem's registration."""
    do(directory, control, as_json, "registration", modem=modem, stat=stat)


@commands.command("remove-sim")
def remove_sim(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a modem's SIM out."""
    do(directory, control, as_json, "remove_sim", modem=modem)


@commands.command("insert-sim")
def insert_sim(
    modem: ModemArgument,
    iccid: Annotated[str | None, typer.Option(help="A SIM taken out of another modem.")] = None,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a SIM in, by default the one taken out of this modem last."""
    chosen: dict[str, object] = {} if iccid is None else {"iccid": iccid}
    do(directory, control, as_json, "insert_sim", modem=modem, **chosen)


@commands.command()
def mute(
    modem: ModemArgument,
    on: SwitchOption = True,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Silence a modem: the ports stay open, nothing comes."""
    do(directory, control, as_json, "mute", modem=modem, on=on)


@commands.command()
def hang(
    modem: ModemArgument,
    on: SwitchOption = True,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Half hang a modem: URCs come, commands are not answered."""
    do(directory, control, as_json, "hang", modem=modem, on=on)


@commands.command()
def slow(
    modem: ModemArgument,
    delay_s: Annotated[float, typer.Argument(help="Delay of every answer; 0 ends it.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a modem answer late."""
    do(directory, control, as_json, "slow", modem=modem, delay_s=delay_s)


@commands.command()
def drop(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Unplug a modem."""
    do(directory, control, as_json, "drop", modem=modem)


@commands.command()
def readd(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plug a modem in again; its ports get other numbers."""
    do(directory, control, as_json, "readd", modem=modem)


@commands.command()
def reset(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restart a modem as AT+CFUN=1,1 does."""
    do(directory, control, as_json, "reset", modem=modem)


@commands.command()
def fault(
    modem: ModemArgument,
    name: Annotated[str, typer.Argument(help="Name of the fault; a wrong one shows the list.")],
    value: Annotated[str, typer.Argument(help="true, false, a number or a text.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch one of a modem's faults."""
    do(directory, control, as_json, "fault", modem=modem, name=name, value=_plain(value))


def _plain(value: str) -> object:
    try:
        plain: object = json.loads(value)
    except json.JSONDecodeError:
        return value
    return plain


@commands.command()
def heard(
    number: Annotated[str | None, typer.Option(help="Whose ear: a number of the latest call.")] = None,
    modem: Annotated[int | None, typer.Option(help="Or a modem's index.")] = None,
    far: Annotated[bool, typer.Option("--far", help="The ear at the modem's far end.")] = False,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what one side of the latest call heard as a WAV file and show its path."""
    values: dict[str, object] = {"modem": modem, "far": far} if modem is not None else {"number": number or ""}
    do(directory, control, as_json, "heard", **values)


@commands.command("sent-dtmf")
def sent_dtmf(
    number: Annotated[str | None, typer.Option(help="Digits that this number got in its latest call.")] = None,
    modem: Annotated[int | None, typer.Option(help="Or digits that this modem sent.")] = None,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the DTMF digits of the latest call."""
    values: dict[str, object] = {"modem": modem} if modem is not None else {"number": number or ""}
    do(directory, control, as_json, "sent_dtmf", **values)


@commands.command()
def party(
    name: Annotated[str, typer.Argument(help="Name of the far party.")],
    setup_s: Annotated[float | None, typer.Option(help="From dialling to its first sign.")] = None,
    ring_s: Annotated[float | None, typer.Option(help="How long it rings.")] = None,
    talk_s: Annotated[float | None, typer.Option(help="When it hangs up after the answer.")] = None,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a far party's times."""
    times = {"setup_s": setup_s, "ring_s": ring_s, "talk_s": talk_s}
    given = {key: value for key, value in times.items() if value is not None}
    do(directory, control, as_json, "party", name=name, **given)


@commands.command()
def parties(directory: DirOption = DEFAULT_DIR, control: ControlOption = None, as_json: JsonOption = False) -> None:
    """Show the far parties' numbers."""
    do(directory, control, as_json, "parties")


@commands.command("at-log")
def at_log(
    modem: ModemArgument,
    limit: Annotated[int, typer.Option(help="How many of the latest entries.")] = 100,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was said on a modem's AT ports."""
    do(directory, control, as_json, "at_log", modem=modem, limit=limit)


@commands.command()
def watch(directory: DirOption = DEFAULT_DIR, control: ControlOption = None) -> None:
    """Print events as JSON lines until interrupted."""
    try:
        for event in SyncEmulatorClient(control or directory / "control.sock").watch():
            print(json.dumps(event), flush=True)
    except (EmulatorError, OSError) as error:
        fail(str(error))


@commands.command()
def shutdown(directory: DirOption = DEFAULT_DIR, control: ControlOption = None, as_json: JsonOption = False) -> None:
    """End the running emulator."""
    do(directory, control, as_json, "shutdown")

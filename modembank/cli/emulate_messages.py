"""Subcommands of `modembank emulate` for messages, service codes and PINs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from modembank.cli.emulate_drive import DEFAULT_DIR, ControlOption, DirOption, JsonOption, ModemArgument, do, fail

commands = typer.Typer()


@commands.command()
def sms(
    to: Annotated[str, typer.Argument(help="Number of the SIM, or a modem's index.")],
    text: Annotated[str, typer.Argument(help="The text; a long one goes in parts.")],
    sender: Annotated[str, typer.Option("--from", help="Who writes: a number, or a name.")] = "+447700900990",
    flash: Annotated[bool, typer.Option("--flash", help="Class 0.")] = False,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a person send a SIM a message."""
    target = int(to) if to.isdigit() and len(to) <= 3 else to
    do(directory, control, as_json, "sms", to=target, text=text, from_=sender, flash=flash)


@commands.command("sms-inbox")
def sms_inbox(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the messages that a modem took from the network."""
    do(directory, control, as_json, "sms_inbox", modem=modem)


@commands.command("sms-sent")
def sms_sent(
    number: Annotated[str, typer.Argument(help="Number of the sender or of the recipient.")],
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the messages that the network took."""
    do(directory, control, as_json, "sms_sent", number=number)


@commands.command("sms-store")
def sms_store(
    modem: ModemArgument,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the messages in a modem's stores."""
    do(directory, control, as_json, "sms_store", modem=modem)


@commands.command()
def pin(
    modem: ModemArgument,
    code: Annotated[str, typer.Argument(help="The PIN; empty takes the lock away.")],
    tries: Annotated[int, typer.Option(help="How many tries are left.")] = 3,
    directory: DirOption = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lock a modem's SIM by a PIN."""
    do(directory, control, as_json, "pin", modem=modem, pin=code, tries=tries)


@commands.command("ussd-script")
def ussd_script(
    code: Annotated[str, typer.Argument(help="The service code.")],
    menu: Annotated[str, typer.Argument(help="Its answer: a text, or a menu as JSON.")],
    modem: Annotated[int | None, typer.Option(help="Only for this modem's SIM.")] = None,
    directory: Annotated[Path, typer.Option("--dir", help="The emulator's directory.")] = DEFAULT_DIR,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set what a service code answers."""
    try:
        answer: object = json.loads(menu) if menu.lstrip().startswith("{") else menu
    except json.JSONDecodeError as error:
        fail(f"the menu is no JSON: {error}")
    whose: dict[str, object] = {} if modem is None else {"modem": modem}
    do(directory, control, as_json, "ussd_script", code=code, menu=answer, **whose)

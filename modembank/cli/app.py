"""The command tree. Commands import what they need when they run, so that `--help` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from modembank import __version__
from modembank.cli import (
    calling,
    configuring,
    console,
    database,
    detect,
    doctor,
    emulate,
    hardware,
    history,
    keys,
    messages,
    selftest,
    serving,
    ussd,
)

app = typer.Typer(
    name="modembank",
    help="A rack of SIM cards in USB modems becomes a telephone service.\n\n"
    "New here? `modembank demo` starts emulated modems, a server and a softphone page; no hardware needed. "
    "`modembank doctor` says what this machine lacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass  # the version option works through its callback


app.command("serve", rich_help_panel="Run")(serving.serve)
app.command("demo", rich_help_panel="Run")(serving.demo)
app.add_typer(emulate.app, name="emulate", rich_help_panel="Run")
app.command("call", rich_help_panel="Use a running server")(calling.call)
app.add_typer(messages.app, name="sms", rich_help_panel="Use a running server")
app.command("ussd", rich_help_panel="Use a running server")(ussd.ussd)
app.add_typer(history.sims, name="sims", rich_help_panel="Use a running server")
app.add_typer(history.modems, name="modems", rich_help_panel="Use a running server")
app.command("at", rich_help_panel="Use a running server")(console.at)
app.command("detect", rich_help_panel="Look after this machine")(detect.detect)
app.command("selftest", rich_help_panel="Use a running server")(selftest.selftest)
app.command("doctor", rich_help_panel="Look after this machine")(doctor.doctor)
app.add_typer(hardware.app, name="hardware", rich_help_panel="Look after this machine")
app.add_typer(keys.app, name="keys", rich_help_panel="Look after this machine")
app.add_typer(database.app, name="db", rich_help_panel="Look after this machine")
app.add_typer(configuring.app, name="config", rich_help_panel="Look after this machine")

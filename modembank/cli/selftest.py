"""`modembank selftest`: lines of the bank call each other, and each is told what is wrong with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.remote import Key, Url

if TYPE_CHECKING:
    from modembank.selftest.result import Report


def selftest(
    sim: Annotated[
        list[str] | None, typer.Option("--sim", help="A SIM to test, by id, ICCID, number or label; twice or more.")
    ] = None,
    every_line: Annotated[bool, typer.Option("--all", help="Every ready line calls once and is called once.")] = False,
    every_pair: Annotated[bool, typer.Option("--pairs", help="One call for each two lines instead.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Half as long; the scores are less exact.")] = False,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=16, help="So many calls at the same time.")] = 1,
    rack: Annotated[
        Path | None,
        typer.Option("--rack", exists=True, dir_okay=False, help="Rack file: who may call whom, and the limits."),
    ] = None,
    max_calls: Annotated[int, typer.Option("--max-calls", min=1, help="Make at most so many calls.")] = 100,
    max_minutes: Annotated[
        int, typer.Option("--max-minutes", min=1, help="Use at most so many minutes, each call rounded up.")
    ] = 60,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured to this file; - is the terminal.")
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a report with pictures to this file.")] = None,
    start: Annotated[bool, typer.Option("--start", help="Run a server for the test only, on this machine.")] = False,
    url: Url = None,
    key: Key = None,
    config: ConfigFile = None,
) -> None:
    """Let lines of the bank call each other, and say what is wrong with which.

    Each call measures set-up, alerting, answer and hang-up, and in both directions level, frequency response, delay,
    drop-outs, noise, echo, speech and digits. These are real calls: they cost what calls cost. Without `--sim` and
    `--all` the first two ready lines are tested. Status 0: all good; 1: a line failed; 2: not everything was tested.
    """
    name_config_file(config)
    from modembank.cli.selftest_run import Wanted, run

    wanted = Wanted(
        sims=tuple(sim or ()),
        all=every_line,
        pairs=every_pair,
        quick=quick,
        at_once=at_once,
        rack=rack,
        max_calls=max_calls,
        max_minutes=max_minutes,
        server=None if start else (url, key),
    )
    _write(asyncio.run(run(wanted)), json_file, html_file)


def _write(report: Report, json_file: Path | None, html_file: Path | None) -> None:
    from modembank.cli.selftest_show import show_report
    from modembank.config import load_settings
    from modembank.errors import SettingsError
    from modembank.selftest.export import to_json
    from modembank.selftest.page import render
    from modembank.selftest.result import Verdict

    to_terminal = json_file is not None and str(json_file) == "-"
    try:
        if json_file is not None and not to_terminal:
            json_file.write_text(to_json(report))
        if html_file is not None:
            html_file.write_text(render(report, load_settings().selftest))
    except OSError as error:
        raise SettingsError(f"the report cannot be written to {error.filename}: {error.strerror}") from None
    if to_terminal:
        print(to_json(report), end="")
    else:
        show_report(report)
    status = {Verdict.OK: 0, Verdict.FAIL: 1, Verdict.UNKNOWN: 2}[report.verdict]
    if status:
        raise typer.Exit(status)

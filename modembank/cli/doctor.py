"""`modembank doctor`: what is wrong with this machine and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import typer

from modembank.cli.checks import (
    Finding,
    Level,
    check_clock,
    check_core,
    check_database,
    check_intruders,
    check_modems,
    check_open_files,
    check_opus,
    check_page,
    check_port,
    check_python,
)
from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.output import AsJson, print_json
from modembank.errors import SettingsError

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def doctor(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say what is wrong with this machine and what to do about it. Status 1 when something fails."""
    name_config_file(config)
    report(list(_examine()), as_json)


def report(findings: list[Finding], as_json: bool) -> None:
    """Print findings; status 1 when one fails."""
    if as_json:
        print_json(
            {
                "ok": all(finding.level is not Level.FAIL for finding in findings),
                "findings": [
                    {
                        "level": finding.level.value,
                        "check": finding.check,
                        "detail": finding.detail,
                        "remedy": finding.remedy,
                    }
                    for finding in findings
                ],
            }
        )
    else:
        _print(findings)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(1)


def _examine() -> Iterator[Finding]:
    from modembank.config import load_settings

    yield check_python()
    yield check_open_files()
    yield check_intruders()
    yield check_clock()
    yield check_opus()
    yield check_core()
    yield check_page()
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding(Level.FAIL, "settings", str(error), "mend it; see docs/reference/settings.md")
        return
    yield Finding(Level.OK, "settings", "valid")
    yield from check_modems(settings)
    yield check_port(settings)
    yield asyncio.run(check_database(settings))


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        line = Text()
        line.append(f"{finding.level.value:4}  ", style=STYLES[finding.level])
        line.append(f"{finding.check:{width}}  {finding.detail}")
        console.print(line)
        if finding.remedy:
            console.print(Text(f"{'':{width + 8}}→ {finding.remedy}", style="bold"))

"""`modembank at`: an audited console to one modem."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from modembank.cli.inventory import MODEM_KEYS, ModemName, find_one
from modembank.cli.output import AsJson, JsonObject, print_json
from modembank.cli.remote import Key, Remote, Url
from modembank.errors import RemoteError

TRACE_LIMIT = 1000  # as many as a host keeps


def at(
    modem: ModemName,
    line: Annotated[str | None, typer.Argument(metavar="[LINE]", help="For example AT+CSQ.")] = None,
    unrestricted: Annotated[
        bool, typer.Option("--unrestricted", help="Skip the allow-list; needs a key with the scope at:raw.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="At the end, write a redacted transcript.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send AT commands to a modem; every one is written to the audit log.

    Without LINE it is a console: one command per line, Ctrl-D ends it. Only commands that change nothing are let
    through, unless `--unrestricted`.

    With `--record` the last 1000 lines between server and modem are written to FILE at the end: all that the server
    said as well, its bring-up and calls, if they are no older. Numbers, identities and texts in it are others.
    """
    remote = Remote(url, key)
    found = find_one(remote.all("/v1/modems"), modem, MODEM_KEYS, "modem")
    path = f"/v1/modems/{found['id']}/at"
    if record is not None and record.is_dir():
        raise typer.BadParameter(f"{record} is a folder")
    if line is not None:
        _run(remote, path, line, unrestricted, as_json)
    else:
        _console(remote, path, unrestricted, as_json)
    if record is not None:
        _record(remote, found, record)


def _console(remote: Remote, path: str, unrestricted: bool, as_json: bool) -> None:
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401  # gives input() a history and editing

        print("One AT command per line; Ctrl-D ends.", file=sys.stderr)
    while True:
        try:
            line = input("> " if interactive else "").strip()
        except EOFError:
            return
        if not line:
            continue
        try:
            _run(remote, path, line, unrestricted, as_json)
        except RemoteError as error:
            if not interactive:
                raise
            print(error, file=sys.stderr)


def _record(remote: Remote, modem: JsonObject, file: Path) -> None:
    from modembank.at.transcript import Source, write_transcript

    trace = remote.get(f"/v1/modems/{modem['id']}/trace", limit=TRACE_LIMIT, transcript="true")
    facts = {
        "family": str(modem["dialect"]),
        "source": Source.DEVICE.value,
        "maker": str(modem["manufacturer"] or ""),
        "model": str(modem["model"] or ""),
        "firmware": str(modem["revision"] or ""),
    }
    lines = cast("list[JsonObject]", trace["data"])  # by the contract of the route
    told = [(datetime.fromisoformat(str(one["at"])).timestamp(), bool(one["out"]), str(one["text"])) for one in lines]
    try:
        file.write_text(write_transcript(facts, told))
    except OSError as error:
        raise RemoteError(f"{file} cannot be written: {error.strerror}") from None
    print(f"{len(told)} lines in {file}; read them before you give them away", file=sys.stderr)


def _run(remote: Remote, path: str, line: str, unrestricted: bool, as_json: bool) -> None:
    body: JsonObject = {"line": line}
    if unrestricted:
        body["unrestricted"] = True
    answer = remote.post(path, body)
    if as_json:
        print_json(answer)
        return
    for text in cast("list[str]", answer["lines"]):  # by the contract of the route
        print(text)

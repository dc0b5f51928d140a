"""`modembank call`: place a call, show how it goes, talk and listen without a browser."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modembank.cli.output import AsJson, print_json
from modembank.cli.remote import Key, Url, find_server

if TYPE_CHECKING:
    from modembank.cli.output import JsonObject


def call(
    number: Annotated[str, typer.Argument(help="E.164, or national as written in the bank's country.")],
    sim: Annotated[str | None, typer.Option("--sim", help="SIM to use: its id, ICCID or own number.")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Use a SIM with this tag.")] = None,
    play: Annotated[
        Path | None, typer.Option("--play", exists=True, dir_okay=False, help="WAV file to say once answered.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", dir_okay=False, help="WAV file for what was heard once answered.")
    ] = None,
    dtmf: Annotated[str | None, typer.Option("--dtmf", help="Digits to send once answered, like 12#.")] = None,
    duration: Annotated[
        float | None,
        typer.Option("--duration", min=0, help="Hang up this many seconds after the answer.  [with --play: its end]"),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=5, max=120, help="Give up when not answered in seconds.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Place a call and show how it goes; Ctrl-C hangs up.

    Status 0 when the call was answered, 1 when not. With `--json` each event is one line, the last is `call.ended`.
    """
    from modembank.cli.call_run import CallRun, Plan

    server = find_server(url, key)
    body: JsonObject = {"to": number}
    body |= {name: value for name, value in (("from", sim), ("pool", pool), ("timeout_s", timeout)) if value}
    plan = Plan(body=body, play=play, record=record, dtmf=dtmf, duration_s=duration)
    show = print_json if as_json else _Progress().show
    ended = asyncio.run(CallRun(server, plan, show).run())
    if ended.get("answered_at") is None:
        raise typer.Exit(1)


class _Progress:
    """Prints what happens with seconds since the dial, by the modem's clock."""

    def __init__(self) -> None:
        self._from: str | None = None

    def show(self, event: JsonObject) -> None:
        """Print one event of the call in words."""
        words = _words(event)
        if self._from is None:
            self._from = str(event["at"])
        if words:
            print(f"{_seconds(self._from, str(event['at'])):7.2f} s  {words}", flush=True)


def _words(event: JsonObject) -> str:
    data = event["data"]
    assert isinstance(data, dict)
    call = data["call"]
    assert isinstance(call, dict)
    match event["type"]:
        case "call.dialing":
            return f"dialing {call['to']} through {_sim(call)}"
        case "call.ringing":
            return "ringing"
        case "call.early_media":
            return "the network plays a tone or an announcement"
        case "call.answered":
            return "answered"
        case "call.dtmf":
            return f"{'sent' if data['from_far'] else 'heard'} digit {data['digit']}"
        case "call.ended":
            return _end(call)
        case _:
            return ""


def _sim(call: JsonObject) -> str:
    sim = call["sim"]
    if not isinstance(sim, dict):
        return "an unknown SIM"
    return str(sim["label"] or sim["number"] or sim["iccid"])


def _end(call: JsonObject) -> str:
    hangup = call["hangup"]
    status = str(call["status"]).replace("_", " ")
    if not isinstance(hangup, dict):
        return f"ended: {status}"
    cause = str(hangup["cause"]).replace("_", " ")
    talked = f", {call['duration_s']} s of talk" if call["answered_at"] else ""
    return f"ended: {status} ({cause}, by {hangup['source']}){talked}"


def _seconds(start: str, end: str) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()

"""Choose the lines of a self-test, keep it inside its limits, run it on a server."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from modembank.cli.inventory import SIM_KEYS, find_one
from modembank.cli.output import JsonObject
from modembank.cli.remote import Server, find_server
from modembank.cli.selftest_bank import RemoteBank, remote_bank
from modembank.config import Settings, load_settings
from modembank.errors import NotInRackError, SelftestError
from modembank.selftest.pairs import Pair, every_pair, ring
from modembank.selftest.programme import Programme, programme
from modembank.selftest.rack import Budget, Limits, Rack, RackSim, read_rack
from modembank.selftest.result import Line, Report
from modembank.selftest.run import Plan
from modembank.selftest.session import Progress, run_selftest
from modembank.service.temporary import temporary_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for. `server`: address and key; None to run one."""

    sims: tuple[str, ...]
    all: bool
    pairs: bool
    quick: bool
    at_once: int
    rack: Path | None
    max_calls: int
    max_minutes: int
    server: tuple[str | None, str | None] | None


async def run(wanted: Wanted) -> Report:
    """Return the report.

    Raises:
        SelftestError: there are no two lines to test, or the rack file does not allow the calls.
        RemoteError: the server refused, or cannot be reached.
        SettingsError: the settings or the rack file are wrong.
    """
    settings = load_settings()
    rack = read_rack(wanted.rack) if wanted.rack else None
    async with _server(wanted, settings) as server, remote_bank(server) as bank:
        lines, left_out = await _lines(bank, wanted, rack)
        pairs = (every_pair if wanted.pairs else ring)(lines)
        if rack is not None:
            pairs = _permitted(rack, pairs, strict=bool(wanted.sims))
        if not pairs:
            raise SelftestError(
                "a self-test needs two ready lines whose numbers are known; `modembank sims` shows them"
            )
        plan = Plan(said(wanted.quick), settings.selftest, await bank.ice_servers())
        budget = Budget(rack.limits if rack else Limits(calls=wanted.max_calls, minutes=wanted.max_minutes))
        report = await run_selftest(bank, pairs, plan, budget, at_once=wanted.at_once, show=_show)
        return replace(report, left_out=tuple(left_out))


def said(quick: bool) -> Programme:
    """Return what the lines say to each other."""
    return programme(tone_s=1.2, speech_s=2.6) if quick else programme()


def _show(progress: Progress) -> None:
    caller, callee = progress.pair
    where = f"[{progress.number}/{progress.of}] {caller.label} → {callee.label}"
    print(f"{where}: {progress.step}", file=sys.stderr, flush=True)


async def _lines(bank: RemoteBank, wanted: Wanted, rack: Rack | None) -> tuple[list[Line], list[str]]:
    """Return the lines to test, and why each other one was left out."""
    rows = await bank.sims()
    modems = {str(modem["id"]): modem for modem in await bank.modems()}
    if wanted.sims:
        rows = [find_one(rows, name, SIM_KEYS, "SIM") for name in dict.fromkeys(wanted.sims)]
    lines, left_out = [], []
    for row in rows:
        reference = row["modem"]
        modem = modems.get(str(reference["id"])) if isinstance(reference, dict) else None
        entry = _entry(rack, row, modem)
        why = _unfit(row, modem, entry)
        if rack is not None and entry is None:
            why = why or f"{_name(row)} is not in the rack file"
            if not wanted.sims:
                continue
        if not why and modem is not None:
            lines.append(_line(row, modem, str(row["number"] or (entry.number if entry else "")), entry))
        elif wanted.sims:
            raise SelftestError(why)
        elif modem is not None and modem["voice"] and row["enabled"]:
            left_out.append(why)
    return (lines, left_out) if wanted.sims or wanted.all else (lines[:2], [])


def _unfit(sim: JsonObject, modem: JsonObject | None, entry: RackSim | None) -> str:
    """Return why a SIM cannot be tested, or nothing."""
    name = _name(sim)
    if modem is None:
        return f"{name} is in no modem"
    if not sim["enabled"]:
        return f"{name} is switched off; switch it on with `modembank sims set {sim['id']} --enable`"
    if sim["state"] != "ready":
        return f"{name} is {sim['state']}, not ready for calls; `modembank modems` says more"
    if not modem["voice"]:
        return f"{name} sits in a modem that has no voice"
    if not sim["number"] and entry is None:
        return f"the number of {name} is not known; set it with `modembank sims set {sim['id']} --number`"
    return ""


def _entry(rack: Rack | None, sim: JsonObject, modem: JsonObject | None) -> RackSim | None:
    slots = {modem["label"], modem["slot"], modem["usb_path"]} if modem else set()
    entries = () if rack is None else rack.sim
    return next((one for one in entries if one.iccid == sim["iccid"] or (one.slot and one.slot in slots)), None)


def _line(sim: JsonObject, modem: JsonObject, number: str, entry: RackSim | None) -> Line:
    return Line(
        sim_id=str(sim["id"]),
        iccid=str(sim["iccid"]),
        number=number,
        label=entry.name if entry else _name(sim),
        modem_id=str(modem["id"]),
        modem=str(modem["label"] or modem["usb_path"]),
        model=str(modem["model"] or modem["dialect"]),
    )


def _name(sim: JsonObject) -> str:
    return str(sim["label"] or sim["number"] or sim["iccid"])


def _permitted(rack: Rack, pairs: Sequence[Pair], strict: bool) -> tuple[Pair, ...]:
    """Return the pairs that the rack file allows, turned round where it allows only that.

    Raises:
        NotInRackError: `strict`, and one of them is not allowed either way.
    """
    kept = []
    for pair in pairs:
        for caller, callee in (pair, pair[::-1]):
            try:
                rack.check_call(caller.label, callee.number)
            except NotInRackError:
                continue
            kept.append((caller, callee))
            break
        else:
            if strict:
                rack.check_call(pair[0].label, pair[1].number)
    return tuple(dict.fromkeys(kept))


@asynccontextmanager
async def _server(wanted: Wanted, settings: Settings) -> AsyncIterator[Server]:
    if wanted.server is not None:
        yield find_server(*wanted.server)
        return
    async with temporary_server(settings) as running:
        assert running.api_key is not None  # it was made for this run
        yield Server(running.url, running.api_key)

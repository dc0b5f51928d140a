"""`modembank sims history` and `modembank modems history`: signal and registration over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

import typer

from modembank.cli.inventory import MODEM_KEYS, SIM_KEYS, ModemName, SimName, find_one, modems
from modembank.cli.output import AsJson, JsonObject, JsonValue, print_json, text_of
from modembank.cli.remote import Key, Remote, Url
from modembank.cli.sim_care import sims

__all__ = ["modems", "sims"]

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # characters of a line of bars
WEAKEST_DBM, STRONGEST_DBM = -113, -51  # the ends of +CSQ. Source: 3GPP TS 27.007 section 8.5

Hours = Annotated[float, typer.Option("--hours", min=0.1, max=8760, help="How far back.")]


@sims.command("history")
def sim_history(name: SimName, hours: Hours = 24, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show a SIM's signal as a line of bars, and when its registration changed."""
    remote = Remote(url, key)
    sim = find_one(remote.all("/v1/sims"), name, SIM_KEYS, "SIM")
    _print(remote, f"/v1/sims/{sim['id']}/history", hours, as_json)


@modems.command("history")
def modem_history(
    name: ModemName, hours: Hours = 24, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """Show a modem's signal as a line of bars, and when its registration changed."""
    remote = Remote(url, key)
    modem = find_one(remote.all("/v1/modems"), name, MODEM_KEYS, "modem")
    _print(remote, f"/v1/modems/{modem['id']}/history", hours, as_json)


def bars(levels: Sequence[int | None]) -> str:
    """Levels in dBm as bars, a space where there is none."""
    steps = len(BARS) - 1
    span = STRONGEST_DBM - WEAKEST_DBM
    places = (None if one is None else round((one - WEAKEST_DBM) * steps / span) for one in levels)
    return "".join(" " if place is None else BARS[max(0, min(steps, place))] for place in places)


def _print(remote: Remote, path: str, hours: float, as_json: bool) -> None:
    since = datetime.now(UTC) - timedelta(hours=hours)
    step_s = hours * 3600 / WIDTH
    rows = _all(remote, path, since, step_s)
    if as_json:
        print_json({"data": cast(JsonValue, rows)})  # a list of objects is a JSON value; list is invariant
        return
    signal = [row for row in rows if row["kind"] == "signal"]
    if signal:
        levels = [cast("int | None", row["rssi_dbm"]) for row in signal]  # by the contract of the route
        known = [level for level in levels if level is not None]
        print(f"signal  {bars(levels)}  " + (f"{min(known)} to {max(known)} dBm" if known else "none"))
    else:
        print("No signal was sampled in this time.")
    for row in rows:
        if row["kind"] == "registration":
            cause = f": {row['cause']}" if row["cause"] else ""
            network = text_of(row["operator"] or row["plmn"])
            print(f"{row['at']}  {text_of(row['before'])} -> {row['registration']}  {network}{cause}")


def _all(remote: Remote, path: str, since: datetime, step_s: float) -> list[JsonObject]:
    rows: list[JsonObject] = []
    cursor: JsonValue = ""
    while cursor is not None:
        query: dict[str, str | int] = {"from": since.isoformat(), "step_s": str(step_s), "limit": 2000}
        page = remote.get(path, **query, **({"cursor": str(cursor)} if cursor else {}))
        rows += cast("list[JsonObject]", page["data"])  # by the contract of every list
        cursor = page["next_cursor"]
    return rows

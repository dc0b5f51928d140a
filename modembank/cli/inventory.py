"""`modembank sims` and `modembank modems`: what is there, and its labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, cast

import typer

from modembank.cli.output import AsJson, JsonObject, JsonValue, print_json, print_table, text_of
from modembank.cli.remote import Key, Remote, Url
from modembank.errors import RemoteError

sims = typer.Typer(help="List SIM cards and change their labels.", invoke_without_command=True)
modems = typer.Typer(help="List modems, change their labels, read their AT trace.", invoke_without_command=True)

SimName = Annotated[str, typer.Argument(metavar="SIM", help="Its id, ICCID, own number or label.")]
ModemName = Annotated[str, typer.Argument(metavar="MODEM", help="Its id, slot, USB path, IMEI or label.")]
Label = Annotated[str | None, typer.Option(help="A name for people.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="Put into this pool; repeat for more. Replaces all tags.")
]
NoTags = Annotated[bool, typer.Option("--no-tags", help="Take out of all pools.")]
Enabled = Annotated[bool | None, typer.Option("--enable/--disable", help="Whether calls may use it.")]
Notes = Annotated[str | None, typer.Option(help="Free text.")]

SIM_KEYS = ("id", "iccid", "number", "label")
MODEM_KEYS = ("id", "usb_path", "slot", "imei", "label")
SIM_COLUMNS = ("sim", "label", "number", "state", "operator", "signal", "modem", "tags", "enabled", "note")
DETAILED_STATES = frozenset({"denied", "failed", "sim_locked"})  # the others say all in one word
MODEM_COLUMNS = ("modem", "label", "slot", "usb path", "state", "operator", "signal", "sim", "model", "enabled", "note")


@sims.callback()
def list_sims(context: typer.Context, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List SIM cards, those in modems and those remembered."""
    if context.invoked_subcommand is not None:
        return
    rows = Remote(url, key).all("/v1/sims")
    if as_json:
        print_json({"data": cast(JsonValue, rows)})  # a list of objects is a JSON value; list is invariant
        return
    print_table(SIM_COLUMNS, [_sim_row(row) for row in rows], empty="No SIM was seen yet.")


@sims.command("set")
def set_sim(
    name: SimName,
    label: Label = None,
    tag: Tags = None,
    no_tags: NoTags = False,
    enabled: Enabled = None,
    number: Annotated[str | None, typer.Option(help="The SIM's own number; '' forgets it.")] = None,
    notes: Notes = None,
    roaming: Annotated[bool | None, typer.Option("--roaming/--no-roaming", help="May it call while roaming?")] = None,
    allow: Annotated[list[str] | None, typer.Option("--operator", help="PLMN it may call through; repeat.")] = None,
    forbid: Annotated[
        list[str] | None, typer.Option("--forbid-operator", help="PLMN it may not call through; repeat.")
    ] = None,
    any_operator: Annotated[
        bool, typer.Option("--any-operator", help="Forget roaming and operators of its own.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change a SIM's label, pools, own number, notes, operators, or switch it on or off."""
    remote = Remote(url, key)
    own: JsonObject = {"roaming": None, "allowed_operators": [], "forbidden_operators": []} if any_operator else {}
    patch = own | _patch(
        needed=not own,
        label=label,
        tags=[] if no_tags else tag,
        enabled=enabled,
        number=number,
        notes=notes,
        roaming=roaming,
        allowed_operators=allow,
        forbidden_operators=forbid,
    )
    sim = find_one(remote.all("/v1/sims"), name, SIM_KEYS, "SIM")
    changed = remote.patch(f"/v1/sims/{sim['id']}", patch)
    if as_json:
        print_json(changed)
    else:
        print_table(SIM_COLUMNS, [_sim_row(changed)], empty="")


@modems.callback()
def list_modems(context: typer.Context, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List modems, those attached and those remembered."""
    if context.invoked_subcommand is not None:
        return
    rows = Remote(url, key).all("/v1/modems")
    if as_json:
        print_json({"data": cast(JsonValue, rows)})  # as above
        return
    print_table(MODEM_COLUMNS, [_modem_row(row) for row in rows], empty="No modem was seen yet.")


@modems.command("set")
def set_modem(
    name: ModemName,
    label: Label = None,
    tag: Tags = None,
    no_tags: NoTags = False,
    enabled: Enabled = None,
    notes: Notes = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change a modem's label, tags, notes, or switch it on or off."""
    remote = Remote(url, key)
    patch = _patch(label=label, tags=[] if no_tags else tag, enabled=enabled, notes=notes)
    modem = find_one(remote.all("/v1/modems"), name, MODEM_KEYS, "modem")
    changed = remote.patch(f"/v1/modems/{modem['id']}", patch)
    if as_json:
        print_json(changed)
    else:
        print_table(MODEM_COLUMNS, [_modem_row(changed)], empty="")


@modems.command("release")
def release_modem(name: ModemName, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """End a modem's quarantine: it is tried again, from the first step."""
    remote = Remote(url, key)
    modem = find_one(remote.all("/v1/modems"), name, MODEM_KEYS, "modem")
    released = remote.post(f"/v1/modems/{modem['id']}/actions/release")
    if as_json:
        print_json(released)
    else:
        print_table(MODEM_COLUMNS, [_modem_row(released)], empty="")


@modems.command("trace")
def trace_modem(
    name: ModemName,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many, newest last.")] = 50,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest lines between server and modem; numbers are masked."""
    remote = Remote(url, key)
    modem = find_one(remote.all("/v1/modems"), name, MODEM_KEYS, "modem")
    trace = remote.get(f"/v1/modems/{modem['id']}/trace", limit=lines)
    if as_json:
        print_json(trace)
        return
    for line in cast("list[JsonObject]", trace["data"]):  # by the contract of the route
        print(f"{line['at']} {'>' if line['out'] else '<'} {line['text']}")


def find_one(rows: Iterable[JsonObject], name: str, keys: Sequence[str], noun: str) -> JsonObject:
    """Return the one row that has `name` under one of `keys`.

    Raises:
        RemoteError: none has, or several have.
    """
    found = [row for row in rows if name in {row.get(key) for key in keys}]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RemoteError(f"there is no {noun} {name}; `modembank {noun.lower()}s` lists them")
    raise RemoteError(f"{len(found)} {noun}s are called {name}; name one by its id")


def _patch(*, needed: bool = True, **changes: str | bool | list[str] | None) -> JsonObject:
    patch = {name: value for name, value in changes.items() if value is not None}
    if needed and not patch:
        raise typer.BadParameter("say what to change, for example --label 'slot 3'")
    return cast(JsonObject, patch)  # list[str] is a JSON value; list is invariant


def _sim_row(sim: JsonObject) -> list[str]:
    return [
        text_of(sim["id"]),
        text_of(sim["label"]),
        text_of(sim["number"]),
        text_of(sim["state"]),
        text_of(sim["operator"]),
        _signal(sim["rssi_dbm"]),
        _name_of(sim["modem"], "usb_path"),
        text_of(sim["tags"]),
        text_of(sim["enabled"]),
        text_of("; ".join(_sim_marks(sim))),
    ]


def _sim_marks(sim: JsonObject) -> list[str]:
    """What a person should know of it at a glance: tries left when it is locked, roaming, forwarding, a refusal."""
    marks = []
    lock = sim["lock"]
    if isinstance(lock, dict):
        left = lock["puk_left" if lock["kind"] == "puk" else "pin_left"]
        marks.append(f"{str(lock['kind']).upper()} tries left: {'not told' if left is None else left}")
    elif sim["state"] in DETAILED_STATES and sim["state_detail"]:
        marks.append(text_of(sim["state_detail"]))
    if str(sim["registration"]).startswith("roaming"):
        marks.append("roaming")
    if sim["forwarding"]:
        marks.append("CALLS ARE FORWARDED")
    return marks


def _modem_row(modem: JsonObject) -> list[str]:
    return [
        text_of(modem["id"]),
        text_of(modem["label"]),
        text_of(modem["slot"]),
        text_of(modem["usb_path"]),
        text_of(modem["state"]),
        text_of(modem["operator"]),
        _signal(modem["rssi_dbm"]),
        _name_of(modem["sim"], "iccid"),
        text_of(modem["model"]),
        text_of(modem["enabled"]),
        _note(modem),
    ]


def _note(modem: JsonObject) -> str:
    """What is being done about it, else why it is not ready."""
    healing = modem["healing"]
    return text_of(healing["detail"] if isinstance(healing, dict) else modem["state_detail"] or None)


def _signal(rssi_dbm: JsonValue) -> str:
    return "-" if rssi_dbm is None else f"{rssi_dbm} dBm"


def _name_of(reference: JsonValue, key: str) -> str:
    return text_of(reference.get("label") or reference.get(key)) if isinstance(reference, dict) else "-"

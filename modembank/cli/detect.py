"""`modembank detect`: the rack as a tree, with what to do about each problem."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from modembank.cli.checks import Level, check_intruders
from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.output import AsJson, JsonObject, print_json
from modembank.cli.remote import Key, Remote, Url
from modembank.errors import RemoteError

if TYPE_CHECKING:
    from rich.tree import Tree

    from modembank.config import Settings
    from modembank.modem.detect import Device, RackView, Served

STYLES = {"free": "green", "in_use": "cyan"}
_ROLE_WORDS = {"at": "commands", "audio": "voice"}


def detect(
    passive: Annotated[bool, typer.Option("--passive", help="Write nothing to any port.")] = False,
    url: Url = None,
    key: Key = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the rack as a tree: hubs, slots, modems, their ports and sound cards, and what to do about each problem.

    Modems on plain serial ports stand in a branch of their own, as serial.modems names them.

    Needs no server. One that runs is asked for the state of the modems that it holds, if there is a key. Free modems
    are asked for their IMEI, unless `--passive`. Status 1 when something is wrong.
    """
    name_config_file(config)
    from modembank.config import load_settings
    from modembank.modem.detect import detect as look
    from modembank.service.wirings import wirings_of
    from modembank.tty.chassis import load_chassis

    settings = load_settings()
    served, note = _ask_server(settings, url, key)
    serial = settings.serial
    rack = look(
        serial.sysfs_root, serial.dev_root, load_chassis(serial.chassis), served, wirings_of(serial), ask=not passive
    )
    intruders = check_intruders()
    warnings = [f"{intruders.detail}: {intruders.remedy}"] if intruders.level is Level.FAIL else []
    troubled = [device for device in rack.devices if device.advice]
    if as_json:
        print_json(_facts(rack, warnings, note))
    else:
        _print(rack, serial.sysfs_root, warnings, note)
    if troubled or warnings:
        raise typer.Exit(1)


def _ask_server(settings: Settings, url: str | None, key: str | None) -> tuple[dict[str, Served], str]:
    """What a running server says of its modems by USB path, and why it was not asked."""
    from modembank.bus.vocabulary import ModemState
    from modembank.modem.detect import Served

    try:
        rows = Remote(url, key).all("/v1/modems")
    except RemoteError as error:
        return {}, f"no server was asked: {error}"
    served = {}
    for row in rows:
        if row["host_id"] == settings.host_id and row["state"] != ModemState.LOST:
            served[str(row["usb_path"])] = Served(
                state=ModemState(str(row["state"])),
                detail=str(row["state_detail"] or ""),
                imei=cast("str | None", row["imei"]),  # by the contract of the route
            )
    return served, ""


def _facts(rack: RackView, warnings: list[str], note: str) -> JsonObject:
    facts = cast(JsonObject, json.loads(json.dumps(asdict(rack))))  # an object by construction
    ok = not warnings and not any(device.advice for device in rack.devices)
    return {"ok": ok, **facts, "warnings": list(warnings), "server": note}


# ---- for people ---------------------------------------------------------------------------------------------


def _print(rack: RackView, sysfs_root: Path, warnings: list[str], note: str) -> None:
    from rich.console import Console
    from rich.text import Text

    # A pipe gets all of every line; a terminal wraps.
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    if not rack.devices and not rack.other_slots:
        console.print(Text(f"No modem under {sysfs_root}; does lsusb show one? Without hardware: modembank demo"))
    else:
        console.print(_tree(rack))
    for warning in warnings:
        console.print(Text(f"→ {warning}", style="bold red"))
    console.print(Text(_summary(rack)))
    if note and any(device.state == "in_use" for device in rack.devices):
        console.print(Text(note, style="dim"))


def _summary(rack: RackView) -> str:
    states = Counter(device.state for device in rack.devices)
    return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())


def _tree(rack: RackView) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    from modembank.modem.detect import OtherSlot
    from modembank.tty.discovery import is_on_usb, usb_order

    root = Tree(Text(rack.chassis or "rack", style="bold"))
    nodes: dict[str, Tree] = {}
    places: list[Device | OtherSlot] = [*(one for one in rack.devices if is_on_usb(one.usb_path)), *rack.other_slots]
    for one in sorted(places, key=lambda one: usb_order(one.usb_path)):
        node = _hub_node(root, nodes, rack, one.usb_path)
        if isinstance(one, OtherSlot):
            what = f"no modem that we know: {one.product}" if one.product else "empty"
            node.add(Text(f"{one.slot}  ", style="bold").append(f"{one.usb_path}  {what}", style="not bold dim"))
        else:
            _add_device(node, one)
    serial = [one for one in rack.devices if not is_on_usb(one.usb_path)]
    branch = root.add(Text("serial ports", style="bold")) if serial else root
    for device in serial:
        _add_device(branch, device)
    return root


def _hub_node(root: Tree, nodes: dict[str, Tree], rack: RackView, usb_path: str) -> Tree:
    """The branch of the hub that a place belongs to, with those above it; a root hub is called by its bus."""
    from rich.text import Text

    parent = usb_path.rpartition(".")[0] or f"usb{usb_path.partition('-')[0]}"
    if parent not in nodes:
        above = root if parent.startswith("usb") else _hub_node(root, nodes, rack, parent)
        kind = "bus" if parent.startswith("usb") else "hub"
        label = Text(f"{kind} {parent.removeprefix('usb')}", style="bold")
        nodes[parent] = above.add(label.append(f"  {rack.hubs.get(parent, '')}", style="not bold dim"))
    return nodes[parent]


def _add_device(node: Tree, device: Device) -> None:
    from rich.text import Text

    style = STYLES.get(device.state, "red")
    label = Text(f"{_name(device)}  ", style="bold")
    label.append(f"{device.family or device.usb_id}  ", style="not bold")
    label.append(device.state.replace("_", " "), style=style)
    if device.detail:
        label.append(f": {device.detail}", style="not bold")
    branch = node.add(label)
    who = "  ".join(text for text in (device.model, device.imei and f"IMEI {device.imei}") if text)
    for text in (_port_words(device), _card_words(device), who):
        if text:
            branch.add(Text(text, style="dim"))
    if device.advice:
        branch.add(Text(f"→ {device.advice}", style="bold"))


def _name(device: Device) -> str:
    """A device's slot and place; of a serial port, its path."""
    if device.usb_path.startswith("/"):
        return device.usb_path
    return f"{device.slot or 'port ' + device.usb_path.rpartition('.')[2]}  {device.usb_path}"


def _card_words(device: Device) -> str:
    card = device.card
    return "" if card is None else f"sound card {card.name} ({'by the settings' if card.wired else 'its own'})"


def _port_words(device: Device) -> str:
    """The ports that we use, with their interfaces, then those that we leave alone."""
    if device.usb_path.startswith("/"):
        return ""  # its one port is its name
    used = [
        f"{_ROLE_WORDS[port.role]} {Path(port.path).name} (interface {port.interface})"
        for port in device.ports
        if port.role
    ]
    rest = [Path(port.path).name for port in device.ports if not port.role]
    return ", ".join([*used, f"not used: {' '.join(rest)}"] if rest else used)

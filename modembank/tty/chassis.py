"""Chassis files: which place of the USB topology is which slot of the rack.

    name = "rack A"

    [layouts.sixteen]            # slot label = port path below the hub's own path
    01 = "1.1"
    02 = "1.2"

    [[hubs]]
    at = "1-3"                   # the hub's USB path, as `modembank detect` shows it
    name = "upper hub"
    layout = "sixteen"
    prefix = "A"                 # its slots are A01, A02 …

A hub's ports are numbered by its chips, several of them in one housing, and seldom as its front is: hence the layouts,
one for each product. A file holds for one machine; its paths change only when a hub moves to another socket.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modembank.errors import SettingsError

_USB_PATH = re.compile(r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,5}", re.ASCII)
_PORT_PATH = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,5}", re.ASCII)
_LONGEST_NAME = 40
_TOP = {"name", "layouts", "hubs"}
_HUB = {"at", "name", "layout", "prefix"}


@dataclass(frozen=True, slots=True)
class Chassis:
    """`slots` maps USB paths to slot names, `hubs` USB paths of hubs to their names; without a file both are empty."""

    name: str = ""
    hubs: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)


def load_chassis(path: Path | None) -> Chassis:
    """Read a chassis file; None gives the empty one.

    Raises:
        SettingsError: it cannot be read or is not valid; one sentence that names the file and the place.
    """
    if path is None:
        return Chassis()
    try:
        return read_chassis(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the chassis file {path} cannot be read: {error}; mend serial.chassis") from None
    except SettingsError as error:
        raise SettingsError(f"the chassis file {path}: {error}") from None


def read_chassis(text: str) -> Chassis:
    """Read the text of a chassis file. Raises SettingsError."""
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"it is not valid TOML: {error}") from None
    _check_names(facts, _TOP, "the file")
    layouts = {name: _read_layout(name, table) for name, table in _table(facts, "layouts").items()}
    hubs: dict[str, str] = {}
    slots: dict[str, str] = {}
    listed = facts.get("hubs", [])
    if not isinstance(listed, list) or not listed:
        raise SettingsError("it names no hub; write one as [[hubs]]")
    for number, hub in enumerate(listed, 1):
        _read_hub(f"hub {number}", hub, layouts, hubs, slots)
    return Chassis(_text(facts, "name", "the file", ""), hubs, slots)


def _read_layout(name: str, table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not table:
        raise SettingsError(f"layout {name} names no slot")
    for label, port in table.items():
        if not isinstance(port, str) or not _PORT_PATH.fullmatch(port):
            raise SettingsError(f'layout {name}, slot {label}: a port path is written as "1.2", not {port!r}')
    if len(set(table.values())) < len(table):
        raise SettingsError(f"layout {name} gives one port path to several slots")
    return table


def _read_hub(
    where: str, hub: object, layouts: Mapping[str, Mapping[str, str]], hubs: dict[str, str], slots: dict[str, str]
) -> None:
    """Add a hub and its slots to what was read before it."""
    if not isinstance(hub, dict):
        raise SettingsError(f"{where} is no table")
    _check_names(hub, _HUB, where)
    at, layout = _text(hub, "at", where), _text(hub, "layout", where)
    if not _USB_PATH.fullmatch(at):
        raise SettingsError(f'{where}: at is the USB path of a hub such as "1-3.1", not {at!r}')
    if layout not in layouts:
        raise SettingsError(f"{where}: there is no layout {layout}; there are {', '.join(layouts) or 'none'}")
    if at in hubs:
        raise SettingsError(f"{where}: {at} is named twice")
    hubs[at] = _text(hub, "name", where, "")
    prefix = _text(hub, "prefix", where, "")
    for label, port in layouts[layout].items():
        name, place = f"{prefix}{label}", f"{at}.{port}"
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise SettingsError(f"{where}: a slot name has at most {_LONGEST_NAME} printable characters, not {name!r}")
        if name in slots.values() or place in slots:
            raise SettingsError(f"{where}: slot {name} at {place} is there already; give each hub a prefix of its own")
        slots[place] = name


def _check_names(table: Mapping[str, object], known: set[str], where: str) -> None:
    strangers = sorted(set(table) - known)
    if strangers:
        raise SettingsError(f"{where}: nobody knows {', '.join(strangers)}; there are {', '.join(sorted(known))}")


def _table(facts: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = facts.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{name} is no table")
    return table


def _text(table: Mapping[str, object], name: str, where: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise SettingsError(f"{where}: {name} is missing" if value is None else f"{where}: {name} is no text")
    return value

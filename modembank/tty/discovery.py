"""Which modems are plugged in, and which of their ttys does what.

A modem is its place in the USB topology, a tty's role follows from `bInterfaceNumber`; ttyUSB numbers change with
every enumeration and mean nothing. Source: Linux, Documentation/ABI/testing/sysfs-bus-usb, usb-serial bus.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modembank.dialects import Dialect, Role, find_dialect


@dataclass(frozen=True, slots=True)
class ModemPorts:
    """A modem's place and its ports. `usb_path` is such as `1-1.4.2`."""

    usb_path: str
    vid: int
    pid: int
    at: Path
    audio: Path | None
    dialect: str


def scan(sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev")) -> tuple[ModemPorts, ...]:
    """Return the modems that a dialect knows and whose AT port is there, in the order of their USB paths."""
    devices: dict[Path, list[tuple[Path, str]]] = {}
    for tty, interface in _serial_ports(sysfs_root):
        devices.setdefault(interface.parent, []).append((interface, tty))
    found = (_read_device(device, ports, dev_root) for device, ports in devices.items())
    return tuple(sorted((one for one in found if one is not None), key=lambda one: _order(one.usb_path)))


def _serial_ports(sysfs_root: Path) -> Iterator[tuple[str, Path]]:
    """Every USB tty with its interface's folder: usb-serial's ttys hang below it, cdc-acm's point at it."""
    for link in _entries(sysfs_root / "bus" / "usb-serial" / "devices"):
        yield link.name, link.resolve().parent
    for link in _entries(sysfs_root / "class" / "tty"):
        if link.name.startswith("ttyACM"):
            yield link.name, (link / "device").resolve()


def _read_device(device: Path, ports: list[tuple[Path, str]], dev_root: Path) -> ModemPorts | None:
    vid, pid = _read_hex(device / "idVendor"), _read_hex(device / "idProduct")
    if vid is None or pid is None:
        return None
    dialect = find_dialect(vid, pid)
    if dialect is None:
        return None
    roles = dict(_read_roles(ports, dialect))
    if Role.AT not in roles:
        return None
    audio = dev_root / roles[Role.AUDIO] if Role.AUDIO in roles else None
    return ModemPorts(device.name, vid, pid, dev_root / roles[Role.AT], audio, dialect.name)


def _read_roles(ports: list[tuple[Path, str]], dialect: Dialect) -> Iterator[tuple[Role, str]]:
    for interface, tty in ports:
        number = _read_hex(interface / "bInterfaceNumber")
        role = dialect.interfaces.get(number) if number is not None else None
        if role is not None:
            yield role, tty


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # unplugged while we look
        return []


def _read_hex(file: Path) -> int | None:
    try:
        return int(file.read_text(), 16)
    except (OSError, ValueError):
        return None


def _order(usb_path: str) -> tuple[tuple[int, ...], str]:
    numbers = tuple(int(part) for part in usb_path.replace("-", ".").split(".") if part.isdecimal())
    return numbers, usb_path

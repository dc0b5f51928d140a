"""Which modems are plugged in, and which of their ttys does what.

A modem is its place in the USB topology, a tty's role follows from `bInterfaceNumber`; ttyUSB numbers change with
every enumeration and mean nothing. Source: Linux, Documentation/ABI/stable/sysfs-bus-usb.
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
    devices = sysfs_root / "bus" / "usb" / "devices"
    found = (_read_device(device, dev_root) for device in _entries(devices) if ":" not in device.name)
    return tuple(sorted((ports for ports in found if ports is not None), key=lambda ports: _order(ports.usb_path)))


def _read_device(device: Path, dev_root: Path) -> ModemPorts | None:
    vid, pid = _read_hex(device / "idVendor"), _read_hex(device / "idProduct")
    if vid is None or pid is None:
        return None
    dialect = find_dialect(vid, pid)
    if dialect is None:
        return None
    ttys = dict(_read_roles(device, dialect))
    if Role.AT not in ttys:
        return None
    audio = dev_root / ttys[Role.AUDIO] if Role.AUDIO in ttys else None
    return ModemPorts(device.name, vid, pid, dev_root / ttys[Role.AT], audio, dialect.name)


def _read_roles(device: Path, dialect: Dialect) -> Iterator[tuple[Role, str]]:
    for interface in _entries(device):
        if not interface.name.startswith(f"{device.name}:"):
            continue
        number = _read_hex(interface / "bInterfaceNumber")
        role = dialect.interfaces.get(number) if number is not None else None
        tty = _find_tty(interface) if role is not None else None
        if role is not None and tty is not None:
            yield role, tty


def _find_tty(interface: Path) -> str | None:
    """usb-serial puts `ttyUSBn` into the interface, cdc-acm puts `ttyACMn` into its folder `tty`."""
    for folder in (interface, interface / "tty"):
        for entry in _entries(folder):
            if entry.name.startswith("tty") and entry.name != "tty":
                return entry.name
    return None


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

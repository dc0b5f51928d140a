"""Which modems are plugged in, which of their ttys does what, and what stands in the way of the others.

A modem is its place in the USB topology, a tty's role follows from `bInterfaceNumber`, or from the interface's class
where a vendor's product is not listed; ttyUSB numbers change with every enumeration and mean nothing.
Source: Linux, Documentation/ABI/testing/sysfs-bus-usb, usb-serial bus.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modembank.dialects import DIALECTS, Dialect, InterfaceClass, Role, find_dialect

# Huawei sticks that show themselves as a CD-ROM with drivers. Source: usb_modeswitch data package, chan_dongle README.
_STORAGE_MODE = {(0x12D1, pid) for pid in (0x1446, 0x1505, 0x14FE, 0x1F01)}


@dataclass(frozen=True, slots=True)
class ModemPorts:
    """A modem's place and its ports. `usb_path` is such as `1-1.4.2`."""

    usb_path: str
    vid: int
    pid: int
    at: Path
    audio: Path | None
    dialect: str


@dataclass(frozen=True, slots=True)
class DeviceProblem:
    """A device that could be a modem and is none yet; `advice` says in one sentence what to do."""

    usb_path: str
    vid: int
    pid: int
    advice: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What is plugged in, in the order of the USB paths."""

    modems: tuple[ModemPorts, ...]
    problems: tuple[DeviceProblem, ...]


def scan(sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev")) -> tuple[ModemPorts, ...]:
    """Return the modems that a dialect knows and whose AT port is there, in the order of their USB paths."""
    return survey(sysfs_root, dev_root).modems


def survey(sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev")) -> Survey:
    """Return the modems that can be used, and the devices that cannot be used yet."""
    ttys: dict[Path, list[tuple[Path, str]]] = {}
    for tty, interface in _serial_ports(sysfs_root):
        ttys.setdefault(interface.parent, []).append((interface, tty))
    modems: list[ModemPorts] = []
    problems: list[DeviceProblem] = []
    for device in ttys.keys() | set(_usb_devices(sysfs_root)):
        found = _read_device(device, ttys.get(device, []), dev_root)
        if isinstance(found, ModemPorts):
            modems.append(found)
        elif found is not None:
            problems.append(found)
    return Survey(
        tuple(sorted(modems, key=lambda one: _order(one.usb_path))),
        tuple(sorted(problems, key=lambda one: _order(one.usb_path))),
    )


def _serial_ports(sysfs_root: Path) -> Iterator[tuple[str, Path]]:
    """Every USB tty with its interface's folder: usb-serial's ttys hang below it, cdc-acm's point at it."""
    for link in _entries(sysfs_root / "bus" / "usb-serial" / "devices"):
        yield link.name, link.resolve().parent
    for link in _entries(sysfs_root / "class" / "tty"):
        if link.name.startswith("ttyACM"):
            yield link.name, (link / "device").resolve()


def _usb_devices(sysfs_root: Path) -> Iterator[Path]:
    """Every USB device; interfaces have a colon in their names."""
    for link in _entries(sysfs_root / "bus" / "usb" / "devices"):
        if ":" not in link.name:
            yield link.resolve()


def _read_device(device: Path, ports: list[tuple[Path, str]], dev_root: Path) -> ModemPorts | DeviceProblem | None:
    vid, pid = _read_hex(device / "idVendor"), _read_hex(device / "idProduct")
    if vid is None or pid is None:
        return None
    if (vid, pid) in _STORAGE_MODE:
        return DeviceProblem(device.name, vid, pid, _switch_advice(vid, pid))
    dialect = find_dialect(vid, pid)
    if dialect is None:
        return _unknown(device, vid, pid) if ports else None
    roles = dict(_read_roles(ports, dialect, dialect.ports(vid, pid)))
    if Role.AT not in roles:
        if not ports and (vid, pid) not in dialect.usb_ids:
            return None  # a telephone or a camera of the same vendor
        return DeviceProblem(device.name, vid, pid, _missing_advice(dialect, bool(ports)))
    audio = dev_root / roles[Role.AUDIO] if Role.AUDIO in roles else None
    return ModemPorts(device.name, vid, pid, dev_root / roles[Role.AT], audio, dialect.name)


def _unknown(device: Path, vid: int, pid: int) -> DeviceProblem | None:
    """A product that no dialect lists, of a vendor whose modems we know; every other tty is nobody's business."""
    relatives = {one.name for one in DIALECTS for known, _ in one.usb_ids if known == vid}
    if not relatives:
        return None
    advice = f"no modem family lists this product; if it is one of {', '.join(sorted(relatives))}, tell us its ports"
    return DeviceProblem(device.name, vid, pid, advice)


def _switch_advice(vid: int, pid: int) -> str:
    command = f"usb_modeswitch -v {vid:04x} -p {pid:04x} -J"
    return f"the stick shows itself as a CD-ROM: install usb-modeswitch, or run `{command}`"


def _missing_advice(dialect: Dialect, some: bool) -> str:
    if some:
        return f"its AT port, as {dialect.name} has it, is not there: wait, or check the modem's USB mode"
    return "no serial port belongs to it: load the kernel module `option`, or check the modem's USB mode"


def _read_roles(
    ports: list[tuple[Path, str]], dialect: Dialect, numbered: Mapping[int, Role]
) -> Iterator[tuple[Role, str]]:
    """By interface number where the product is listed, else by class; of two ttys with one role the first counts."""
    taken: set[Role] = set()
    for interface, tty in sorted(ports, key=lambda one: _read_hex(one[0] / "bInterfaceNumber") or 0):
        if numbered:
            number = _read_hex(interface / "bInterfaceNumber")
            role = numbered.get(number) if number is not None else None
        else:
            role = dialect.classes.get(_read_class(interface))
        if role is not None and role not in taken:
            taken.add(role)
            yield role, tty


def _read_class(interface: Path) -> InterfaceClass:
    names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    first, second, third = (_read_hex(interface / name) for name in names)
    return first or 0, second or 0, third or 0


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

"""Which modems are plugged in, which of their ttys does what, and what stands in the way of the others.

A modem is its place in the USB topology, a tty's role follows from `bInterfaceNumber`, or from the interface's class
where a vendor's product is not listed; ttyUSB numbers change with every enumeration and mean nothing.
Source: Linux, Documentation/ABI/testing/sysfs-bus-usb, usb-serial bus.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from modembank.dialects import DIALECTS, Dialect, InterfaceClass, Role, find_dialect
from modembank.tty.transport import BAUD

# Huawei sticks that show themselves as a CD-ROM with drivers. Source: usb_modeswitch data package, chan_dongle README.
_STORAGE_MODE = {(0x12D1, pid) for pid in (0x1446, 0x1505, 0x14FE, 0x1F01)}
_STORAGE_CLASS = 0x08  # bInterfaceClass. Source: USB-IF defined class codes.
_HUB_CLASS = 0x09  # bDeviceClass
_AUDIO_CLASS = 0x01  # bInterfaceClass
_NO_SLOTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModemPorts:
    """A modem's place and its ports. `usb_path` is such as `1-1.4.2`, or the path of a plain serial port.

    `card` is the ALSA name of the sound card that carries its voice: the modem's own USB audio device, or one that is
    `wired` to its pins.
    """

    usb_path: str
    vid: int
    pid: int
    at: Path
    audio: Path | None
    dialect: str
    slot: str | None = None  # as the chassis file names the place
    card: str | None = None
    wired: bool = False
    serial: bool = False  # on a plain serial port of the settings
    baud: int = BAUD


class ProblemKind(StrEnum):
    """Why a device is no usable modem yet."""

    CD_ROM = "cd_rom"
    NO_DRIVER = "no_driver"
    NO_AT_PORT = "no_at_port"
    UNKNOWN_PRODUCT = "unknown_product"


@dataclass(frozen=True, slots=True)
class DeviceProblem:
    """A device that could be a modem and is none yet; `advice` says in one sentence what to do."""

    usb_path: str
    vid: int
    pid: int
    kind: ProblemKind
    advice: str


@dataclass(frozen=True, slots=True)
class Tty:
    """A serial port of a device: the number of its interface, and what it is for as far as we use it."""

    path: Path
    interface: int | None
    role: Role | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What is plugged in, in the order of the USB paths; `hubs` and `others` map USB paths to product names."""

    modems: tuple[ModemPorts, ...]
    problems: tuple[DeviceProblem, ...]
    hubs: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


def scan(
    sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev"), slots: Mapping[str, str] = _NO_SLOTS
) -> tuple[ModemPorts, ...]:
    """Return the modems that a dialect knows and whose AT port is there, in the order of their USB paths.

    `slots` names places of the chassis.
    """
    return tuple(replace(one, slot=slots.get(one.usb_path)) for one in survey(sysfs_root, dev_root).modems)


def survey(sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev")) -> Survey:
    """Return the modems that can be used, and the devices that cannot be used yet."""
    ttys = _by_device(sysfs_root)
    cards = _sound_cards(sysfs_root)
    modems: list[ModemPorts] = []
    problems: list[DeviceProblem] = []
    hubs: dict[str, str] = {}
    others: dict[str, str] = {}
    for device in ttys.keys() | set(_usb_devices(sysfs_root)):
        if _read_hex(device / "bDeviceClass") == _HUB_CLASS:
            hubs[device.name] = _read_text(device / "product")
            continue
        found = _read_device(device, ttys.get(device, []), dev_root, cards.get(device))
        if isinstance(found, ModemPorts):
            modems.append(found)
        elif found is not None:
            problems.append(found)
        else:
            others[device.name] = _read_text(device / "product")
    return Survey(
        tuple(sorted(modems, key=lambda one: usb_order(one.usb_path))),
        tuple(sorted(problems, key=lambda one: usb_order(one.usb_path))),
        hubs,
        others,
    )


def find_ttys(sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev")) -> dict[str, tuple[Tty, ...]]:
    """Every USB serial port, by its device's USB path and in the order of its interfaces."""
    return {device.name: _read_ttys(device, ports, dev_root) for device, ports in _by_device(sysfs_root).items()}


def find_audio_devices(sysfs_root: Path = Path("/sys")) -> frozenset[str]:
    """The USB paths of devices with a USB audio interface, whether the kernel made a sound card of it or not."""
    return frozenset(
        device.name
        for device in _usb_devices(sysfs_root)
        if any(_read_hex(one / "bInterfaceClass") == _AUDIO_CLASS for one in _entries(device))
    )


def _by_device(sysfs_root: Path) -> dict[Path, list[tuple[Path, str]]]:
    """Each device's serial ports: its interfaces' folders and the ttys' names."""
    ttys: dict[Path, list[tuple[Path, str]]] = {}
    for tty, interface in _serial_ports(sysfs_root):
        ttys.setdefault(interface.parent, []).append((interface, tty))
    return ttys


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


def _sound_cards(sysfs_root: Path) -> dict[Path, str]:
    """The sound cards on USB, each by its device. By id, since the number changes, as a name does not tell one EC25
    from another: the kernel makes ids unique. Source: Linux sound/core/init.c (`id`), sound/usb/card.c.
    """
    cards = (link for link in _entries(sysfs_root / "class" / "sound") if link.name.startswith("card"))
    return {(link / "device").resolve().parent: f"hw:CARD={_read_text(link / 'id')},DEV=0" for link in cards}


def _read_device(
    device: Path, ports: list[tuple[Path, str]], dev_root: Path, card: str | None
) -> ModemPorts | DeviceProblem | None:
    vid, pid = _read_hex(device / "idVendor"), _read_hex(device / "idProduct")
    if vid is None or pid is None:
        return None
    if not ports and _is_storage(device, vid, pid):
        return DeviceProblem(device.name, vid, pid, ProblemKind.CD_ROM, _switch_advice(vid, pid))
    dialect = find_dialect(vid, pid)
    if dialect is None:
        return _unknown(device, vid, pid) if ports else None
    roles = dict(_read_roles(ports, dialect, dialect.ports(vid, pid)))
    if Role.AT not in roles:
        if not ports and (vid, pid) not in dialect.usb_ids:
            return None  # a telephone or a camera of the same vendor
        kind = ProblemKind.NO_AT_PORT if ports else ProblemKind.NO_DRIVER
        return DeviceProblem(device.name, vid, pid, kind, _missing_advice(dialect, bool(ports)))
    audio = dev_root / roles[Role.AUDIO] if Role.AUDIO in roles else None
    own = card if dialect.card_voice is not None else None
    return ModemPorts(device.name, vid, pid, dev_root / roles[Role.AT], audio, dialect.name, card=own)


def _unknown(device: Path, vid: int, pid: int) -> DeviceProblem | None:
    """A product that no dialect lists, of a vendor whose modems we know; every other tty is nobody's business."""
    relatives = {one.name for one in DIALECTS for known, _ in one.usb_ids if known == vid}
    if not relatives:
        return None
    advice = f"no modem family lists this product; if it is one of {', '.join(sorted(relatives))}, tell us its ports"
    return DeviceProblem(device.name, vid, pid, ProblemKind.UNKNOWN_PRODUCT, advice)


def _is_storage(device: Path, vid: int, pid: int) -> bool:
    """Whether a stick is a CD-ROM as yet: by its number, if it shows its interfaces by their class too; a product that
    is not listed, of a vendor whose modems we know, by its interfaces being nothing else.
    """
    classes = {_read_hex(one / "bInterfaceClass") for one in _entries(device) if one.name.startswith(f"{device.name}:")}
    if (vid, pid) in _STORAGE_MODE:
        return not classes or _STORAGE_CLASS in classes
    return classes == {_STORAGE_CLASS} and any(vid == known for one in DIALECTS for known, _ in one.usb_ids)


def _switch_advice(vid: int, pid: int) -> str:
    if (vid, pid) not in _STORAGE_MODE:
        return "the device shows itself as a CD-ROM: install usb-modeswitch, then plug it in again"
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


def _read_ttys(device: Path, ports: list[tuple[Path, str]], dev_root: Path) -> tuple[Tty, ...]:
    """All serial ports of a device, in the order of its interfaces."""
    vid, pid = _read_hex(device / "idVendor"), _read_hex(device / "idProduct")
    dialect = find_dialect(vid, pid) if vid is not None and pid is not None else None
    roles: dict[str, Role] = {}
    if dialect is not None and vid is not None and pid is not None:
        roles = {tty: role for role, tty in _read_roles(ports, dialect, dialect.ports(vid, pid))}
    found = [Tty(dev_root / tty, _read_hex(interface / "bInterfaceNumber"), roles.get(tty)) for interface, tty in ports]
    return tuple(sorted(found, key=lambda one: (one.interface is None, one.interface, one.path)))


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


def _read_text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def is_on_usb(usb_path: str) -> bool:
    """Whether a modem's place is one on USB; else it is the path of a plain serial port, which has no hub above it."""
    return not usb_path.startswith("/")


def usb_order(usb_path: str) -> tuple[tuple[int, ...], str]:
    """A key that sorts USB paths by their numbers: 1-2 stands before 1-10."""
    numbers = tuple(int(part) for part in usb_path.replace("-", ".").split(".") if part.isdecimal())
    return numbers, usb_path

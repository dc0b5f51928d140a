"""The rack as it is now: every device in its slot, what state it is in, and what to do about each problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from modembank.bus.vocabulary import ModemState
from modembank.dialects import Role, get_dialect
from modembank.modem.inspection import Order, PortLook, PortState, inspect_ports
from modembank.modem.rack import find_duplicate_imeis
from modembank.tty.chassis import Chassis
from modembank.tty.discovery import (
    DeviceProblem,
    ModemPorts,
    ProblemKind,
    Tty,
    find_audio_devices,
    find_ttys,
    is_on_usb,
    survey,
    usb_order,
)
from modembank.tty.wiring import Wiring, on_serial, wire

Inspect = Callable[[Sequence[Order]], Mapping[str, PortLook]]
_GROUP_ADVICE = "run `sudo modembank hardware install`, or `sudo usermod -aG dialout $USER` and log in again"

_AUDIO_GROUP_ADVICE = "run `sudo usermod -aG audio $USER` and log in again"
_WIRED_ADVICE = "plug the card in, or correct `audio` in serial.modems; `arecord -L` lists the cards that are there"
# By whether the modem is on a plain serial port.
_DEAD_ADVICE = {
    False: "unplug the modem and plug it in; if it stays silent, check its power and its USB mode",
    True: "check its power and its wires, and that `baud` in serial.modems is its speed",
}
_MUTE_WORDS = {
    False: "no audio port: messages only",
    True: "no sound card is named in serial.modems: calls are silent",
}

_ROLES = {Role.AT: "AT", Role.AUDIO: "audio"}


class DeviceState(StrEnum):
    """What a device in the rack is good for now."""

    FREE = "free"
    IN_USE = "in_use"
    HELD = "held"
    DEAD = "dead"
    HANGS = "hangs"
    NO_PERMISSION = "no_permission"
    NO_NODE = "no_node"
    NO_CARD = "no_card"
    FAILS = "fails"
    CD_ROM = "cd_rom"
    NO_DRIVER = "no_driver"
    NO_AT_PORT = "no_at_port"
    UNKNOWN_PRODUCT = "unknown_product"


_KINDS = {
    ProblemKind.CD_ROM: DeviceState.CD_ROM,
    ProblemKind.NO_DRIVER: DeviceState.NO_DRIVER,
    ProblemKind.NO_AT_PORT: DeviceState.NO_AT_PORT,
    ProblemKind.UNKNOWN_PRODUCT: DeviceState.UNKNOWN_PRODUCT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a running server says of a modem."""

    state: ModemState
    detail: str
    imei: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePort:
    """One serial port; `role` is empty for those that we leave alone."""

    path: str
    interface: int | None
    role: str
    state: PortState | None = None  # None: not looked at
    pid: int | None = None
    program: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCard:
    """The card that carries a modem's voice, by its ALSA name; `wired`: by the settings, else it is the modem's own."""

    name: str
    wired: bool
    state: PortState


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A modem, or what could be one. `advice` is empty when nothing is wrong.

    Of a modem on a plain serial port, `usb_path` is the path of that port and `usb_id` is empty.
    """

    usb_path: str
    slot: str | None
    usb_id: str
    family: str | None
    state: DeviceState
    detail: str = ""
    advice: str = ""
    imei: str | None = None
    model: str | None = None
    ports: tuple[DevicePort, ...] = ()
    card: SoundCard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSlot:
    """A slot of the chassis in which there is no modem; `product` is what is there instead, empty for nothing."""

    usb_path: str
    slot: str
    product: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RackView:
    """All of it, in the order of the USB paths, then the serial ports. `hubs` maps USB paths to names."""

    chassis: str
    hubs: Mapping[str, str]
    devices: tuple[Device, ...]
    other_slots: tuple[OtherSlot, ...]


def detect(
    sysfs_root: Path,
    dev_root: Path,
    chassis: Chassis,
    served: Mapping[str, Served],
    wirings: Iterable[Wiring] = (),
    *,
    ask: bool = True,
    inspect: Inspect = inspect_ports,
) -> RackView:
    """Look at everything that is plugged in, and at the modems on serial ports of the settings (`wirings`).

    `served`, by USB path, is what a running server says; the ports that it holds are not touched. `ask`: free AT ports
    are asked whether a modem answers, and for its IMEI; otherwise nothing is written.
    """
    found = survey(sysfs_root, dev_root)
    ttys = find_ttys(sysfs_root, dev_root)
    wirings = tuple(wirings)
    # A port that is not there belongs to the rack as well: here it is told.
    missing = [on_serial(one) for one in wirings if one.at is not None and not one.at.exists()]
    modems = [*wire(found.modems, wirings), *missing]
    looks = inspect([order for modem in modems for order in _orders(modem, ask)])
    devices = [_modem(one, ttys.get(one.usb_path, ()), looks, served.get(one.usb_path)) for one in modems]
    without = {one.usb_path for one in modems if one.card is None and get_dialect(one.dialect).card_voice is not None}
    without &= find_audio_devices(sysfs_root)
    devices = [_without_card(one) if one.usb_path in without and not one.advice else one for one in devices]
    devices += [_problem(one, ttys.get(one.usb_path, ())) for one in found.problems]
    devices = [replace(one, slot=chassis.slots.get(one.usb_path)) for one in devices]
    devices.sort(key=lambda one: (not is_on_usb(one.usb_path), *usb_order(one.usb_path)))
    taken = {one.usb_path for one in devices}
    others = [
        OtherSlot(usb_path=place, slot=slot, product=_product(found.others, place))
        for place, slot in chassis.slots.items()
        if place not in taken
    ]
    return RackView(
        chassis=chassis.name,
        hubs={path: chassis.hubs.get(path) or product for path, product in found.hubs.items()},
        devices=_with_duplicates(devices),
        other_slots=tuple(sorted(others, key=lambda one: usb_order(one.usb_path))),
    )


def _orders(modem: ModemPorts, ask: bool) -> Iterable[Order]:
    yield Order(str(modem.at), ask=ask, baud=modem.baud)
    if modem.audio is not None:
        yield Order(str(modem.audio), ask=False)
    if modem.card is not None:
        yield Order(modem.card, ask=False, card=True)


def _product(others: Mapping[str, str], place: str) -> str:
    return (others[place] or "a device without a name") if place in others else ""


def _modem(modem: ModemPorts, ttys: Sequence[Tty], looks: Mapping[str, PortLook], served: Served | None) -> Device:
    at = looks[str(modem.at)]
    audio = looks.get(str(modem.audio)) if modem.audio is not None else None
    card = looks[modem.card] if modem.card is not None else None
    state, detail, advice = _judge(modem, at, audio, card, served)
    if modem.serial:
        ttys = (Tty(modem.at, None, Role.AT),)
    return Device(
        usb_path=modem.usb_path,
        slot=None,
        usb_id="" if modem.serial else f"{modem.vid:04x}:{modem.pid:04x}",
        family=modem.dialect,
        state=state,
        detail=detail,
        advice=advice,
        imei=at.imei or (served.imei if served else None),
        model=at.model,
        ports=tuple(_port(tty, looks.get(str(tty.path))) for tty in ttys),
        card=SoundCard(name=card.path, wired=modem.wired, state=card.state) if card is not None else None,
    )


def _problem(problem: DeviceProblem, ttys: Sequence[Tty]) -> Device:
    return Device(
        usb_path=problem.usb_path,
        slot=None,
        usb_id=f"{problem.vid:04x}:{problem.pid:04x}",
        family=None,
        state=_KINDS[problem.kind],
        advice=problem.advice,
        ports=tuple(_port(tty, None) for tty in ttys),
    )


def _port(tty: Tty, look: PortLook | None) -> DevicePort:
    return DevicePort(
        path=str(tty.path),
        interface=tty.interface,
        role=tty.role.value if tty.role is not None else "",
        state=look.state if look else None,
        pid=look.pid if look else None,
        program=look.program if look else None,
    )


def _judge(
    modem: ModemPorts, at: PortLook, audio: PortLook | None, card: PortLook | None, served: Served | None
) -> tuple[DeviceState, str, str]:
    """State, detail and advice of a modem, by its worst port."""
    if modem.serial and at.state is PortState.MISSING:
        return DeviceState.NO_NODE, f"{at.path} does not exist", "plug its adapter in, or correct `at` in serial.modems"
    for look, role in ((at, Role.AT), (audio, Role.AUDIO)):
        if look is not None and (trouble := _trouble(look, role)):
            return trouble
    ours = at.state is PortState.HELD
    if card is not None and (trouble := _card_trouble(card, modem.wired, ours)):
        return trouble
    if ours:
        return _in_use(at, served)
    if at.answers is False:
        return DeviceState.DEAD, "its AT port opens and does not answer", _DEAD_ADVICE[modem.serial]
    if audio is None and card is None:
        return DeviceState.FREE, _MUTE_WORDS[modem.serial], ""
    return DeviceState.FREE, "", ""


def _card_trouble(card: PortLook, wired: bool, ours: bool) -> tuple[DeviceState, str, str] | None:
    """`ours`: the modem is in use, and so its card may be, in a call."""
    name = f"sound card {card.path}"
    match card.state:
        case PortState.MISSING if wired:
            return DeviceState.NO_CARD, f"its {name} is not there", _WIRED_ADVICE
        case PortState.MISSING:
            return DeviceState.NO_CARD, f"its {name} is not there", "check that /dev/snd is there, in a container too"
        case PortState.HELD if not ours:
            return DeviceState.HELD, f"its {name} is held by another program", "end the sound server that uses it"
        case PortState.NO_PERMISSION:
            return DeviceState.NO_PERMISSION, f"this user may not open its {name}", _AUDIO_GROUP_ADVICE
        case PortState.HANGS:
            return DeviceState.HANGS, f"its {name} hangs when it is opened", "unplug the card and plug it in"
        case PortState.FAILS:
            return DeviceState.FAILS, card.detail, _WIRED_ADVICE if wired else "unplug the modem and plug it in"
    return None


def _without_card(device: Device) -> Device:
    """A modem with a USB audio interface that no driver took."""
    return replace(
        device,
        state=DeviceState.NO_CARD,
        detail="it has a USB audio device, and there is no sound card of it",
        advice="load the kernel module `snd-usb-audio`, then plug the modem in again",
    )


def _trouble(look: PortLook, role: Role) -> tuple[DeviceState, str, str] | None:
    name = f"{_ROLES[role]} port {look.path}"
    match look.state:
        case PortState.HELD if not look.ours:
            if look.program is None:
                return DeviceState.HELD, f"{name} is held by a program of another user", "run this as root to see which"
            who = f"{look.program} (pid {look.pid})"
            return DeviceState.HELD, f"{name} is held by {who}", f"stop {who}, and keep it away from modems"
        case PortState.NO_PERMISSION:
            return DeviceState.NO_PERMISSION, f"this user may not open the {name}", _GROUP_ADVICE
        case PortState.MISSING:
            return DeviceState.NO_NODE, f"{look.path} does not exist", "wait some seconds; then check that udev runs"
        case PortState.HANGS:
            return DeviceState.HANGS, f"the {name} hangs when it is opened", "unplug the modem and plug it in"
        case PortState.FAILS:
            return DeviceState.FAILS, f"{name}: {look.detail}", "unplug the modem and plug it in"
    return None


def _in_use(at: PortLook, served: Served | None) -> tuple[DeviceState, str, str]:
    detail = f"in use by modembank (pid {at.pid})"
    if served is None:
        return DeviceState.IN_USE, detail, ""
    words = f"{detail}, {served.state}" + (f": {served.detail}" if served.detail else "")
    if served.state is ModemState.FAILED:
        return DeviceState.IN_USE, words, "look at its last lines with `modembank modems trace`"
    return DeviceState.IN_USE, words, ""


def _with_duplicates(devices: Sequence[Device]) -> tuple[Device, ...]:
    """Name the other places of an IMEI that is there more than once."""
    places = {path: found for found in find_duplicate_imeis(devices) for path in found.usb_paths}
    told = []
    for device in devices:
        found = places.get(device.usb_path)
        if found is not None and not device.advice:
            others = ", ".join(path for path in found.usb_paths if path != device.usb_path)
            advice = f"its IMEI {found.imei} is also that of {others}: the network may serve one of them only; use one"
            device = replace(device, advice=advice)
        told.append(device)
    return tuple(told)

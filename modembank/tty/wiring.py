"""What only a person knows of a modem: that it is on a plain serial port, and which sound card is wired to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from modembank.tty.discovery import ModemPorts
from modembank.tty.transport import BAUD


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """One modem of the settings: at a place of the USB topology, or (`at`, `family`) on a plain serial port.

    `audio` is the ALSA name of the card that is wired to its pins; without one, a modem on a serial port has no sound.
    """

    usb_path: str | None = None
    at: Path | None = None
    family: str = "generic"
    baud: int = BAUD
    audio: str | None = None


def wire(found: Iterable[ModemPorts], wirings: Iterable[Wiring]) -> tuple[ModemPorts, ...]:
    """Return the modems with what the settings say of them, those on serial ports last; a port that is not there yet
    is left out. A port that the settings name belongs to that modem, whatever USB says of it.
    """
    wirings = tuple(wirings)
    cards = {one.usb_path: one.audio for one in wirings if one.usb_path is not None and one.audio is not None}
    serial = [one for one in wirings if one.at is not None and one.at.exists()]
    taken = {one.at.resolve() for one in serial if one.at is not None}
    on_usb = [
        replace(ports, card=cards[ports.usb_path], wired=True) if ports.usb_path in cards else ports
        for ports in found
        if ports.at.resolve() not in taken
    ]
    return (*on_usb, *(on_serial(one) for one in serial))


def on_serial(wiring: Wiring) -> ModemPorts:
    """Return a modem whose wiring names a serial port (`at`), whether that is there or not."""
    at = wiring.at
    assert at is not None
    return ModemPorts(
        usb_path=str(at),
        vid=0,
        pid=0,
        at=at,
        audio=None,
        dialect=wiring.family,
        card=wiring.audio,
        wired=wiring.audio is not None,
        serial=True,
        baud=wiring.baud,
    )

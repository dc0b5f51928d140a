"""What the settings say of modems, and sound cards that are found by their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from modembank.dialects import get_dialect
from modembank.host.incidents import hubs_of
from modembank.media.records import AudioKind, AudioPlace
from modembank.modem.voice import Sound, sound_of
from modembank.tty.discovery import ModemPorts, scan
from modembank.tty.power import UsbPower
from modembank.tty.wiring import Wiring, wire

EC25 = ("2c7c", "0125")


def plug_ec25(root: Path, usb_path: str, tty: str) -> Path:
    """As the kernel shows an EC25: only what is asked for here."""
    device = root / "devices/usb1" / usb_path
    for name, text in zip(("idVendor", "idProduct"), EC25, strict=True):
        device.mkdir(parents=True, exist_ok=True)
        (device / name).write_text(text + "\n")
    port = device / f"{usb_path}:1.2" / tty
    port.mkdir(parents=True)
    (port.parent / "bInterfaceNumber").write_text("02\n")
    serial = root / "bus/usb-serial/devices"
    serial.mkdir(parents=True, exist_ok=True)
    (serial / tty).symlink_to(port)
    return device


def plug_card(root: Path, device: Path, number: int, name: str) -> None:
    interface = device / f"{device.name}:1.5"
    card = interface / "sound" / f"card{number}"
    card.mkdir(parents=True)
    (card / "id").write_text(name + "\n")
    (card / "device").symlink_to(interface)
    folder = root / "class/sound"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"card{number}").symlink_to(card)
    (folder / f"pcmC{number}D0c").symlink_to(card)  # has no id, and is no card


def cards(root: Path) -> dict[str, str | None]:
    return {one.usb_path: one.card for one in scan(root, Path("/dev"))}


def test_a_card_belongs_to_the_modem_at_its_place(tmp_path: Path) -> None:
    """The card that came first has the first number and the plain name, whichever modem it is."""
    first, second = plug_ec25(tmp_path, "1-1.1", "ttyUSB2"), plug_ec25(tmp_path, "1-1.2", "ttyUSB6")
    plug_card(tmp_path, second, 0, "Android")
    plug_card(tmp_path, first, 1, "Android_1")
    assert cards(tmp_path) == {"1-1.1": "hw:CARD=Android_1,DEV=0", "1-1.2": "hw:CARD=Android,DEV=0"}


def test_a_headset_beside_a_modem_is_not_its_card(tmp_path: Path) -> None:
    plug_ec25(tmp_path, "1-1.1", "ttyUSB2")
    headset = tmp_path / "devices/usb1/1-1.3"
    headset.mkdir()
    plug_card(tmp_path, headset, 0, "Headset")
    assert cards(tmp_path) == {"1-1.1": None}


def ports(usb_path: str, at: Path, dialect: str = "quectel-ec25", **changes: object) -> ModemPorts:
    return ModemPorts(usb_path, 0x2C7C, 0x0125, at, None, dialect, **changes)  # type: ignore[arg-type]


def test_a_modem_on_a_serial_port_is_there_while_its_port_is(tmp_path: Path) -> None:
    at = tmp_path / "ttyS0"
    wiring = Wiring(at=at, family="simcom-sim800", baud=9600, audio="hw:CARD=Line")
    assert wire((), (wiring,)) == ()
    at.touch()
    (found,) = wire((), (wiring,))
    assert (found.usb_path, found.at, found.dialect) == (str(at), at, "simcom-sim800")
    assert (found.card, found.wired, found.serial, found.baud) == ("hw:CARD=Line", True, True, 9600)


def test_a_port_that_the_settings_name_is_no_usb_modem_as_well(tmp_path: Path) -> None:
    """Such as a serial adapter whose chip a modem family uses too; the settings may name it by another link."""
    tty, by_path = tmp_path / "ttyUSB0", tmp_path / "by-path"
    tty.touch()
    by_path.symlink_to(tty)
    other = ports("1-2", tmp_path / "ttyUSB9")
    wired = wire((ports("1-1", tty), other), (Wiring(at=by_path, family="quectel-m95"),))
    assert [one.usb_path for one in wired] == ["1-2", str(by_path)]


def test_a_card_is_wired_to_a_modem_on_usb(tmp_path: Path) -> None:
    found = (ports("1-1", tmp_path / "a"), ports("1-2", tmp_path / "b"))
    wired = wire(found, (Wiring(usb_path="1-2", audio="plughw:CARD=Device"),))
    assert wired[0] == found[0]
    assert (wired[1].card, wired[1].wired) == ("plughw:CARD=Device", True)


TTY = Path("/dev/ttyUSB1")
CARD = AudioPlace("hw:CARD=Android", kind=AudioKind.ALSA)
DIALECT = get_dialect("quectel-ec25")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"card": CARD.name}, Sound(CARD, DIALECT.card_voice, instead=Sound(AudioPlace(str(TTY)), DIALECT.voice))),
        ({"card": CARD.name, "wired": True}, Sound(CARD, None)),
        ({}, Sound(AudioPlace(str(TTY)), DIALECT.voice)),
    ],
    ids=["own-card", "wired-card", "tty"],
)
def test_where_the_sound_is_decides_what_is_sent(changes: dict[str, object], expected: Sound) -> None:
    modem = ModemPorts("1-1", 0x2C7C, 0x0125, Path("/dev/ttyUSB2"), TTY, DIALECT.name, **changes)  # type: ignore[arg-type]
    assert sound_of(modem, DIALECT) == expected
    assert DIALECT.card_voice is not None
    assert DIALECT.card_voice.on.text == "+QPCMV=1,2"


def test_only_a_modem_of_the_settings_may_be_silent() -> None:
    """A module on USB whose voice we do not know carries no calls; on a serial port the operator has said so."""
    a7670 = get_dialect("simcom-a7670")
    usb = ModemPorts("1-1", 0x1E0E, 0x9011, Path("/dev/ttyUSB4"), None, a7670.name)
    assert sound_of(usb, a7670) == Sound()
    serial = ModemPorts("/dev/ttyS0", 0, 0, Path("/dev/ttyS0"), None, a7670.name, serial=True)
    assert sound_of(serial, a7670) == Sound(silent=True)


@pytest.mark.parametrize("place", ["/dev/ttyS0", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.3:1.0-port0"])
def test_a_serial_port_has_no_hub_to_reset(tmp_path: Path, place: str) -> None:
    """Healing asks; names by path look like places on USB, and are none."""
    power = UsbPower(tmp_path)
    assert not power.can_reset(place)
    assert not power.can_cycle(place)
    assert hubs_of(place) == ()

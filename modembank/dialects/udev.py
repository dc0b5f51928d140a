"""The udev rules for every modem that a dialect knows, as text.

ModemManager and brltty open what they find and talk to it, and a modem that USB puts to sleep is lost after hours or at
the first ring. Source: udev(7); ModemManager reference, udev tags; Linux Documentation/driver-api/usb/power-management.
"""

from __future__ import annotations

from collections.abc import Iterable

from modembank.dialects.dialect import Dialect

GROUP = "dialout"
_HEAD = """\
# udev rules for modembank, written from its modem families: `modembank hardware install` puts them in place.
#
# modembank finds a modem's ports by USB topology and interface number, so no stable symlinks are needed.
# The number of the file orders it after the rules that name the tty and before ModemManager's probing (77 and later).

ACTION=="remove", GOTO="modembank_end"

# Switching the power of a hub's ports, for healing. Linux 6.0 and newer.
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", ATTR{bInterfaceClass}=="09", GOTO="modembank_hub"

# The USB device itself: never asleep.
"""
_TTYS = """
# Its serial ports: readable and writable for the group, and left alone by ModemManager and brltty.
"""
_TAIL = f"""\
GOTO="modembank_end"

LABEL="modembank_usb"
TEST=="power/control", ATTR{{power/control}}="on"
ENV{{ID_MM_DEVICE_IGNORE}}="1"
# Logging the device off the bus and on again, for healing.
RUN+="/bin/sh -c 'chgrp {GROUP} $sys$devpath/authorized && chmod g+w $sys$devpath/authorized'"
GOTO="modembank_end"

LABEL="modembank_hub"
RUN+="/bin/sh -c 'chgrp {GROUP} $sys$devpath/*-port*/disable; chmod g+w $sys$devpath/*-port*/disable'"
GOTO="modembank_end"

LABEL="modembank_tty"
ENV{{ID_MM_DEVICE_IGNORE}}="1", ENV{{ID_MM_PORT_IGNORE}}="1", ENV{{BRLTTY_BRAILLE_DRIVER}}=""
GROUP="{GROUP}", MODE="0660"

LABEL="modembank_end"
"""


def udev_rules(dialects: Iterable[Dialect]) -> str:
    """The rules file. A vendor whose products are told by their classes is matched as a whole."""
    known = tuple(dialects)
    vendors = {one.vendor for one in known if one.vendor is not None}
    products = sorted({(vid, pid) for one in known for vid, pid in one.usb_ids if vid not in vendors})
    devices = [*((vid, pid) for vid, pid in products), *((vid, None) for vid in sorted(vendors))]
    usb = (
        f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", {_match("ATTR", *one)}, GOTO="modembank_usb"\n'
        for one in devices
    )
    tty = (f'SUBSYSTEM=="tty", SUBSYSTEMS=="usb", {_match("ATTRS", *one)}, GOTO="modembank_tty"\n' for one in devices)
    return _HEAD + "".join(usb) + _TTYS + "".join(tty) + _TAIL


def _match(attribute: str, vid: int, pid: int | None) -> str:
    vendor = f'{attribute}{{idVendor}}=="{vid:04x}"'
    return vendor if pid is None else f'{vendor}, {attribute}{{idProduct}}=="{pid:04x}"'

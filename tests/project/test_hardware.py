"""The files for real machines fit the code: every modem family that we can drive has its udev rules."""

from __future__ import annotations

import configparser
from pathlib import Path

from modembank.dialects import DIALECTS


def test_every_usb_id_has_both_udev_rules(root: Path) -> None:
    rules = (root / "hardware" / "70-modembank.rules").read_text().splitlines()
    lost = []
    for dialect in DIALECTS:
        for vid, pid in dialect.usb_ids:
            for subsystem, attribute in (("usb", "ATTR"), ("tty", "ATTRS")):
                wanted = f'{attribute}{{idVendor}}=="{vid:04x}", {attribute}{{idProduct}}=="{pid:04x}"'
                if not any(line.startswith(f'SUBSYSTEM=="{subsystem}"') and wanted in line for line in rules):
                    lost.append(f"{dialect.name} {vid:04x}:{pid:04x} {subsystem}")
    assert not lost, lost


def test_every_jump_of_the_udev_rules_lands(root: Path) -> None:
    rules = (root / "hardware" / "70-modembank.rules").read_text()
    jumps = {part.split('"')[0] for part in rules.split('GOTO="')[1:]}
    labels = {part.split('"')[0] for part in rules.split('LABEL="')[1:]}
    assert jumps == labels


def test_the_service_is_confined(root: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string((root / "hardware" / "modembank.service").read_text())
    service = unit["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["DevicePolicy"] == "closed"
    assert service["User"] == "modembank"

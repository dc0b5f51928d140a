"""The files for real machines fit the code: every modem family that we can drive has its udev rules."""

from __future__ import annotations

import configparser
from pathlib import Path

from modembank.dialects import DIALECTS
from modembank.dialects.udev import udev_rules


def test_every_usb_id_has_both_udev_rules(root: Path) -> None:
    rules = (root / "hardware" / "70-modembank.rules").read_text().splitlines()
    lost = []
    for dialect in DIALECTS:
        for vid, pid in dialect.usb_ids:
            for subsystem, attribute in (("usb", "ATTR"), ("tty", "ATTRS")):
                vendor = f'{attribute}{{idVendor}}=="{vid:04x}", '
                wanted = (f'{vendor}{attribute}{{idProduct}}=="{pid:04x}", ', f"{vendor}GOTO=")
                lines = [line for line in rules if line.startswith(f'SUBSYSTEM=="{subsystem}"')]
                if not any(one in line for one in wanted for line in lines):
                    lost.append(f"{dialect.name} {vid:04x}:{pid:04x} {subsystem}")
    assert not lost, lost


def test_the_shipped_rules_are_those_of_the_families(root: Path) -> None:
    assert (root / "hardware" / "70-modembank.rules").read_text() == udev_rules(DIALECTS), "run: make docs"


def test_every_family_has_its_line_in_the_reference(root: Path) -> None:
    page = (root / "docs" / "reference" / "modems.md").read_text().partition("<!-- generated")[0]
    assert [dialect.name for dialect in DIALECTS if f"| `{dialect.name}` |" not in page] == []


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

"""A look that reads little sees every change that a look that reads all would see."""

from __future__ import annotations

import shutil
from pathlib import Path

from modembank.tty.discovery import scan
from modembank.tty.scanner import Scanner
from tests.tty.test_discovery import EC25_TTYS, plug

EC25 = ("2c7c", "0125")


def unplug(root: Path, usb_path: str) -> None:
    shutil.rmtree(root / "devices/pci0000:00/usb1" / usb_path)
    for folder in ("bus/usb/devices", "bus/usb-serial/devices"):
        for link in (root / folder).iterdir():
            if not link.exists():
                link.unlink()


def test_it_follows_whatever_is_plugged(tmp_path: Path) -> None:
    scanner = Scanner(tmp_path, Path("/dev"), {})
    assert scanner.look() == ()
    plug(tmp_path, "1-1", EC25, EC25_TTYS)
    plug(tmp_path, "1-2", EC25, {2: "ttyUSB20"})
    assert scanner.look() == scan(tmp_path)
    unplug(tmp_path, "1-1")
    assert [modem.usb_path for modem in scanner.look()] == ["1-2"]


def test_names_that_change_places_between_two_looks_are_noticed(tmp_path: Path) -> None:
    scanner = Scanner(tmp_path, Path("/dev"), {})
    plug(tmp_path, "1-1", EC25, {2: "ttyUSB0"})
    plug(tmp_path, "1-2", EC25, {2: "ttyUSB1"})
    scanner.look()
    for place in ("1-1", "1-2"):
        unplug(tmp_path, place)
    plug(tmp_path, "1-1", EC25, {2: "ttyUSB1"})
    plug(tmp_path, "1-2", EC25, {2: "ttyUSB0"})
    assert [modem.at.name for modem in scanner.look()] == ["ttyUSB1", "ttyUSB0"]


def test_a_rack_that_stays_is_read_whole_only_now_and_then(tmp_path: Path) -> None:
    scanner = Scanner(tmp_path, Path("/dev"), {"1-1": "A1"})
    plug(tmp_path, "1-1", EC25, EC25_TTYS)
    found = scanner.look()
    assert found[0].slot == "A1"
    (tmp_path / "devices/pci0000:00/usb1/1-1/idVendor").write_text("ffff\n")  # what no kernel does
    assert scanner.look() == found
    for _ in range(30):
        scanner.look()
    assert scanner.look() == ()

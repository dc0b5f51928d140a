"""Cloned sticks are noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from modembank.modem import DuplicateImei, Modem, ModemInfo, ModemPorts, find_duplicate_imeis
from tests.support.modem_rig import Listener


def info(usb_path: str, imei: str | None) -> ModemInfo:
    modem = Modem(ModemPorts(usb_path, 0x12D1, 0x1001, Path("/dev/ttyUSB0"), None, "huawei-stick"), Listener())
    return replace(modem.info, imei=imei)


def test_duplicate_imeis() -> None:
    modems = [info("1-3", "A"), info("1-1", "A"), info("1-2", "B"), info("1-4", None), info("1-5", None)]
    assert find_duplicate_imeis(modems) == (DuplicateImei("A", ("1-1", "1-3")),)
    assert find_duplicate_imeis(modems[1:]) == ()

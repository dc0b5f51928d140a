"""Modem families as data; pure.

A family is found by its USB identity or by its name.
"""

from __future__ import annotations

from modembank.dialects.analog import A7670, M95, SIM800
from modembank.dialects.dialect import Dialect, InterfaceClass, Role, VoiceMoment, VoicePath
from modembank.dialects.generic import GENERIC
from modembank.dialects.huawei import STICK
from modembank.dialects.quectel import EC25, UC20
from modembank.dialects.simcom import SIM5360, SIM7600

DIALECTS: tuple[Dialect, ...] = (EC25, UC20, STICK, SIM7600, SIM5360, SIM800, A7670, M95, GENERIC)

__all__ = [
    "DIALECTS",
    "Dialect",
    "InterfaceClass",
    "Role",
    "VoiceMoment",
    "VoicePath",
    "find_dialect",
    "get_dialect",
]


def find_dialect(vid: int, pid: int) -> Dialect | None:
    """The family of a USB vendor and product number, by product or else by vendor; None when no dialect knows it."""
    by_product = next((dialect for dialect in DIALECTS if (vid, pid) in dialect.usb_ids), None)
    return by_product or next((dialect for dialect in DIALECTS if dialect.vendor == vid), None)


def get_dialect(name: str) -> Dialect:
    """The family of this name. Raises KeyError."""
    return {dialect.name: dialect for dialect in DIALECTS}[name]

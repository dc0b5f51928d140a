"""Modem families as data; pure.

A family is found by its USB identity or by its name.
"""

from __future__ import annotations

from modembank.dialects.dialect import Dialect, Role
from modembank.dialects.quectel import EC25

DIALECTS: tuple[Dialect, ...] = (EC25,)

__all__ = ["DIALECTS", "Dialect", "Role", "find_dialect", "get_dialect"]


def find_dialect(vid: int, pid: int) -> Dialect | None:
    """The family of a USB vendor and product number, None when no dialect knows it."""
    return next((dialect for dialect in DIALECTS if (vid, pid) in dialect.usb_ids), None)


def get_dialect(name: str) -> Dialect:
    """The family of this name. Raises KeyError."""
    return {dialect.name: dialect for dialect in DIALECTS}[name]

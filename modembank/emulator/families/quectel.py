"""Quectel EC25 and its like. Source: hardware facts sections 2 and 4."""

from __future__ import annotations

from modembank.emulator.commands import COMMON
from modembank.emulator.family import Family

EC25 = Family("quectel-ec25", COMMON)

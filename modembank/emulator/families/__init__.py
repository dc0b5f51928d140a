"""The modem families that the emulator speaks, by name."""

from __future__ import annotations

from modembank.emulator.families.quectel import EC25
from modembank.emulator.family import Family

FAMILIES: dict[str, Family] = {family.name: family for family in (EC25,)}

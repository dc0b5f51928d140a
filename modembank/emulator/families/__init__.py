"""The modem families that the emulator speaks, by name."""

from __future__ import annotations

from modembank.emulator.families.huawei import E173
from modembank.emulator.families.quectel import EC25
from modembank.emulator.families.simcom import SIM7600
from modembank.emulator.families.standard import GENERIC
from modembank.emulator.family import Family
from modembank.errors import EmulatorError

FAMILIES: dict[str, Family] = {family.name: family for family in (EC25, E173, SIM7600, GENERIC)}
MIXED = "mixed"


def choose(name: str) -> tuple[Family, ...]:
    """Return the families that modems get one after another.

    Raises:
        EmulatorError: there is no such family.
    """
    if name == MIXED:
        return tuple(FAMILIES.values())
    if name not in FAMILIES:
        raise EmulatorError(f"there is no family {name}; there are {', '.join(FAMILIES)} and {MIXED}")
    return (FAMILIES[name],)

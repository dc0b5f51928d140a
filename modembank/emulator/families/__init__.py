"""The modem families that the emulator speaks, by name."""

from __future__ import annotations

from modembank.emulator.families.analog import A7670, M95, SIM800
from modembank.emulator.families.huawei import E173
from modembank.emulator.families.quectel import EC25, EC25_UAC
from modembank.emulator.families.simcom import SIM7600
from modembank.emulator.families.standard import GENERIC
from modembank.emulator.family import Family
from modembank.errors import EmulatorError

FAMILIES: dict[str, Family] = {family.name: family for family in (EC25, E173, SIM7600, GENERIC)}
"""Those that are found on USB by themselves, each by another dialect."""

OTHERS: dict[str, Family] = {family.name: family for family in (EC25_UAC, SIM800, A7670, M95)}
"""Those that want a sound card, or a line in the settings."""

ON_SERIAL_PORTS: dict[str, Family] = {name: family for name, family in OTHERS.items() if family.usb is None}
MIXED = "mixed"


def choose(names: str) -> tuple[Family, ...]:
    """Return the families that modems get one after another: one name, several with commas between, or `mixed`.

    Raises:
        EmulatorError: there is no such family.
    """
    if names == MIXED:
        return tuple(FAMILIES.values())
    known = FAMILIES | OTHERS
    for name in names.split(","):
        if name not in known:
            raise EmulatorError(f"there is no family {name}; there are {', '.join(known)} and {MIXED}")
    return tuple(known[name] for name in names.split(","))

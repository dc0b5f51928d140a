"""Commands that only keep numbers: one table for their test, read and set forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Setting:
    """Limits and power-on values of a command's parameters; `shown` is appended to the read answer."""

    limits: tuple[Range, ...]
    default: tuple[int, ...]
    shown: str = ""


def _one(low: int, high: int, default: int, shown: str = "") -> Setting:
    return Setting(((low, high),), (default,), shown)


SETTINGS: dict[str, Setting] = {
    "+CRC": _one(0, 1, 0),
    "+CLIP": _one(0, 1, 0, ",1"),
    "+CLIR": _one(0, 2, 0, ",4"),
    "+COLP": _one(0, 1, 0, ",0"),
    "+CSSN": Setting(((0, 1), (0, 1)), (0, 0)),
    "+CVHU": _one(0, 2, 0),
    "+VTD": _one(0, 255, 3),
    "+CMUT": _one(0, 1, 0),
    "+CLVL": _one(0, 5, 3),
    "+CSDH": _one(0, 1, 0),
    "+CMMS": _one(0, 2, 0),
    "+CTZU": _one(0, 3, 0),
    "+CTZR": _one(0, 2, 0),
    "+CSTA": _one(129, 145, 129),
    "+CGEREP": Setting(((0, 2), (0, 1)), (0, 0)),
    "+CMER": Setting(((0, 3), (0, 0), (0, 0), (0, 1), (0, 1)), (0, 0, 0, 0, 0)),
    "+QTONEDET": _one(0, 1, 0),
    "+QMIC": Setting(((0, 65535), (0, 65535)), (20577, 20577)),
    "+QRXGAIN": _one(0, 65535, 20577),
    "+QSIDET": _one(0, 65535, 80),
    "+QEEC": Setting(((0, 255), (0, 65535)), (0, 0)),
    "+QAUDMOD": _one(0, 5, 0),
    "+QAUDLOOP": _one(0, 1, 0),
    "+QDAI": Setting(
        ((1, 5), (0, 1), (0, 1), (0, 5), (0, 2), (0, 1), (0, 1), (0, 15)),
        (1, 0, 0, 4, 0, 0, 1, 1),
    ),
    "+QSIMDET": Setting(((0, 1), (0, 1)), (0, 0)),
    "+QSCLK": _one(0, 1, 0),
    "&C": _one(0, 1, 1),
    "&D": _one(0, 2, 1),
    "X": _one(0, 4, 4),
}
"""Source: 3GPP TS 27.007, 27.005; hardware facts section 4.1 for Quectel's own."""


MAKERS: dict[str, Setting] = {
    "^CURC": _one(0, 1, 1),
    "^U2DIAG": _one(0, 276, 276),
    "+CLCC": _one(0, 1, 0),
    "+CPCMFRM": _one(0, 1, 0),
    "+DDET": Setting(((0, 1), (0, 10000), (0, 1), (0, 1)), (0, 0, 0, 0)),
    "+AUTOCSQ": Setting(((0, 1), (0, 1)), (0, 0)),
    "+CNSMOD": _one(0, 1, 0),
    "+CLTS": _one(0, 1, 0),
    "+CECM": _one(0, 7, 1),
    "+CMICGAIN": _one(0, 8, 3),
    "+COUTGAIN": _one(0, 8, 4),
    "+CSCLK": _one(0, 2, 0),
}
"""Settings that only some families have. Source: hardware facts sections 3 and 5."""

_KNOWN = SETTINGS | MAKERS


def current(modem: Modem, name: str) -> tuple[int, ...]:
    """Return the values of a setting."""
    if name == "+QSIMSTAT":
        return modem.volatile.values.get(name, (0,))
    return modem.volatile.values.get(name, modem.family.settings.get(name, _KNOWN[name].default))


def _handle(modem: Modem, session: AtSession, command: Command) -> Reply:
    setting = _KNOWN[command.name]
    if command.form is Form.TEST:
        limits = ",".join(f"({low}-{high})" if low != high else f"({low})" for low, high in setting.limits)
        return info(f"{command.name}: {limits}")
    values = current(modem, command.name)
    if command.form is Form.READ:
        return info(f"{command.name}: {','.join(map(str, values))}{setting.shown}")
    if len(command.arguments) > len(setting.limits):
        raise RefusedError(cme=50)
    if command.form is Form.EXECUTE and command.name[0] == "+":
        raise RefusedError(cme=50)
    pairs = zip(setting.limits, values, strict=True)
    new = tuple(command.number(place, *limit, old) for place, (limit, old) in enumerate(pairs))
    modem.volatile.values[command.name] = new
    return OK


HANDLERS: dict[str, Handler] = dict.fromkeys(SETTINGS, _handle)

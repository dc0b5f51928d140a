"""The SIM's locks and how many tries they leave. Pure.

Source: 3GPP TS 27.007 sections 8.3 (+CPIN) and 8.65 (+CPINR); the vendors' from their AT manuals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from modembank.at.command import SIM_S, AtCommand, RetryClass
from modembank.at.fields import read_fields, read_number, read_text
from modembank.errors import AtSyntaxError, PinRefusedError

_PIN = re.compile(r"[0-9]{4,8}", re.ASCII)
_PUK = re.compile(r"[0-9]{8}", re.ASCII)

STANDARD_RETRIES = AtCommand("+CPINR", "+CPINR:", timeout_s=SIM_S)
QUECTEL_RETRIES = AtCommand("+QPINC?", "+QPINC:", timeout_s=SIM_S)
HUAWEI_RETRIES = AtCommand("^CPIN?", "^CPIN:", timeout_s=SIM_S)
SIMCOM_RETRIES = AtCommand("+SPIC", "+SPIC:", timeout_s=SIM_S)


class SimLock(StrEnum):
    """What the SIM asks for."""

    PIN = "pin"
    PUK = "puk"
    OTHER = "other"  # the modem's own locks, to another card or network


@dataclass(frozen=True, slots=True)
class Retries:
    """Tries that are left, None where the modem does not tell."""

    pin: int | None
    puk: int | None


@dataclass(frozen=True, slots=True)
class PinState:
    """What the SIM asks for and how many tries it leaves, None where the modem does not tell."""

    lock: SimLock
    pin_left: int | None
    puk_left: int | None


def enter_pin(pin: str) -> AtCommand:
    """`+CPIN="<pin>"`, never to be sent twice: three wrong ones block the card. Raises PinRefusedError.

    Source: 3GPP TS 27.007 section 8.3, TS 31.101 section 11.1.9.
    """
    if not _PIN.fullmatch(pin):
        raise PinRefusedError("a PIN has 4 to 8 digits; nothing was tried")
    return AtCommand(f'+CPIN="{pin}"', timeout_s=SIM_S, retry=RetryClass.NEVER)


def is_pin(text: str) -> bool:
    """Whether a text can be a PIN. Source: 3GPP TS 31.101 section 9.5.1."""
    return _PIN.fullmatch(text) is not None


def is_puk(text: str) -> bool:
    """Whether a text can be a PUK, which has eight digits. Source: 3GPP TS 31.101 section 9.5.1."""
    return _PUK.fullmatch(text) is not None


def enter_puk(puk: str, pin: str) -> AtCommand:
    """`+CPIN="<puk>","<new pin>"`, never to be sent twice: ten wrong ones end the card. Raises PinRefusedError.

    Source: 3GPP TS 27.007 section 8.3, TS 31.101 section 11.1.13.
    """
    if not is_puk(puk) or not is_pin(pin):
        raise PinRefusedError("a PUK has 8 digits and a PIN 4 to 8; nothing was tried")
    return AtCommand(f'+CPIN="{puk}","{pin}"', timeout_s=SIM_S, retry=RetryClass.NEVER)


def read_lock(line: str) -> SimLock | None:
    """What `+CPIN:` asks for, None for nothing. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 8.3."""
    text = ",".join(read_fields(line, "+CPIN:"))
    known = {"READY": None, "SIM PIN": SimLock.PIN, "SIM PUK": SimLock.PUK}
    return known.get(text, SimLock.OTHER)


def read_retries(lines: tuple[str, ...]) -> Retries:
    """The tries behind any of the four commands above. Raises AtSyntaxError."""
    found: dict[str, int] = {}
    for line in lines:
        found.update(_read_line(line))
    return Retries(found.get("pin"), found.get("puk"))


def _read_line(line: str) -> dict[str, int]:
    name = line.partition(":")[0] + ":"
    fields = read_fields(line, name)
    if name == "+CPINR:":  # <code>,<left>[,<default>], one line a code. Source: 3GPP TS 27.007 section 8.65
        what = {"SIM PIN": "pin", "SIM PUK": "puk"}.get(read_text(fields, 0) or "")
        return {what: read_number(fields, 1)} if what else {}
    if name == "+QPINC:":  # <facility>,<pin>,<puk>. Source: EC2x AT manual, +QPINC
        return {"pin": read_number(fields, 1), "puk": read_number(fields, 2)} if fields[0] == "SC" else {}
    if name == "^CPIN:":  # <code>,<times>,<puk>,<pin>,<puk2>,<pin2>. Source: Huawei AT manual, ^CPIN
        return {"pin": read_number(fields, 3), "puk": read_number(fields, 2)}
    if name == "+SPIC:":  # the PIN's first; manuals differ in the order of the rest. Source: SIMCom AT manual, +SPIC
        return {"pin": read_number(fields, 0)}
    raise AtSyntaxError(f"{name} tells no tries")

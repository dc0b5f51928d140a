"""What a modem says about itself and its SIM, as records."""

from __future__ import annotations

import re
from enum import StrEnum

from modembank.at.fields import read_fields, read_number, read_text
from modembank.errors import AtSyntaxError

_ICCID = re.compile(r"[0-9]{18,20}")


class SimStatus(StrEnum):
    """The SIM as +CPIN sees it. Source: 3GPP TS 27.007 section 8.3."""

    READY = "ready"
    LOCKED = "locked"
    ABSENT = "absent"
    BUSY = "busy"


# `<err>` of +CME ERROR that answers +CPIN?. Source: 3GPP TS 27.007 section 9.2.
CME_SIM = {
    10: SimStatus.ABSENT, 13: SimStatus.ABSENT, 15: SimStatus.ABSENT, 14: SimStatus.BUSY,
    5: SimStatus.LOCKED, 11: SimStatus.LOCKED, 12: SimStatus.LOCKED, 17: SimStatus.LOCKED, 18: SimStatus.LOCKED,
}  # fmt: skip


def read_cpin(line: str) -> SimStatus:
    """`+CPIN:` as reply or URC. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 8.3."""
    text = ",".join(read_fields(line, "+CPIN:"))
    if text == "READY":
        return SimStatus.READY
    if text == "NOT READY":
        return SimStatus.BUSY
    return SimStatus.ABSENT if text == "NOT INSERTED" else SimStatus.LOCKED


def read_iccid(line: str, prefix: str) -> str:
    """The card's number without its filler, from a family's own command or from `+CRSM`. Raises AtSyntaxError.

    Some firmware tells it as the card stores it, with each pair of digits swapped; all begin with 89.
    Source: ITU-T E.118; 3GPP TS 31.102 section 4.2.1, TS 27.007 section 8.18.
    """
    if line.startswith("+CRSM:"):
        text = read_text(read_fields(line, "+CRSM:"), 2) or ""
    else:
        text = line.removeprefix(prefix).strip().strip('"')
    if text.startswith("98") and len(text) % 2 == 0:
        text = "".join(text[place + 1] + text[place] for place in range(0, len(text), 2))
    digits = text.rstrip("Ff")
    if not _ICCID.fullmatch(digits):
        raise AtSyntaxError("not an ICCID")
    return digits


def read_cnum(line: str) -> str | None:
    """The own number, None when the card holds none. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 7.1."""
    number = read_text(read_fields(line, "+CNUM:"), 1)
    return number if number is not None and re.fullmatch(r"\+?[0-9]+", number) else None


def read_bare(line: str, prefix: str) -> str:
    """A text such as the model's name; some firmware puts the command's name and quotes around it."""
    return line.removeprefix(prefix).strip().strip('"')


def read_sim_present(line: str) -> bool | None:
    """`+QSIMSTAT: <enable>,<inserted>`; None while unknown. Raises AtSyntaxError. Source: EC2x AT manual, +QSIMSTAT."""
    inserted = read_number(read_fields(line, "+QSIMSTAT:"), 1)
    return {0: False, 1: True}.get(inserted)

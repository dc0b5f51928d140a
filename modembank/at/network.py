"""What a modem says about the network, as records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from modembank.at.command import SCAN_S, AtCommand, RetryClass
from modembank.at.fields import read_fields, read_number, read_optional, read_text
from modembank.errors import AtSyntaxError, RequestError

_SIGNAL_TOP = 31
_NUMERIC_FORMAT = 2
_PLMN = re.compile(r"[0-9]{5,6}", re.ASCII)
_UCS2 = re.compile(r"(?:00[0-9A-Fa-f]{2}){2,}")


class Registration(StrEnum):
    """`<stat>` of +CREG, in the order of its numbers. Source: 3GPP TS 27.007 section 7.2."""

    NOT_REGISTERED = "not_registered"
    HOME = "home"
    SEARCHING = "searching"
    DENIED = "denied"
    UNKNOWN = "unknown"
    ROAMING = "roaming"
    HOME_SMS_ONLY = "home_sms_only"
    ROAMING_SMS_ONLY = "roaming_sms_only"
    EMERGENCY_ONLY = "emergency_only"
    HOME_CSFB_NOT_PREFERRED = "home_csfb_not_preferred"
    ROAMING_CSFB_NOT_PREFERRED = "roaming_csfb_not_preferred"

    @property
    def carries_voice(self) -> bool:
        """Whether a call can be made; SMS-only registrations cannot."""
        return self in _VOICE


_VOICE = {
    Registration.HOME,
    Registration.ROAMING,
    Registration.HOME_CSFB_NOT_PREFERRED,
    Registration.ROAMING_CSFB_NOT_PREFERRED,
}
_ORDER = tuple(Registration)

# `<AcT>`. Source: 3GPP TS 27.007 section 7.3.
_ACCESS = (
    "GSM", "GSM", "UMTS", "EGPRS", "HSDPA", "HSUPA", "HSPA", "LTE", "EC-GSM-IoT", "NB-IoT", "LTE", "NR", "NR", "EN-DC",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RegistrationReport:
    """+CREG, +CGREG or +CEREG, asked for or not. `domain` is the name before the colon.

    `reject` is the network's cause for a refusal, which mode 3 tells.
    """

    domain: str
    registration: Registration
    access: str | None
    reject: int | None = None


# Why a network refuses a card. Source: 3GPP TS 24.008 table 10.5.95.
_REJECTS = {
    2: "IMSI unknown in the home register",
    3: "illegal card",
    5: "IMEI not accepted",
    6: "illegal modem",
    11: "network not allowed",
    12: "location area not allowed",
    13: "roaming not allowed in this location area",
    15: "no suitable cells in this location area",
    17: "network failure",
    22: "congestion",
    25: "not authorised for this closed group",
}

# The network's cause, and back to the mode that bring-up set. A modem that has no mode 3 stays in its own.
READ_REJECT = AtCommand("+CREG=3;+CREG?;+CREG=2", "+CREG:")
AUTOMATIC_OPERATOR = AtCommand("+COPS=0", timeout_s=SCAN_S, retry=RetryClass.ONCE)


def say_reject(cause: int) -> str:
    """A cause in words, with its number. Source: 3GPP TS 24.008 section 10.5.3.6."""
    return f"{_REJECTS.get(cause, 'other cause')} (cause {cause})"


def is_plmn(text: str) -> bool:
    """Whether a text is MCC and MNC, five or six digits. Source: 3GPP TS 23.003 section 2.2."""
    return _PLMN.fullmatch(text) is not None


def select_operator(plmn: str) -> AtCommand:
    """`+COPS=1,2,"<plmn>"`: this network or none, until another choice. Raises RequestError.

    Source: 3GPP TS 27.007 section 7.3.
    """
    if not is_plmn(plmn):
        raise RequestError("an operator is named by its PLMN, five or six digits")
    return AtCommand(f'+COPS=1,2,"{plmn}"', timeout_s=SCAN_S, retry=RetryClass.ONCE)


@dataclass(frozen=True, slots=True)
class Operator:
    """+COPS?; `name` in the format that was set, `plmn` when that was the numeric one."""

    name: str | None
    plmn: str | None
    access: str | None


def read_registration(line: str) -> RegistrationReport:
    """A registration line as reply (with a leading `<n>`) or as URC. Raises AtSyntaxError.

    Source: 3GPP TS 27.007 sections 7.2, 10.1.20, 10.1.22.
    """
    match = re.match(r"\+(C[GE]?REG):", line)
    if match is None:
        raise AtSyntaxError("not a registration line")
    fields = read_fields(line, match.group())
    reply = re.match(r"\+C[A-Z]*REG: ?\d+, ?\d+(,|$)", line) is not None
    start = 1 if reply else 0
    stat = read_number(fields, start)
    if not 0 <= stat < len(_ORDER):
        raise AtSyntaxError(f"{stat} is no registration state")
    # <cause_type> 0 says that <reject_cause> is one of TS 24.008.
    reject = read_optional(fields, start + 5) if read_optional(fields, start + 4) == 0 else None
    return RegistrationReport(match.group(1), _ORDER[stat], read_access(read_optional(fields, start + 3)), reject)


def read_access(number: int | None) -> str | None:
    """The access technology's name. Source: 3GPP TS 27.007 section 7.3."""
    return _ACCESS[number] if number is not None and 0 <= number < len(_ACCESS) else None


def read_cops(line: str) -> Operator:
    """One `+COPS?` line. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 7.3."""
    fields = read_fields(line, "+COPS:")
    name = read_text(fields, 2)
    if name is not None:
        name = _from_ucs2(name)
        # Firmware leaves garbage after the name: keep what can be shown.
        name = "".join(char for char in name if char.isprintable() and ord(char) < 0x80).strip(" @") or None
    numeric = read_optional(fields, 1) == _NUMERIC_FORMAT
    access = read_access(read_optional(fields, 3))
    return Operator(None if numeric else name, name if numeric else None, access)


def _from_ucs2(text: str) -> str:
    """The text behind hexadecimal UCS2, which stands here while +CSCS is "UCS2", else the text itself.

    Only Latin letters are taken for it: a PLMN is five or six digits, and no operator calls itself 0054.
    """
    if not _UCS2.fullmatch(text):
        return text
    return bytes.fromhex(text).decode("utf-16-be")


def read_csq(line: str) -> int | None:
    """Return the signal strength from one `+CSQ` line.

    Returns:
        dBm, -113 (or less) to -51 (or more) in steps of 2; None if unknown (99) or of another access technology.

    Raises:
        AtSyntaxError: not a `+CSQ` line.

    Source: 3GPP TS 27.007 section 8.5.
    """
    return rssi_dbm(read_number(read_fields(line, "+CSQ:"), 0))


def rssi_dbm(steps: int) -> int | None:
    """`<rssi>` in dBm. Source: 3GPP TS 27.007 section 8.5."""
    return -113 + 2 * steps if 0 <= steps <= _SIGNAL_TOP else None

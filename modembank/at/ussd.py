"""USSD on the AT port: the command, and its answer as raw as it came; `sms/ussd.py` has the texts. Pure.

Source: 3GPP TS 27.007 section 7.15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from modembank.at.command import SIM_S, AtCommand, RetryClass
from modembank.errors import AtSyntaxError

_LINE = re.compile(r"\+CUSD:\s*(?P<m>[0-9])\s*(?:,(?P<rest>.*))?", re.DOTALL)
_TAIL = re.compile(r"\s*(?:,\s*(?P<dcs>[0-9]{1,3})?)?\s*")
_STRING = re.compile(r"[ !#-~]{1,728}")  # printable ASCII without quotes; 182 characters as UCS2 in hexadecimal
_DCS = 15  # GSM 7 bit, language unspecified. Source: 3GPP TS 23.038 section 5


class UssdStatus(IntEnum):
    """`<m>` of +CUSD."""

    DONE = 0
    REPLY_WANTED = 1
    TERMINATED = 2
    OTHER_CLIENT = 3
    NOT_SUPPORTED = 4
    TIMEOUT = 5


@dataclass(frozen=True, slots=True)
class UssdReply:
    """What the network said. `raw` is what stood between the quotes, None without a string.

    `charset` is the value of +CSCS at that moment, None where the modem does not tell; with `dcs` and the family's
    form it decides how `raw` is read.
    """

    m: UssdStatus
    raw: str | None
    dcs: int | None
    charset: str | None


READ_CHARSET = AtCommand("+CSCS?", "+CSCS:")
CANCEL = AtCommand("+CUSD=2", timeout_s=SIM_S, retry=RetryClass.ONCE)


def ussd(string: str) -> AtCommand:
    """`+CUSD=1` with a code or with the answer to a menu, as the modem wants it written; never to be sent twice.

    Raises:
        AtSyntaxError: a string that would end between its quotes, an empty or an endless one.
    """
    if not _STRING.fullmatch(string):
        raise AtSyntaxError("a USSD string is printable ASCII without quotes, once it is written for the modem")
    return AtCommand(f'+CUSD=1,"{string}",{_DCS}', timeout_s=SIM_S, retry=RetryClass.NEVER)


def set_charset(name: str) -> AtCommand:
    """`+CSCS`. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 5.5."""
    if not re.fullmatch(r"[A-Za-z0-9-]{2,10}", name):
        raise AtSyntaxError("no name of a character set")
    return AtCommand(f'+CSCS="{name}"')


def read_charset(line: str) -> str | None:
    """The value of `+CSCS:`."""
    return line.removeprefix("+CSCS:").strip().strip('"') or None


def read_ussd(line: str, charset: str | None) -> UssdReply:
    """One `+CUSD` URC; the string reaches to the last quote, for networks write quotes. Raises AtSyntaxError."""
    found = _LINE.fullmatch(line)
    if found is None or int(found["m"]) not in list(UssdStatus):
        raise AtSyntaxError("not a +CUSD line")
    status, rest = UssdStatus(int(found["m"])), found["rest"] or ""
    first, last = rest.find('"'), rest.rfind('"')
    if first < 0:
        raw, comma, tail = rest.rpartition(",")
        raw, tail = (raw, comma + tail) if comma and _TAIL.fullmatch(comma + tail) else (rest, "")
        return UssdReply(status, raw.strip() or None, _read_dcs(tail), charset)
    if last == first:
        raise AtSyntaxError("a quote stays open in a +CUSD line")
    return UssdReply(status, rest[first + 1 : last], _read_dcs(rest[last + 1 :]), charset)


def _read_dcs(tail: str) -> int | None:
    found = _TAIL.fullmatch(tail)
    return int(found["dcs"]) if found is not None and found["dcs"] else None

"""USSD on the AT port: the command, and its answer as raw as it came. Pure.

Source: 3GPP TS 27.007 section 7.15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from modembank.at.command import SIM_S, AtCommand, RetryClass
from modembank.errors import AtSyntaxError

_LINE = re.compile(r"\+CUSD:\s*(?P<m>[0-9])\s*(?:,(?P<rest>.*))?", re.DOTALL)
_TAIL = re.compile(r"\s*(?:,\s*(?P<dcs>[0-9]{1,3})?)?\s*")
# The characters that stand at the same place in ASCII and in the GSM alphabet, without quotes and backslash.
# Source: 3GPP TS 23.038 section 6.2.1.
_TYPED = re.compile(r"[A-Za-z0-9 #%&'()*+,\-./:;<=>?!]{1,160}")
_DCS = 15  # GSM 7 bit, language unspecified. Source: 3GPP TS 23.038 section 5
_FILLER = 0x0D


class UssdStatus(IntEnum):
    """`<m>` of +CUSD."""

    DONE = 0
    REPLY_WANTED = 1
    TERMINATED = 2
    OTHER_CLIENT = 3
    NOT_SUPPORTED = 4
    TIMEOUT = 5


class UssdForm(StrEnum):
    """How a family wants a USSD string, and mostly how it answers."""

    PLAIN = "plain"  # the characters themselves
    UCS2 = "ucs2"  # hexadecimal UCS2, with +CSCS="UCS2"
    PACKED = "packed"  # hexadecimal of packed septets: Huawei


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


def ussd(text: str, form: UssdForm) -> AtCommand:
    """`+CUSD=1` with a code or with the answer to a menu; never to be sent twice.

    Raises:
        AtSyntaxError: more than 160 characters, or other ones than letters, digits and plain punctuation.
    """
    if not _TYPED.fullmatch(text):
        raise AtSyntaxError("a USSD string has 1 to 160 letters, digits and plain punctuation marks")
    return AtCommand(f'+CUSD=1,"{_encode(text, form)}",{_DCS}', timeout_s=SIM_S, retry=RetryClass.NEVER)


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


def _encode(text: str, form: UssdForm) -> str:
    if form is UssdForm.PLAIN:
        return text
    octets = text.encode("utf-16-be") if form is UssdForm.UCS2 else _pack(text.encode("ascii"))
    return octets.hex().upper()


def _pack(septets: bytes) -> bytes:
    """Seven bits each; seven bits that stay free are CR, or they would read as `@`.

    Source: 3GPP TS 23.038 section 6.1.2.3.1.
    """
    if len(septets) % 8 == 7:
        septets += bytes((_FILLER,))
    bits = sum(septet << (7 * place) for place, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")

"""Keep numbers, IMSI, ICCID and PIN out of what people read: traces and logs."""

from __future__ import annotations

import re

_KEEP = 3  # enough to tell two of one's own cards apart
_LONG_DIGITS = re.compile(r"(\+?)([0-9A-Fa-f]*[0-9]{6,}[0-9A-Fa-f]*)")
_SECRET = re.compile(r"^(?P<command>AT[+^]CPIN=|AT\+CLCK=|AT\+CPWD=|AT\+CPIN2=)(?P<secret>[^?].*)$", re.IGNORECASE)
_DIALLED = re.compile(r"^(?P<command>AT(?:.*;)?D)(?P<number>[^;]*)(?P<rest>;?)$", re.IGNORECASE)
_TEXT = re.compile(r"^(?P<name>\+CUSD:|AT\+CUSD=)(?P<secret>.*)$", re.DOTALL)
_PDU = re.compile(
    r"^(?P<head>.*\n)?(?P<secret>(?:[0-9A-Fa-f]{2}){11,})$", re.DOTALL
)  # a message, with its head or alone


def mask(line: str) -> str:
    """Return `line` fit for a trace: PINs, USSD texts, messages and dialled numbers gone, longer digit strings cut to
    their end."""
    for secret in (_SECRET, _TEXT, _PDU):
        match = secret.match(line)
        if match is not None:
            return line[: match.start("secret")] + "***"
    dialled = _DIALLED.match(line)
    if dialled is not None:
        return dialled["command"] + mask_number(dialled["number"]) + dialled["rest"]
    return _LONG_DIGITS.sub(lambda match: match[1] + mask_number(match[2]), line)


def mask_command(text: str) -> str:
    """A command without its `AT`, fit for an error or a trace."""
    return mask(f"AT{text}").removeprefix("AT")


def mask_number(number: str) -> str:
    """Keep the last three digits of a number: `+447700900123` becomes `***123`."""
    return "***" + number[-_KEEP:] if len(number) > _KEEP else "***"

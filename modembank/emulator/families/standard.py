"""A modem that knows nothing but the standards, on one cdc-acm port without sound. Source: 3GPP TS 27.007, 27.005."""

from __future__ import annotations

from modembank.emulator.commands import COMMON
from modembank.emulator.commands.handler import Handler
from modembank.emulator.family import UTRAN, Family, UsbIdentity
from modembank.emulator.ussd import Encoding

STANDARD: dict[str, Handler] = {
    name: handler
    for name, handler in COMMON.items()
    if not name.startswith(("+Q", "^")) and name not in ("+ICCID", "+CCID", "+CIREG")
}
"""The commands that no maker made up."""

GENERIC = Family(
    "generic",
    UsbIdentity("1d6b", "0104", "Linux Foundation", "Modem"),
    {0: "at"},
    "Generic",
    "3GPP Modem",
    "1.0",
    {**STANDARD, "+CCID": COMMON["+CCID"]},
    tty="ttyACM",
    stores=("SM", "ME"),
    store="SM",
    first_slot=1,
    ussd=Encoding.UCS2_CHARSET,
    act=UTRAN,
)

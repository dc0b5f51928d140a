"""Who an emulated modem and its SIM are: IMEI, ICCID, IMSI and number, all from the seed."""

from __future__ import annotations

from dataclasses import dataclass, field

from modembank.emulator.message_store import MessageStore
from modembank.emulator.pin import PinLock

PLMN = "00101"
OPERATOR_LONG = "modembank 001"
OPERATOR_SHORT = "modembank"
FIRST_NUMBER = 447700900000
"""Number of SIM 0. Source: Ofcom, numbers for drama use, +44 7700 900000 to 900999."""

MAX_MODEMS = 500
TYPE_ALLOCATION_CODE = "86690903"


@dataclass(slots=True)
class Sim:
    """One card: `iccid` 19 digits, `imsi` 15 digits, `number` in E.164; what it stores goes where it goes."""

    iccid: str
    imsi: str
    number: str
    messages: MessageStore = field(default_factory=MessageStore, compare=False)
    lock: PinLock = field(default_factory=PinLock, compare=False)
    forwarding: dict[int, str] = field(default_factory=dict, compare=False)
    """Where the network sends voice calls, by reason of +CCFC; kept and told, not acted upon."""
    service_centre: str = "+447700900999"
    reference: int = -1
    """TP-MR of the last message sent. Source: 3GPP TS 31.102 clause 4.2.9, EF_SMSS."""

    def set_forwarding(self, reason: int, number: str) -> None:
        """Forward, or with an empty number do not."""
        if number:
            self.forwarding[reason] = number
        else:
            self.forwarding.pop(reason, None)

    def next_reference(self) -> int:
        """Return the TP-MR of the next message."""
        self.reference = (self.reference + 1) % 256
        return self.reference


def luhn_digit(digits: str) -> str:
    """Return the check digit of `digits`. Source: ISO/IEC 7812-1 annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def make_imei(seed: int, index: int) -> str:
    """Return the IMEI of modem `index`: 15 digits. Source: 3GPP TS 23.003 clause 6.2.1."""
    body = f"{TYPE_ALLOCATION_CODE}{(seed * 1009 + index) % 1_000_000:06d}"
    return body + luhn_digit(body)


def make_sim(seed: int, index: int) -> Sim:
    """Return SIM `index`. Source: ITU-T E.118 (ICCID), 3GPP TS 23.003 clause 2.2 (IMSI)."""
    body = f"894401{seed % 100_000:05d}{index:07d}"
    return Sim(
        iccid=body + luhn_digit(body),
        imsi=f"{PLMN}{seed % 100_000:05d}{index:05d}",
        number=f"+{FIRST_NUMBER + index}",
    )


def international(dialled: str) -> str | None:
    """Return the E.164 form of what a subscriber in the emulated country dialled; None if it is no number."""
    digits = dialled.removeprefix("+").removeprefix("00")
    if not digits.isdigit():
        return None
    if dialled.startswith(("+", "00")):
        return f"+{digits}"
    return f"+44{digits[1:]}" if digits.startswith("0") else None


def number_type(number: str) -> int:
    """Return the type of address of a number. Source: 3GPP TS 24.008 clause 10.5.4.7."""
    if not number:
        return 128
    return 145 if number.startswith("+") else 129


def swapped_bcd(digits: str) -> str:
    """Return digits as the hex octets of EF_ICCID. Source: ETSI TS 102 221 clause 13.2."""
    padded = digits + "F" * (20 - len(digits))
    return "".join(padded[place + 1] + padded[place] for place in range(0, len(padded), 2))

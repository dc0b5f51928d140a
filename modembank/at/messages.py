"""Short messages on the AT port, in PDU mode only: a text could look like a result code. Pure.

Source: 3GPP TS 27.005 sections 3 and 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from modembank.at.command import SIM_S, STORE_S, SUBMIT_S, AtCommand, RetryClass
from modembank.at.fields import read_fields, read_number, read_optional, read_text
from modembank.errors import AtSyntaxError

_STORE = re.compile(r"[A-Z]{2}")
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_MOST_TPDU = 176  # octets of a SUBMIT: 12 of address, 9 of header and validity, 140 of data, some air
_FULL = ("^SMMEMFULL:", '+QIND: "smsfull"', "+SMS FULL")

PDU_MODE = AtCommand("+CMGF=0")
LIST_ALL = AtCommand("+CMGL=4", "+CMGL:", timeout_s=STORE_S)
# Stored first and told then: a message that is only told is lost with the program. Delivery reports likewise where
# the modem can, else told directly; the rest in the order of 27.005's `<mode>`.
NEWS_SETTINGS = ("+CNMI=2,1,0,2,0", "+CNMI=2,1,0,1,0", "+CNMI=2,1,0,0,0", "+CNMI=1,1,0,0,0")


class MessageStatus(StrEnum):
    """`<stat>` of a stored message, in the order of its numbers. Source: 3GPP TS 27.005 section 3.1."""

    UNREAD = "received_unread"
    READ = "received_read"
    UNSENT = "stored_unsent"
    SENT = "stored_sent"


_ORDER = tuple(MessageStatus)


@dataclass(frozen=True, slots=True)
class StoredAt:
    """Where a message lies. `store` is such as `SM` (the card) or `ME` (the modem)."""

    store: str
    index: int


@dataclass(frozen=True, slots=True)
class StoredPdu:
    """A stored message; `pdu` is hexadecimal, the service centre's address first."""

    store: str
    index: int
    status: MessageStatus
    pdu: str


@dataclass(frozen=True, slots=True)
class StoreUse:
    """How full a store is."""

    store: str
    used: int
    total: int

    @property
    def full(self) -> bool:
        """Whether nothing more can come in."""
        return self.total > 0 and self.used >= self.total


def submit(pdu: str, length: int) -> AtCommand:
    """`+CMGS=<length>` with its PDU; never to be sent twice.

    Args:
        pdu: hexadecimal; with the service centre's address in front, or without, which means the card's own.
        length: the octets of the TPDU, without that address.

    Raises:
        AtSyntaxError: no hexadecimal, or of another length.

    Source: 3GPP TS 27.005 section 4.3.
    """
    text = pdu.upper()
    if not 1 <= length <= _MOST_TPDU or not _HEX.fullmatch(text):
        raise AtSyntaxError("a PDU is hexadecimal, and its TPDU has 1 to 176 octets")
    octets = len(text) // 2
    if octets == length:
        text = "00" + text
    elif octets != length + 1 + int(text[:2], 16):
        raise AtSyntaxError(f"the PDU does not hold a TPDU of {length} octets")
    return AtCommand(f"+CMGS={length}", "+CMGS:", timeout_s=SUBMIT_S, retry=RetryClass.NEVER, payload=text)


def read_reference(line: str) -> int:
    """`<mr>` of `+CMGS:`. Raises AtSyntaxError. Source: 3GPP TS 27.005 section 4.3."""
    reference = read_number(read_fields(line, "+CMGS:"), 0)
    if not 0 <= reference <= 255:
        raise AtSyntaxError(f"{reference} is no message reference")
    return reference


def select(store: str) -> AtCommand:
    """Read and delete in this store from now on. Raises AtSyntaxError. Source: 3GPP TS 27.005 section 3.2.2."""
    return AtCommand(f'+CPMS="{_checked(store)}"', "+CPMS:", timeout_s=SIM_S)


def prefer(store: str) -> AtCommand:
    """Keep everything in this store. Raises AtSyntaxError. Source: 3GPP TS 27.005 section 3.2.2."""
    name = f'"{_checked(store)}"'
    return AtCommand(f"+CPMS={name},{name},{name}", "+CPMS:", timeout_s=SIM_S)


def delete(index: int) -> AtCommand:
    """Delete one message of the selected store. Source: 3GPP TS 27.005 section 3.5.4."""
    return AtCommand(f"+CMGD={index}", timeout_s=STORE_S, retry=RetryClass.ONCE)


def read_use(line: str, store: str) -> StoreUse:
    """The first pair of `+CPMS:`. Raises AtSyntaxError. Source: 3GPP TS 27.005 section 3.2.2."""
    fields = read_fields(line, "+CPMS:")
    return StoreUse(store, read_number(fields, 0), read_number(fields, 1))


def read_listed(line: str, store: str) -> StoredPdu:
    """One `+CMGL: <index>,<stat>,[<alpha>],<length>` with its PDU. Raises AtSyntaxError.

    Source: 3GPP TS 27.005 section 4.1.
    """
    head, _, pdu = line.partition("\n")
    fields = read_fields(head, "+CMGL:")
    status = read_number(fields, 1)
    if not pdu or not 0 <= status < len(_ORDER):
        raise AtSyntaxError("a +CMGL line without a PDU or of an unknown status")
    return StoredPdu(store, read_number(fields, 0), _ORDER[status], pdu.upper())


def read_news(line: str) -> StoredAt | None:
    """`+CMTI:` and `+CDSI:`; None where the place makes no sense, which some firmware does. Raises AtSyntaxError.

    Source: 3GPP TS 27.005 section 3.4.1.
    """
    fields = read_fields(line, line[:6])
    store, index = read_text(fields, 0), read_optional(fields, 1)
    if store is None or not _STORE.fullmatch(store) or index is None or index < 0:
        return None
    return StoredAt(store, index)


def read_direct(line: str) -> str:
    """The PDU of `+CMT:` or `+CDS:`. Raises AtSyntaxError. Source: 3GPP TS 27.005 section 3.4.1."""
    _, _, pdu = line.partition("\n")
    if not pdu:
        raise AtSyntaxError("a message came without its PDU")
    return pdu.upper()


def says_full(line: str) -> bool:
    """Whether the modem says that a store is full: no message can come in before one is deleted."""
    return line.startswith(_FULL)


def _checked(store: str) -> str:
    if not _STORE.fullmatch(store):
        raise AtSyntaxError("a message store is named by two capital letters")
    return store

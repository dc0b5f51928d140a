"""Numbered slots for messages, as a SIM or a module has them. Source: 3GPP TS 27.005 clause 2.2.2."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class MessageState(IntEnum):
    """`<stat>` in PDU mode. Source: 3GPP TS 27.005 clause 3.1."""

    UNREAD = 0
    READ = 1
    UNSENT = 2
    SENT = 3


@dataclass(slots=True)
class StoredMessage:
    """One message; `pdu` with the service centre's address, `tpdu_octets` without it."""

    pdu: bytes
    tpdu_octets: int
    state: MessageState

    def shown(self) -> str:
        """Return `<stat>,[<alpha>],<length>` and the PDU in the line below."""
        return f"{int(self.state)},,{self.tpdu_octets}\r\n{self.pdu.hex().upper()}"


class MessageStore:
    """Messages by slot, counted from 0."""

    def __init__(self) -> None:
        self.messages: dict[int, StoredMessage] = {}

    def add(self, message: StoredMessage, capacity: int) -> int | None:
        """Put a message into the lowest free slot and return the slot; None if all are taken."""
        free = (slot for slot in range(capacity) if slot not in self.messages)
        slot = next(free, None)
        if slot is not None:
            self.messages[slot] = message
        return slot

    def delete(self, states: frozenset[MessageState]) -> None:
        """Delete all messages in some states."""
        self.messages = {slot: kept for slot, kept in self.messages.items() if kept.state not in states}

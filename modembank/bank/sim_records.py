"""What the records of SIMs are made of, for the care of cards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PinTrust(StrEnum):
    """What the bank makes of the PIN it keeps for a card; the PIN itself is never shown."""

    NONE = "none"
    STORED = "stored"  # tried once when the card is locked
    TRYING = "trying"
    HELD = "held"  # not tried again before the card was open or taken out, or a person sets a PIN
    BAD = "bad"  # the card refused it: never tried again


class NumberSource(StrEnum):
    """Who told a SIM's own number, the most trusted first."""

    PERSON = "person"
    CARD = "card"
    USSD = "ussd"  # the operator's answer to the code of `sims.number_rules`
    CALL = "call"  # the caller id of a call between two of our own SIMs


@dataclass(frozen=True, slots=True, kw_only=True)
class SimLock:
    """What a card asks for: `pin`, `puk`, or `other` for a lock of the modem. Tries are None when not told."""

    kind: str
    pin_left: int | None
    puk_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPin:
    """The state of a card's stored PIN, and a sentence about it."""

    state: PinTrust
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimForward:
    """Voice calls of a SIM that the network sends elsewhere."""

    reason: str
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPatch:
    """Whether a SIM may roam (None: as its tag or the bank says), and its operators; None leaves a list alone."""

    set_roaming: bool
    roaming: bool | None = None
    allowed: tuple[str, ...] | None = None
    forbidden: tuple[str, ...] | None = None

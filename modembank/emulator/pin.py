"""The PIN and PUK of a card with their counters. Source: 3GPP TS 31.101 clause 9.5, 3GPP TS 27.007 clause 8.3."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PIN_TRIES, PUK_TRIES = 3, 10
DEFAULT_PIN, DEFAULT_PUK = "1234", "12345678"


class Lock(StrEnum):
    """What a card wants before it serves, as +CPIN tells it."""

    READY = "READY"
    PIN = "SIM PIN"
    PUK = "SIM PUK"
    BLOCKED = "BLOCKED"


def is_pin(text: str) -> bool:
    """Return whether a text can be a PIN."""
    return text.isascii() and text.isdigit() and 4 <= len(text) <= 8


@dataclass(slots=True)
class PinLock:
    """The lock of one card; `enabled` asks for the PIN after every power-on."""

    pin: str = DEFAULT_PIN
    puk: str = DEFAULT_PUK
    enabled: bool = False
    pin_tries: int = PIN_TRIES
    puk_tries: int = PUK_TRIES
    verified: bool = False

    def state(self) -> Lock:
        """Return what is wanted now."""
        if self.puk_tries == 0:
            return Lock.BLOCKED
        if self.pin_tries == 0:
            return Lock.PUK
        return Lock.PIN if self.enabled and not self.verified else Lock.READY

    def power_off(self) -> None:
        """Forget that the PIN was given."""
        self.verified = False

    def verify(self, pin: str) -> bool:
        """Take a PIN; a wrong one costs a try."""
        if self.pin_tries == 0 or self.puk_tries == 0:
            return False
        if pin != self.pin:
            self.pin_tries -= 1
            return False
        self.pin_tries = PIN_TRIES
        self.verified = True
        return True

    def unblock(self, puk: str, pin: str) -> bool:
        """Take a PUK and a new PIN; a wrong PUK costs a try."""
        if self.puk_tries == 0:
            return False
        if puk != self.puk:
            self.puk_tries -= 1
            return False
        self.pin, self.pin_tries, self.puk_tries = pin, PIN_TRIES, PUK_TRIES
        self.verified = True
        return True

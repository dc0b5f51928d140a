"""The modem's own list of numbers that failed: after too many failed tries it refuses to dial one of them.

Source: GSM 02.07 annex A, now 3GPP TS 22.001. How a refusal is told differs: Bluetooth HFP section 4.34.2 has the
code BLACKLISTED; Cinterion's BGS2 says NO CARRIER and +CEER: 9,14.
"""

from __future__ import annotations

from collections import Counter

from modembank.emulator.reply import RefusedError
from modembank.emulator.settings import Faults

REPORT = "+CEER: 9,14,0"


class RedialList:
    """Failed tries by number, since the last success or start of the modem."""

    def __init__(self) -> None:
        self.refused = False
        """The last dial was refused: `+CEER` says so."""
        self._failed: Counter[str] = Counter()

    def admit(self, number: str, faults: Faults) -> None:
        """Raise RefusedError for a number that failed too often."""
        self.refused = 0 < faults.blacklist_after <= self._failed[number]
        if self.refused:
            raise RefusedError(final="BLACKLISTED" if faults.blacklist_how == "code" else "NO CARRIER")

    def ended(self, number: str, *, answered: bool) -> None:
        """The network ended a call that we dialled."""
        if answered:
            del self._failed[number]
        else:
            self._failed[number] += 1

    def clear(self) -> None:
        """The modem was switched off."""
        self._failed.clear()
        self.refused = False

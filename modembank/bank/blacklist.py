"""Numbers that modems refuse by themselves after failed tries: which SIM leaves which of them alone, and how long.

A further try would be refused as well, and may make the modem's own wait longer. In memory: after a restart one call
to such a number fails, and is remembered again. Source: GSM 02.07 annex A, now 3GPP TS 22.001.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

# One entry for each SIM and number; a full rack that is refused twenty numbers on every SIM fits.
ENTRIES_LIMIT = 10_000
_DOUBLINGS = 30  # more would only make large numbers: the longest wait ends it long before


@dataclass(frozen=True, slots=True)
class _Refused:
    times: int
    until_s: float


class Blacklist:
    """Waits for each SIM and number: `first_s`, then twice as long with each refusal, `most_s` at most."""

    def __init__(
        self,
        first_s: float,
        most_s: float,
        *,
        limit: int = ENTRIES_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._limit = limit
        self._clock = clock
        self._refused: dict[tuple[str, str], _Refused] = {}

    def __len__(self) -> int:
        """How many pairs of SIM and number are remembered."""
        return len(self._refused)

    def refused(self, sim_id: str, number: str) -> None:
        """The modem with this SIM refused this E.164 number; when there are too many, the oldest is forgotten."""
        before = self._refused.pop((sim_id, number), None)
        times = 1 if before is None else min(before.times + 1, _DOUBLINGS)
        wait_s = min(self._first_s * 2 ** (times - 1), self._most_s)
        if len(self._refused) >= self._limit:
            del self._refused[next(iter(self._refused))]
        self._refused[sim_id, number] = _Refused(times, self._clock() + wait_s)

    def answered(self, sim_id: str, number: str) -> None:
        """A call from this SIM to this number was answered: nothing is held against it any more."""
        self._refused.pop((sim_id, number), None)

    def blocks(self, sim_id: str, number: str) -> bool:
        """Whether this SIM should leave this number alone now. Long after its wait a refusal is forgotten."""
        refused = self._refused.get((sim_id, number))
        if refused is None:
            return False
        now_s = self._clock()
        if now_s >= refused.until_s + self._most_s:
            del self._refused[sim_id, number]
        return now_s < refused.until_s

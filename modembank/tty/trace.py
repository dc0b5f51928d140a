"""The last lines of a port's conversation, for people who look for a fault."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from modembank.at.mask import mask
from modembank.at.redact import Redactor

TRACE_LINES = 1000  # a call with its polls leaves some tens of lines


class Way(StrEnum):
    """Which way a line went, and what was done about it."""

    TO_MODEM = ">"
    FROM_MODEM = "<"
    NOTE = "!"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line, masked; `at` in UTC to the microsecond."""

    at: datetime
    way: Way
    text: str


class Trace:
    """A ring of the last TRACE_LINES lines. Kept unmasked in memory, masked whenever it is read."""

    def __init__(self, lines: int = TRACE_LINES) -> None:
        self._lines: deque[tuple[datetime, Way, str]] = deque(maxlen=lines)

    def add(self, way: Way, text: str) -> None:
        """Keep a line; the oldest one goes."""
        self._lines.append((datetime.now(UTC), way, text))

    def read(self, limit: int = TRACE_LINES) -> tuple[TraceLine, ...]:
        """The last `limit` lines, oldest first, masked."""
        return tuple(TraceLine(at, way, mask(text)) for at, way, text in self._last(limit))

    def redacted(self, limit: int = TRACE_LINES) -> tuple[TraceLine, ...]:
        """The last `limit` lines that went over the wire, oldest first, fit to be given away and to be replayed."""
        redactor = Redactor()
        wire = [line for line in self._last(limit) if line[1] is not Way.NOTE]
        return tuple(TraceLine(at, way, redactor.line(text)) for at, way, text in wire)

    def _last(self, limit: int) -> list[tuple[datetime, Way, str]]:
        return list(self._lines)[-limit:] if limit > 0 else []

"""Lines that belong together: a message's head with its PDU, a USSD text of several lines. Pure.

Source: 3GPP TS 27.005 sections 3.4.1 to 3.4.3 (`<CR><LF><pdu>`); TS 27.007 section 7.15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from modembank.at import urcs

_HEADS = ("+CMT:", "+CDS:", "+CBM:", "+CMGR:", "+CMGL:")
# Longer than an ICCID in digits, which must never be taken for the PDU of a head that lost its own; the shortest
# SUBMIT has as many.
_PDU = re.compile(r"(?:[0-9A-Fa-f]{2}){11,}")
_USSD = re.compile(r'\+CUSD:[^"]*"(?P<text>.*)', re.DOTALL)
_CLOSED = re.compile(r'.*"\s*(?:,\s*[0-9]*\s*)?', re.DOTALL)
# 182 characters are the most a network sends; a quote that was lost on the way must not swallow the rest of the day.
_MOST_TEXT = 1000
_NEWS = tuple(prefix for prefix in urcs.ALL if prefix[0] in "+^*")


@dataclass(slots=True)
class Joiner:
    """Joins with LF. What is never completed comes out as it came in."""

    _head: str | None = None
    _text: list[str] = field(default_factory=list)

    def add(self, line: str) -> list[str]:
        """Return the lines that are whole now."""
        if self._text:
            return self._add_text(line)
        if not line:
            return []
        return self._begin(line) if self._head is None else self._add_pdu(self._head, line)

    def forget_text(self) -> None:
        """A deadline has passed: a text whose end was lost must not swallow what comes next."""
        self._text = []

    def _begin(self, line: str) -> list[str]:
        if line.startswith(_HEADS):
            self._head = line
            return []
        if _stays_open(line):
            self._text = [line]
            return []
        return [line]

    def _add_pdu(self, head: str, line: str) -> list[str]:
        if _PDU.fullmatch(line):
            self._head = None
            return [f"{head}\n{line}"]
        if line.startswith(urcs.ALL) and not line.startswith(_HEADS):
            return [line]  # it came between head and PDU
        self._head = None
        return [head, *self._begin(line)]

    def _add_text(self, line: str) -> list[str]:
        if line.startswith(_NEWS) or line == "RING":  # no network writes that: the closing quote was lost
            cut, self._text = "\n".join(self._text), []
            return [cut, *self._begin(line)]
        self._text.append(line)
        whole = "\n".join(self._text)
        if _stays_open(whole) and len(whole) <= _MOST_TEXT:
            return []
        self._text = []
        return [whole]


def _stays_open(text: str) -> bool:
    """Whether a `+CUSD` string has begun and not ended; quotes within it are the network's own."""
    found = _USSD.match(text)
    return found is not None and _CLOSED.fullmatch(found["text"]) is None

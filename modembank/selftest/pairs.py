"""Which line calls which. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from modembank.selftest.result import Line

Pair = tuple[Line, Line]


def ring(lines: Sequence[Line]) -> tuple[Pair, ...]:
    """Return calls in which each line calls once and is called once; every line meets two others where it can.

    With two lines or fewer there is nothing to walk round: two lines call each other.
    """
    if len(lines) < 2:
        return ()
    return tuple((line, lines[(place + 1) % len(lines)]) for place, line in enumerate(lines))


def every_pair(lines: Sequence[Line]) -> tuple[Pair, ...]:
    """Return one call for each two lines; who calls changes from one to the next."""
    return tuple(
        (one, other) if number % 2 == 0 else (other, one) for number, (one, other) in enumerate(combinations(lines, 2))
    )

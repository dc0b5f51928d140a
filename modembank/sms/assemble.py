"""Which message a part belongs to, and parts joined again. The caller keeps the parts, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from modembank.sms.deliver import Deliver
from modembank.sms.user_data import join_text

TIME_TO_LIVE = timedelta(hours=24)  # service centres repeat a lost part for hours; then a reference is used again
GAP = "[…]"


@dataclass(frozen=True, slots=True)
class Gathering:
    """A long message as far as it came: `parts` by their number, from 1. `name` is the caller's."""

    name: str
    total: int
    parts: Mapping[int, Deliver]

    @property
    def complete(self) -> bool:
        """Whether no part is missing."""
        return len(self.parts) == self.total


@dataclass(frozen=True, slots=True)
class Joined:
    """`text` shows GAP for each run of `missing` part numbers; None for 8-bit data."""

    text: str | None
    missing: tuple[int, ...]


def key_of(deliver: Deliver) -> str | None:
    """What the parts of one message share; None for a single SMS. Source: 3GPP TS 23.040 section 9.2.3.24.1."""
    concat = deliver.data.header.concat
    if concat is None:
        return None
    return f"{concat.width}/{concat.reference}/{concat.total}/{deliver.sender.text}"


def is_repeated(known: Iterable[Gathering], part: Deliver) -> bool:
    """Whether messages of the same key hold this part. In a whole one it needs the same time stamp, too: some
    senders never change the reference."""
    return any(_holds(gathering, part) for gathering in known)


def home_of(known: Sequence[Gathering], part: Deliver) -> Gathering | None:
    """The message of the same key that lacks this part; None when it begins a new one, as a reused reference does.

    Of several the one whose parts the network took closest to it.
    """
    sequence = _sequence(part)
    lacking = [gathering for gathering in known if sequence not in gathering.parts]
    return min(lacking, key=lambda gathering: _distance_s(gathering, part), default=None)


def join(total: int, parts: Mapping[int, Deliver]) -> Joined:
    """The text of parts by their number. Escape and surrogate pairs that a phone split between parts are whole."""
    missing = tuple(place for place in range(1, total + 1) if place not in parts)
    if join_text([part.data for part in parts.values()]) is None:
        return Joined(None, missing)
    text = ""
    for here, places in groupby(range(1, total + 1), key=parts.__contains__):
        text += (join_text([parts[place].data for place in places]) or "") if here else GAP
    return Joined(text, missing)


def _sequence(part: Deliver) -> int:
    concat = part.data.header.concat
    return 1 if concat is None else concat.sequence


def _holds(gathering: Gathering, part: Deliver) -> bool:
    same = gathering.parts.get(_sequence(part))
    if same is None or same.data != part.data:
        return False
    return not gathering.complete or same.sent == part.sent


def _distance_s(gathering: Gathering, part: Deliver) -> float:
    at = part.sent.at
    stamps = [other.sent.at for other in gathering.parts.values()]
    return min((abs((at - other).total_seconds()) for other in stamps if at and other), default=float("inf"))

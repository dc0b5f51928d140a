"""Parts of long SMS, joined again."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from modembank.sms.deliver import Deliver
from modembank.sms.udh import Concat
from modembank.sms.user_data import join_text

TIME_TO_LIVE_S = 24 * 3600.0  # service centres repeat a lost part for hours
MOST_MESSAGES = 1000  # unfinished ones; the oldest is given out when a flood exceeds this
GAP = "[…]"


@dataclass(frozen=True, slots=True)
class Joined:
    """A message: whole, or with `missing` part numbers when its time ran out.

    `part_ids` are the caller's names of the parts, in the parts' order. `text` shows GAP for each missing run, and is
    None for 8-bit data.
    """

    sender: str
    text: str | None
    part_ids: tuple[str, ...]
    missing: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no part is missing."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class _Key:
    sender: str
    reference: int
    total: int
    width: int


@dataclass(slots=True)
class _Message:
    key: _Key
    since_s: float
    parts: dict[int, Deliver] = field(default_factory=dict)
    part_ids: dict[int, str] = field(default_factory=dict)
    given: bool = False  # already told as a whole; kept to know late duplicates


@dataclass(slots=True)
class Assembler:
    """Collects the parts of one SIM's messages, in any order, each any number of times.

    The clock is the caller's: every `now_s` counts seconds on one clock that never goes back.
    """

    time_to_live_s: float = TIME_TO_LIVE_S
    most_messages: int = MOST_MESSAGES
    _messages: list[_Message] = field(default_factory=list)

    def add(self, deliver: Deliver, part_id: str, now_s: float) -> tuple[Joined, ...]:
        """Take one part; what is whole now. A single SMS is whole at once, a duplicate adds nothing."""
        concat = deliver.data.header.concat
        if concat is None:
            return (Joined(deliver.sender.text, deliver.data.text, (part_id,)),)
        key = _Key(deliver.sender.text, concat.reference, concat.total, concat.width)
        known = [message for message in self._messages if message.key == key]
        if any(_is_duplicate(message, concat, deliver) for message in known):
            return ()
        open_ones = [message for message in known if concat.sequence not in message.parts]
        if open_ones:
            message = min(open_ones, key=lambda one: _distance_s(one, deliver))
        else:  # a first part, or a reference that the sender uses again
            message = _Message(key, now_s)
            self._messages.append(message)
        message.parts[concat.sequence] = deliver
        message.part_ids[concat.sequence] = part_id
        return self._finished(message) + self._overflow()

    def expire(self, now_s: float) -> tuple[Joined, ...]:
        """Give up what is older than the time to live; the unfinished of it, as far as it came."""
        oldest_s = now_s - self.time_to_live_s
        old = [message for message in self._messages if message.since_s <= oldest_s]
        self._messages = [message for message in self._messages if message.since_s > oldest_s]
        return tuple(_join(message) for message in old if not message.given)

    def _finished(self, message: _Message) -> tuple[Joined, ...]:
        if len(message.parts) < message.key.total:
            return ()
        message.given = True
        return (_join(message),)

    def _overflow(self) -> tuple[Joined, ...]:
        if len(self._messages) <= self.most_messages:
            return ()
        oldest = self._messages.pop(0)
        return () if oldest.given else (_join(oldest),)


def _is_duplicate(message: _Message, concat: Concat, deliver: Deliver) -> bool:
    """A repeated part. After the whole, it needs the same time stamp: some senders never change the reference."""
    same = message.parts.get(concat.sequence)
    if same is None or same.data != deliver.data:
        return False
    return not message.given or same.sent == deliver.sent


def _distance_s(message: _Message, deliver: Deliver) -> float:
    """How far apart the network took them: with a reused reference, parts of one message are the closest."""
    at = deliver.sent.at
    stamps = [part.sent.at for part in message.parts.values()]
    return min((abs((at - other).total_seconds()) for other in stamps if at and other), default=float("inf"))


def _join(message: _Message) -> Joined:
    places = range(1, message.key.total + 1)
    here = [place for place in places if place in message.parts]
    missing = tuple(place for place in places if place not in message.parts)
    ids = tuple(message.part_ids[place] for place in here)
    return Joined(message.key.sender, _text_with_gaps(message), ids, missing)


def _text_with_gaps(message: _Message) -> str | None:
    if join_text([part.data for part in message.parts.values()]) is None:
        return None
    text = ""
    for here, places in groupby(range(1, message.key.total + 1), key=message.parts.__contains__):
        text += (join_text([message.parts[place].data for place in places]) or "") if here else GAP
    return text

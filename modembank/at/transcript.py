"""Transcripts: conversations with a modem as small text files, to be read by people and replayed by tests; pure.

    family: huawei-stick
    source: spec
    tells: chan_dongle at_response.c

    = call out
    > ATD+447700900123;
    < OK
    ~ 0.2
    < ^ORIG:1,0

`name: value` lines tell of the whole, up to the first empty line. Then `>` is a line to the modem, `<` one from it, `|`
continues the line before it, `~` is a pause in seconds, `=` begins a part, `#` is a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from modembank.errors import AtSyntaxError

SHORTEST_PAUSE_S = 0.05  # what is quicker follows at once
_FACT = re.compile(r"([a-z][a-z-]*): (\S.*)")


class Source(StrEnum):
    """What a transcript is worth as a proof."""

    DEVICE = "device"  # recorded from a real modem, by somebody who says which
    FIELD = "field"  # put together from what users of real modems published
    SPEC = "spec"  # put together from manuals and the sources of drivers
    EMULATOR = "emulator"  # recorded from our own emulator: the driver and it agree, no more


class Mark(StrEnum):
    """What an entry is."""

    OUT = ">"
    IN = "<"
    PAUSE = "~"
    PART = "="


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; of a pause `text` is its seconds. `text` may have several lines."""

    mark: Mark
    text: str

    @property
    def pause_s(self) -> float:
        """How long a pause is."""
        return float(self.text)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation. `facts` has at least `family` and `source`."""

    facts: Mapping[str, str]
    entries: tuple[Entry, ...]

    @property
    def family(self) -> str:
        """The name of the dialect."""
        return self.facts["family"]

    @property
    def source(self) -> Source:
        """Where it comes from."""
        return Source(self.facts["source"])

    def parts(self) -> dict[str, tuple[Entry, ...]]:
        """The entries of each part, by its name; those before the first are of the part ``."""
        parts: dict[str, list[Entry]] = {}
        entries = parts.setdefault("", [])
        for entry in self.entries:
            if entry.mark is Mark.PART:
                entries = parts.setdefault(entry.text, [])
            else:
                entries.append(entry)
        return {name: tuple(found) for name, found in parts.items() if found}


def read_transcript(text: str) -> Transcript:
    """Read a file's text. Raises AtSyntaxError with the number of the line."""
    lines = iter(enumerate(text.splitlines(), 1))
    facts: dict[str, str] = {}
    for number, line in lines:
        if not line.strip():
            break
        if line.startswith("#"):
            continue
        fact = _FACT.fullmatch(line)
        if fact is None:
            raise AtSyntaxError(f"line {number}: a fact is written as `name: value`")
        facts[fact[1]] = fact[2]
    if facts.get("source") not in set(Source) or "family" not in facts:
        raise AtSyntaxError(f"a transcript names its family, and its source as one of {', '.join(Source)}")
    entries: list[Entry] = []
    for number, line in lines:
        _read_entry(number, line, entries)
    return Transcript(facts, tuple(entries))


def _read_entry(number: int, line: str, entries: list[Entry]) -> None:
    if not line.strip() or line.startswith("#"):
        return
    mark, text = line[:1], line[2:]
    if mark == "|" and entries:
        last = entries.pop()
        entries.append(Entry(last.mark, f"{last.text}\n{text}"))
    elif mark in set(Mark) and line[1:2] in {" ", ""}:
        if mark == Mark.PAUSE and not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text):
            raise AtSyntaxError(f"line {number}: a pause is written as `~ 1.5`, in seconds")
        entries.append(Entry(Mark(mark), text))
    else:
        raise AtSyntaxError(f"line {number}: an entry begins with one of > < | ~ = #")


def write_transcript(facts: Mapping[str, str], lines: Iterable[tuple[float, bool, str]]) -> str:
    """Return a file's text; `lines` are the time in seconds, whether it went to the modem, and the text."""
    told = [f"{name}: {' '.join(value.split())}" for name, value in facts.items() if value.strip()]
    told.append("")
    last_s: float | None = None
    for at_s, out, text in lines:
        if last_s is not None and at_s - last_s >= SHORTEST_PAUSE_S:
            told.append(f"{Mark.PAUSE} {at_s - last_s:.2f}")
        last_s = at_s
        first, *rest = text.split("\n")
        told.append(f"{Mark.OUT if out else Mark.IN} {first}".rstrip(" "))
        told += [f"| {one}".rstrip(" ") for one in rest]
    return "\n".join(told) + "\n"

"""AT command lines as an EC25 reads them: one line in, commands out.

Source: ITU-T V.250 clauses 5.2 to 5.4, 3GPP TS 27.007 clause 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from modembank.emulator.reply import RefusedError

EXTENDED_MARKS = "+^$*"
BASIC_WITH_AMPERSAND = "&"


class Form(StrEnum):
    """How a command was written."""

    EXECUTE = "execute"
    READ = "read"
    TEST = "test"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter; `text` is without its quotes."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a line: `name` in upper case, e.g. `+CLIP`, `&F`, `D`."""

    name: str
    form: Form
    arguments: tuple[Argument, ...] = ()

    def given(self, place: int) -> bool:
        """Return whether parameter `place` was written and is not empty."""
        return place < len(self.arguments) and bool(self.arguments[place].text)

    def text(self, place: int, default: str | None = None) -> str:
        """Return parameter `place`; without a default a missing one is refused with CME 50."""
        if place < len(self.arguments):
            return self.arguments[place].text
        if default is None:
            raise RefusedError(cme=50)
        return default

    def number(self, place: int, low: int, high: int, default: int | None = None) -> int:
        """Return parameter `place` as a number within the limits; anything else is refused with CME 50."""
        if not self.given(place):
            if default is None:
                raise RefusedError(cme=50)
            return default
        text = self.arguments[place].text
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise RefusedError(cme=50)
        return int(text)


def body_of(line: str) -> str | None:
    """Return what follows `AT` in a line; None if the line is no command line."""
    stripped = line.strip()
    return stripped[2:] if stripped[:2].upper() == "AT" else None


def parse(body: str) -> Iterator[Command]:
    """Yield the commands of a line one after another.

    Raises:
        RefusedError: at the first text that is no command; the commands before it have been yielded.
    """
    place = 0
    while place < len(body):
        char = body[place].upper()
        if char in "; ":
            place += 1
        elif char in EXTENDED_MARKS:
            end = _end_of_extended(body, place)
            yield _extended(body[place:end])
            place = end + 1
        elif char == "D":
            end = body.find(";", place)
            end = len(body) if end < 0 else end + 1
            yield Command("D", Form.EXECUTE, (Argument(body[place + 1 : end].strip(), quoted=False),))
            place = end
        else:
            command, place = _basic(body, place)
            yield command


def split_arguments(text: str) -> tuple[Argument, ...]:
    """Split parameters at the commas outside quotes."""
    return tuple(_argument(part.strip()) for part in _split(text, ","))


def _argument(part: str) -> Argument:
    if len(part) >= 2 and part[0] == '"' and part[-1] == '"':
        return Argument(part[1:-1], quoted=True)
    if '"' in part:
        raise RefusedError(cme=50)
    return Argument(part, quoted=False)


def _split(text: str, separator: str) -> list[str]:
    parts, start, quoted = [], 0, False
    for place, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _end_of_extended(body: str, start: int) -> int:
    return start + len(_split(body[start:], ";")[0])


def _extended(text: str) -> Command:
    name, equals, rest = text.partition("=")
    name = name.strip().upper()
    if not equals and name.endswith("?"):
        return Command(_checked(name[:-1]), Form.READ)
    if not equals:
        return Command(_checked(name), Form.EXECUTE)
    if rest.strip() == "?":
        return Command(_checked(name), Form.TEST)
    return Command(_checked(name), Form.SET, split_arguments(rest))


def _checked(name: str) -> str:
    if len(name) < 2 or not (name[1:].isascii() and name[1:].replace("_", "").isalnum()):
        raise RefusedError()
    return name


def _basic(body: str, start: int) -> tuple[Command, int]:
    end = start + 1
    if body[start] == BASIC_WITH_AMPERSAND:
        end += 1
    name = body[start:end].upper()
    if not (name[-1].isascii() and name[-1].isalpha()):
        raise RefusedError()
    digits_from = end
    while end < len(body) and body[end].isascii() and body[end].isdigit():
        end += 1
    digits = body[digits_from:end]
    if name == "S":
        return _register(body, digits, end)
    if body[end : end + 1] == "?":
        return Command(name, Form.READ), end + 1
    return Command(name, Form.EXECUTE, (Argument(digits, quoted=False),)), end


def _register(body: str, digits: str, end: int) -> tuple[Command, int]:
    register = Argument(digits, quoted=False)
    if body[end : end + 1] == "?":
        return Command("S", Form.READ, (register,)), end + 1
    if body[end : end + 1] != "=":
        raise RefusedError()
    start = end = end + 1
    while end < len(body) and body[end].isascii() and body[end].isdigit():
        end += 1
    return Command("S", Form.SET, (register, Argument(body[start:end], quoted=False))), end

"""The AT dialogue without a clock: bytes in, events out. Source: ITU-T V.250 section 5.7."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from modembank.at import urcs
from modembank.at.command import AtCommand
from modembank.at.lines import LineReader
from modembank.at.result import CALL_CODES, Result, read_final
from modembank.errors import AtBusyError

# Sentinels must be answered with a text of their own: a bare AT would take a late OK for its answer. Two, so that a
# late answer to the first is never taken for the answer to the second.
SENTINELS = (AtCommand("+CMEE?", "+CMEE:"), AtCommand("+CSCS?", "+CSCS:"))
_REGISTRATION = ("+CREG:", "+CGREG:", "+CEREG:")
_REGISTRATION_REPLY = re.compile(r"\+C[A-Z]*REG: ?\d+, ?\d+(,|$)")


@dataclass(frozen=True, slots=True)
class Urc:
    """A line that no command asked for."""

    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """`> `: the modem waits for the text of a message. Source: 3GPP TS 27.005 section 3.5.1."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """NO CARRIER or BUSY while ATD or ATA is owed an answer: its final result, or the end of an earlier call.

    If nothing else answers the command soon, `AtEngine.settle` makes it the final result.
    """

    text: str


Event = Result | Urc | Prompt | Doubtful

_PROMPT = ">"


@dataclass(slots=True)
class AtCounters:
    """What was dropped, and why."""

    stray: int = 0  # final result codes that no command was owed
    late: int = 0  # lines of an abandoned answer
    echo: int = 0


@dataclass(slots=True)
class AtEngine:
    """Pair commands with results and set URCs apart.

    After `give_up` the engine takes no command until a sentinel (`resync`) has been answered: a late answer cannot
    reach the next command, because a modem answers in order.
    """

    known_urcs: tuple[str, ...] = urcs.ALL
    lines: list[str] = field(default_factory=list)  # those of the last feed, for a trace
    counters: AtCounters = field(default_factory=AtCounters)
    _reader: LineReader = field(default_factory=LineReader)
    _running: AtCommand | None = None
    _info: list[str] = field(default_factory=list)
    _abandoned: AtCommand | None = None
    _doubt: str | None = None
    _next_sentinel: int = 0

    @property
    def oversize(self) -> int:
        """Lines dropped because they were longer than the cap."""
        return self._reader.oversize

    @property
    def suspect(self) -> bool:
        """Whether an abandoned answer may still come."""
        return self._abandoned is not None

    def send(self, command: AtCommand) -> bytes:
        """Return what to write. Raises AtBusyError when an answer is owed or may still come."""
        if self._running is not None or self._abandoned is not None:
            raise AtBusyError("the port is owed an answer")
        return self._start(command)

    def give_up(self) -> None:
        """The running command's deadline has passed: whatever still comes for it is dropped."""
        if self._running is not None:
            self._abandoned = self._abandoned or self._running
        self._running = None
        self._doubt = None
        self._reader.forget_text()

    def resync(self) -> bytes:
        """Return a sentinel to write once the line is quiet; its Result makes the port usable again."""
        self.give_up()
        choice = [one for one in SENTINELS if self._abandoned is None or one.text != self._abandoned.text]
        self._next_sentinel += 1
        return self._start(choice[self._next_sentinel % len(choice)])

    def settle(self) -> Result | None:
        """No other answer came: the doubtful code was the final result after all."""
        if self._doubt is None:
            return None
        return self._finish(self._doubt)

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in `data` and in what was kept of earlier chunks."""
        events: list[Event] = []
        self.lines = self._reader.feed(data)
        for line in self.lines:
            event = self._sort(line)
            if event is not None:
                events.append(event)
        if self._running is not None and self._running.payload is not None and self._reader.take_prompt():
            events.append(Prompt())
        return events

    def _start(self, command: AtCommand) -> bytes:
        self._running = command
        self._info = []
        self._doubt = None
        return command.line

    def _finish(self, final: str) -> Result | None:
        command = self._running
        assert command is not None
        if self._abandoned is not None:
            if not self._info:  # a final result code before the sentinel's own text ends the abandoned answer
                self.counters.late += 1
                return None
            self._abandoned = None
        self._running = None
        self._doubt = None
        return Result(command.text, final, tuple(self._info))

    def _sort(self, line: str) -> Event | None:
        command = self._running
        if command is None:
            return self._sort_idle(line)
        if line == f"AT{command.text}" or (command.payload and line.rstrip("\x1a") == command.payload):
            self.counters.echo += 1
            return None
        if line == _PROMPT and command.payload is not None:
            return Prompt()  # a URC came right behind it, and ended its line
        final = read_final(line)
        if final is not None:
            return self._finish(final)
        if line in CALL_CODES:
            return self._sort_call_code(line, command)
        if _belongs(line, command.prefixes):
            self._info.append(line)  # our own answer wins over a URC of the same name
            return None
        if line.startswith(self.known_urcs):
            return Urc(line)
        if self._abandoned is not None:
            self.counters.late += 1
            return None
        if command.bare is not None and re.fullmatch(command.bare, line):
            self._info.append(line)
            return None
        return Urc(line)

    def _sort_call_code(self, line: str, command: AtCommand) -> Event:
        if not command.call:
            return Urc(line)
        self._doubt = line
        return Doubtful(line)

    def _sort_idle(self, line: str) -> Event | None:
        if self._abandoned is None:
            if read_final(line) is None:
                return Urc(line)
            self.counters.stray += 1
            return None
        if line.startswith(self.known_urcs) and not _belongs(line, self._abandoned.prefixes):
            return Urc(line)
        self.counters.late += 1
        return None


def _belongs(line: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a line is the answer of a command with these prefixes.

    A registration URC carries no leading `<n>`: its second field, if any, is the quoted area code.
    Source: 3GPP TS 27.007 section 7.2.
    """
    if not prefixes or not line.startswith(prefixes):
        return False
    return not line.startswith(_REGISTRATION) or _REGISTRATION_REPLY.match(line) is not None

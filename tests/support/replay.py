"""A transcript becomes a modem in memory: it answers what the transcript answers, and says what it says, in its time.

Commands that act (dial, answer, hang up) are waited for; everything behind one happens after it, at the transcript's
pace. Between them the driver may ask what it likes, in any order: an answer holds from the last change before it on.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from modembank.at.transcript import Entry, Mark, Transcript
from tests.support.fake_modem import Answer, FakeModem

_COMMANDS = re.compile(r'(?:[^;"]|"[^"]*")+')
_ACTS = re.compile(r"AT(?:D.*|A|H|\+CHUP|\+CHLD=.*)")
_NAME = re.compile(r"[+^$%][A-Z0-9]+")
_FINAL = re.compile(r"OK|ERROR|\+CM[ES] ERROR:.*|COMMAND NOT SUPPORT")
_END = re.compile(r"NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE")


@dataclass
class Exchange:
    """A command line, what came before its final result code, and that code; without a line: something unasked."""

    line: str
    info: list[str]
    final: str
    at_s: float

    @property
    def acts(self) -> bool:
        return _ACTS.fullmatch(self.line) is not None

    @property
    def text(self) -> str:
        return "".join(f"\r\n{one}\r\n" for one in (*self.info, self.final))

    def singles(self) -> Iterator[tuple[str, Answer]]:
        """The single commands of an accepted line with their information text."""
        commands = _COMMANDS.findall(self.line.removeprefix("AT")) or [""]
        if self.final != "OK":
            if len(commands) == 1:
                yield commands[0], self.final
            return
        rest = deque(self.info)
        for number, command in enumerate(commands, 1):
            name = _NAME.match(command)
            if number == len(commands):
                yield command, tuple(rest)
                return
            taken: list[str] = []
            while rest and name is not None and rest[0].startswith(f"{name[0]}:"):
                taken.append(rest.popleft())
            if not taken and rest and not command.count("=") and not _NAME.match(rest[0]):
                taken.append(rest.popleft())
            yield command, tuple(taken)


def exchanges(entries: Iterable[Entry]) -> list[Exchange]:
    """Sort a part's lines into commands with their answers, and what came unasked."""
    found: list[Exchange] = []
    owed: Exchange | None = None
    now = 0.0
    for entry in entries:
        if entry.mark is Mark.PAUSE:
            now += entry.pause_s
        elif entry.mark is Mark.OUT:
            if entry.text == "<ESC>":
                continue
            owed = Exchange(entry.text, [], "", now)
            found.append(owed)
        elif owed is None:
            found.append(Exchange("", [entry.text], "", now))
        elif _FINAL.fullmatch(entry.text) or (_END.fullmatch(entry.text) and re.match(r"AT(D|A$)", owed.line)):
            owed.final, owed = entry.text, None
        elif entry.text == owed.line:
            continue  # its echo
        elif owed.acts or _belongs(entry.text, owed.line):
            owed.info.append(entry.text)
        else:
            found.append(Exchange("", [entry.text], "", now))
    return [one for one in found if not one.line or one.final]


def _belongs(text: str, line: str) -> bool:
    names = [name[0] for command in _COMMANDS.findall(line.removeprefix("AT")) if (name := _NAME.match(command))]
    own = _NAME.match(text)
    return own is None or own[0] in names or (own[0] == "+ICCID" and "+CICCID" in names)


@dataclass
class ReplayedModem(FakeModem):
    """Give it a bring-up, then `play` one part after the other."""

    _acts: deque[list[Exchange]] = field(default_factory=deque)
    _queues: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    _script: deque[tuple[str, list[Entry]]] = field(default_factory=deque)

    @classmethod
    def from_bring_up(cls, entries: Iterable[Entry], base: dict[str, Answer]) -> ReplayedModem:
        modem = cls(table=dict(base))
        for one in exchanges(entries):
            modem._learn(one)
        modem.table |= {"+CLCC": ()}
        return modem

    def play(self, entries: Iterable[Entry]) -> None:
        """Say what a part says before its first acting command, and be ready for that one."""
        blocks: list[list[Exchange]] = [[]]
        for one in exchanges(entries):
            if one.acts:
                blocks.append([])
            blocks[-1].append(one)
        self._acts = deque(blocks[1:])
        self._run(blocks[0], 0.0)

    def follow(self, entries: Iterable[Entry]) -> None:
        """Say what a part says behind each of its command lines, when that line comes, in this order and no other; what
        stands before the first is said at once. Lines that are not the next one are answered as ever.
        """
        blocks: list[tuple[str, list[Entry]]] = [("", [])]
        for one in entries:
            if one.mark is Mark.OUT:
                blocks.append((one.text, []))
            else:
                blocks[-1][1].append(one)
        self._script = deque(blocks[1:])
        self._say(blocks[0][1])

    @property
    def followed(self) -> bool:
        """Whether all command lines of the part that is followed were sent."""
        return not self._script

    @property
    def finished(self) -> bool:
        """Whether all acting commands of the part were sent."""
        return not self._acts

    def _answer(self, line: str) -> None:
        line = line.removeprefix("\x1b")
        if self._script and line.rstrip("\x1a") == self._script[0][0]:
            self.heard.append(line)
            _, said = self._script.popleft()
            if self._script and not self._script[0][0].startswith("AT"):
                self.push("\r\n> ")  # a message follows; transcripts leave the prompt out
            self._say(said)
            return
        if _ACTS.fullmatch(line) and self._acts:
            block = self._acts[0]
            if line == block[0].line:
                self._acts.popleft()
                self.heard.append(line)
                self.asked.append(line.removeprefix("AT"))
                self.push(block[0].text)
                self._run(block[1:], block[0].at_s)
                return
        for command in _COMMANDS.findall(line.removeprefix("AT")):
            if self._queues[command]:
                self.table[command] = self._queues[command].popleft()
        super()._answer(line)

    def _learn(self, one: Exchange) -> None:
        if not one.line or one.acts:
            return
        if one.final != "OK" and ";" in one.line:
            self.answers = {**self.answers, one.line: one.text}
        self.table |= dict(one.singles())

    def _say(self, said: Iterable[Entry]) -> None:
        loop, at_s = asyncio.get_running_loop(), 0.0
        for one in said:
            if one.mark is Mark.PAUSE:
                at_s += one.pause_s
            elif at_s:
                loop.call_later(at_s, self.urc, one.text.replace("\n", "\r\n"))
            else:
                self.urc(one.text.replace("\n", "\r\n"))

    def _run(self, block: list[Exchange], start_s: float) -> None:
        loop = asyncio.get_running_loop()
        changed_s = start_s
        for one in block:
            if not one.line:
                changed_s = one.at_s
                loop.call_later(max(0.0, one.at_s - start_s), self.urc, *one.info)
            elif "?" in one.line or one.line in {"AT+CLCC", "AT+CSQ", "AT+CEER"}:
                loop.call_later(max(0.0, changed_s - start_s), self._learn, one)
            else:
                for command, answer in one.singles():
                    self._queues[command].append(answer)


def parts_of(transcript: Transcript, kind: str) -> list[tuple[list[str], tuple[Entry, ...]]]:
    """The parts of a kind, such as `call out: answered released=16`: what is expected, and the entries."""
    return [
        (name.partition(":")[2].split(), entries)
        for name, entries in transcript.parts().items()
        if name.partition(":")[0] == kind
    ]

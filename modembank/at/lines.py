"""Bytes from a port into lines, whatever the chunks. Source: ITU-T V.250 section 5.7.1 (response formatting)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from modembank.at.joiner import Joiner

LINE_CAP = 4096  # bytes; the longest honest line, a +COPS=? list, stays far below
_PROMPT = re.compile(rb"[\r\n]*> ")
_CSSI = re.compile(r"(\+CSSI: ?\d)(\S.*)")


@dataclass(slots=True)
class LineReader:
    """Split on LF, drop every CR and NUL, and throw away lines longer than LINE_CAP, counted in `oversize`.

    What belongs together comes out as one line with LF inside.
    """

    oversize: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _skipping: bool = False
    _joiner: Joiner = field(default_factory=Joiner)

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that are complete now, without empty ones."""
        self._buffer += data
        lines: list[str] = []
        while (end := self._buffer.find(b"\n")) >= 0:
            raw = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if self._skipping or len(raw) > LINE_CAP:
                self._drop(skipping=False)
            else:
                for line in _unglue(_text(raw)):
                    lines += self._joiner.add(line)
        if len(self._buffer) > LINE_CAP:
            self._buffer.clear()
            self._skipping = True
        return lines

    def take_prompt(self) -> bool:
        """Whether what stands at the start of the open line is the prompt, which has no line end; consume it."""
        match = _PROMPT.match(self._buffer)
        if match is None:
            return False
        del self._buffer[: match.end()]
        return True

    def forget_text(self) -> None:
        """See `Joiner.forget_text`."""
        self._joiner.forget_text()

    def _drop(self, *, skipping: bool) -> None:
        self.oversize += 1
        self._skipping = skipping


def _text(raw: bytes) -> str:
    # Latin-1 never fails, and noise must not end a conversation.
    return raw.replace(b"\r", b"").replace(b"\0", b"").decode("latin-1").strip(" ")


def _unglue(line: str) -> list[str]:
    """Undo what firmware is known to glue together: `ERROR+CNUM:` and a `+CSSI: n` without its line end."""
    if line.startswith("ERROR+CNUM:"):
        return [line.removeprefix("ERROR")]
    glued = _CSSI.fullmatch(line)
    return [glued.group(1), glued.group(2)] if glued else [line]

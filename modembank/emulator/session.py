"""One AT port: characters in, command lines run one after another, answers and URCs out.

Source: ITU-T V.250 clauses 5.2 to 5.7; hardware facts section 1.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from modembank.emulator.commands import run
from modembank.emulator.parser import body_of, parse
from modembank.emulator.ports import Port
from modembank.emulator.reply import NUMERIC_RESULTS, RefusedError, Reply
from modembank.emulator.settings import DEAF
from modembank.emulator.timers import Timers

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

MAX_LINE_BYTES = 2048
LOG_ENTRIES = 500
SPLIT_PAUSE_S = 0.03
PAIR_WAIT_S = 0.05
ESCAPE, NEWLINE, RETURN, BACKSPACE, SUBMIT = 0x1B, 0x0A, 0x0D, 0x08, 0x1A
MAX_TYPED_BYTES = 2048
GARBAGE = bytes(range(128, 256)) + b"\r\n\x00\x1a\xffOKAY +C\r\n"
"""What a wrong speed or a lost byte leaves; no line of it is a result."""

_Pieces = deque[tuple[bytes, float]]


class AtSession:
    """The AT interpreter of one port; `echo`, `verbose` and `quiet` are its own."""

    def __init__(self, modem: Modem) -> None:
        self.echo = True
        self.verbose = True
        self.quiet = False
        self.port: Port | None = None
        self.log: deque[tuple[float, str, bytes]] = deque(maxlen=LOG_ENTRIES)
        self._modem = modem
        self._line = bytearray()
        self._lines: deque[str] = deque()
        self._busy = False
        self._out: _Pieces = deque()
        self._pause: asyncio.TimerHandle | None = None
        self._paired = b""
        self._timers = Timers()
        self._prompted: Callable[[bytes | None], None] | None = None
        self._typed = bytearray()

    def reset(self) -> None:
        """Forget everything, as at power-on."""
        self.restore_profile()
        self._timers.cancel()
        self._line.clear()
        self._lines.clear()
        self._out.clear()
        self._busy = False
        self._pause = None
        self._paired = b""
        self._prompted = None

    def restore_profile(self) -> None:
        """Return to the factory settings of the port. Source: ITU-T V.250 clause 6.1.1."""
        self.echo, self.verbose, self.quiet = True, True, False

    def feed(self, data: bytes) -> None:
        """Take what the host wrote, whatever the chunks."""
        self._note("received", data)
        faults = self._modem.faults
        if faults.muted or faults.half_hang or faults.stuck in DEAF:
            return
        echoed = bytearray()
        for byte in data:
            if self._prompted is not None:
                self._type(byte, echoed)
                continue
            if byte in (ESCAPE, NEWLINE):
                continue
            echoed.append(byte)
            if byte == RETURN:
                self._echo(echoed)
                self._end_of_line()
            elif byte == BACKSPACE:
                del self._line[-1:]
            else:
                self._line.append(byte)
                if len(self._line) > MAX_LINE_BYTES:
                    self._line.clear()
        self._echo(echoed)

    def prompt(self, typed: Callable[[bytes | None], None]) -> None:
        """Ask for text: `typed` gets what stands before Ctrl-Z, or None after an escape."""
        self._prompted = typed
        self._typed.clear()
        if self._modem.faults.prompt_missing > 0:
            self._modem.faults.prompt_missing -= 1
        else:
            self._write(b"\r\n> ")

    def urc(self, text: str) -> None:
        """Say something unasked."""
        faults = self._modem.faults
        if faults.muted or faults.stuck in DEAF:
            return
        if not self.verbose and text in NUMERIC_RESULTS:
            data = f"{NUMERIC_RESULTS[text]}\r".encode()
        else:
            end = "\r\r\n" if faults.double_cr or text.startswith(self._modem.family.double_cr) else "\r\n"
            data = f"{end}{text}{end}".encode("latin-1", "replace")
        if faults.urc_pair:
            self._pair(data)
        elif faults.urc_split and len(data) > 2:
            self._write(data[: len(data) // 2], SPLIT_PAUSE_S)
            self._write(data[len(data) // 2 :])
        else:
            self._write(data)

    def _pair(self, data: bytes) -> None:
        self._paired += data
        if self._paired != data:
            self._flush_pair()
        else:
            self._timers.after(PAIR_WAIT_S, self._flush_pair)

    def _flush_pair(self) -> None:
        data, self._paired = self._paired, b""
        if data:
            self._write(data)

    def _type(self, byte: int, echoed: bytearray) -> None:
        if byte in (ESCAPE, SUBMIT) and self._prompted is not None:
            self._echo(echoed)
            prompted, self._prompted = self._prompted, None
            prompted(None if byte == ESCAPE else bytes(self._typed))
            return
        echoed.append(byte)
        if byte == BACKSPACE:
            del self._typed[-1:]
        elif len(self._typed) < MAX_TYPED_BYTES:
            self._typed.append(byte)

    def _echo(self, echoed: bytearray) -> None:
        if self.echo and echoed:
            self._write(bytes(echoed))
        echoed.clear()

    def _end_of_line(self) -> None:
        line = self._line.decode("latin-1")
        self._line.clear()
        self._lines.append(line)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        while self._lines and not self._busy:
            body = body_of(self._lines.popleft())
            if body is not None and not self._breaks():
                self._busy = True
                _Run(self._modem, self, body, self._answer).go_on()

    def _breaks(self) -> bool:
        """Count lines down to the one that goes wrong; true when it does not run."""
        faults = self._modem.faults
        if not faults.break_at or self is not next(iter(self._modem.sessions.values())):
            return False
        faults.break_at -= 1
        if faults.break_at:
            return False
        self._modem.publish("broken", how=faults.break_how)
        if faults.break_how in ("no_answer", "garbage"):
            faults.swallow_reply += 1
        if faults.break_how == "garbage":
            self._write(GARBAGE)
        elif faults.break_how == "error":
            self._write(b"\r\nERROR\r\n")
        elif faults.break_how == "vanish":
            self._modem.reset()
        return faults.break_how not in ("no_answer", "garbage")

    def _answer(self, reply: Reply, afters: list[Callable[[], None]]) -> None:
        """Write the answer of a whole line, late if a fault says so, then go on."""
        faults = self._modem.faults
        delay_s = faults.slow_s + faults.delay_reply_s
        faults.delay_reply_s = 0.0
        if delay_s:
            self._timers.after(delay_s, lambda: self._finish(reply, afters))
        else:
            self._finish(reply, afters)

    def _finish(self, reply: Reply, afters: list[Callable[[], None]]) -> None:
        if self._modem.faults.swallow_reply > 0:
            self._modem.faults.swallow_reply -= 1
        elif not self._modem.faults.muted:
            self._write_answer(reply)
        for after in afters:
            after()
        self._busy = False
        self._next()

    def _write_answer(self, reply: Reply) -> None:
        if self.verbose:
            text = "".join(f"\r\n{line}\r\n" for line in reply.lines)
            final = f"\r\n{reply.final}\r\n"
        else:
            text = "".join(f"{line}\r\n" for line in reply.lines)
            final = f"{NUMERIC_RESULTS.get(reply.final, reply.final)}\r"
        if self._modem.faults.urc_inside_answer:
            self._write(text.encode("latin-1"))
            self.urc(f'+QIND: "csq",{self._modem.radio.rssi},99')
            text = ""
        self._write((text + ("" if self.quiet else final)).encode("latin-1"))

    def _write(self, data: bytes, pause_s: float = 0.0) -> None:
        if self._modem.faults.stuck == "restart":
            return
        self._out.append((data, pause_s))
        if self._pause is None:
            self._drain()

    def _drain(self) -> None:
        self._pause = None
        while self._out:
            data, pause_s = self._out.popleft()
            if data and self.port is not None:
                self._note("sent", data)
                self.port.write(data)
            if pause_s:
                self._pause = self._timers.after(pause_s, self._drain)
                return

    def _note(self, direction: str, data: bytes) -> None:
        self.log.append((time.time(), direction, data))


class _Run:
    """One command line in progress: commands in order, one final result code, stop at the first error."""

    def __init__(
        self,
        modem: Modem,
        session: AtSession,
        body: str,
        done: Callable[[Reply, list[Callable[[], None]]], None],
    ) -> None:
        self._modem = modem
        self._session = session
        self._commands = parse(body)
        self._done = done
        self._text: list[str] = []
        self._afters: list[Callable[[], None]] = []

    def go_on(self) -> None:
        """Run commands until the line ends, one fails, or one answers later."""
        try:
            for command in self._commands:
                reply = run(self._modem, self._session, command)
                if reply.deferred is not None:
                    reply.deferred(self._late)
                    return
                if reply.prompt is not None:
                    self._session.prompt(self._typed(reply.prompt))
                    return
                if reply.delay_s:
                    self._modem.timers.after(reply.delay_s, self._later(reply))
                    return
                if not self._take(reply):
                    return
        except RefusedError as error:
            self._end(error.result(self._modem.volatile.cmee))
            return
        self._end("OK")

    def _typed(self, prompt: Callable[[bytes | None], Reply]) -> Callable[[bytes | None], None]:
        def go_on(typed: bytes | None) -> None:
            try:
                reply = prompt(typed)
            except RefusedError as error:
                self._end(error.result(self._modem.volatile.cmee))
                return
            self._modem.timers.after(reply.delay_s, self._later(reply))

        return go_on

    def _later(self, reply: Reply) -> Callable[[], None]:
        return lambda: self._late(reply)

    def _late(self, reply: Reply) -> None:
        if self._take(reply):
            self.go_on()

    def _take(self, reply: Reply) -> bool:
        self._text += reply.lines
        if reply.after is not None:
            self._afters.append(reply.after)
        if reply.final != "OK":
            self._end(reply.final)
            return False
        return True

    def _end(self, final: str) -> None:
        self._done(Reply(tuple(self._text), final), self._afters)

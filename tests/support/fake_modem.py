"""A modem of any family in memory: it answers command by command from a table that a test can change."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from modembank.modem import Modem, ModemPorts, ModemState, ModemTimings
from tests.support.at_link import AtLink
from tests.support.modem_rig import Listener

Answer = tuple[str, ...] | str
"""The information text before OK, or another final result code."""

_COMMANDS = re.compile(r'(?:[^;"]|"[^"]*")+')
ICCID, IMSI, NUMBER = "8944000000000000017", "001010000000017", "+447700900017"
GENERIC: dict[str, Answer] = {
    "E0": (), "": (), "+CGMI": ("Maker",), "+CGMM": ("Model",), "+CGMR": ("R1",), "+CGSN": ("866909030010099",),
    "+CMEE=1": (), "+CLIP=1": (), "+CCWA=0,0,1": (), "+CREG=2": (), "+COLP=0": (), "+CMEE?": ("+CMEE: 1",),
    "+CPIN?": ("+CPIN: READY",), "+CIMI": (IMSI,), "+CNUM": (f'+CNUM: "","{NUMBER}",145',), "+CSQ": ("+CSQ: 20,99",),
    "+CREG?": ('+CREG: 2,1,"1A2B","01C3D4",2',), "+COPS=3,2": (), "+COPS?": ('+COPS: 0,0,"Test",2',), "+COPS=3,0": (),
    "+CLCC": (), "+CMGF=0": (), "+CNMI=2,1,0,2,0": (), "+CMGL=4": (), "+CHUP": (), "+CSCS?": ('+CSCS: "IRA"',),
    "+CPMS=\"SM\"": ("+CPMS: 0,10,0,10,0,10",), "+CPMS=\"ME\"": ("+CPMS: 0,23,0,23,0,23",),
    "+CPMS=\"SM\",\"SM\",\"SM\"": ("+CPMS: 0,10,0,10,0,10",), "+CPMS=\"ME\",\"ME\",\"ME\"": ("+CPMS: 0,23,0,23,0,23",),
}  # fmt: skip


@dataclass
class FakeModem(AtLink):
    """`table` answers single commands; `after` is called with each command once its answer is out."""

    answers: dict[str, str] = field(default_factory=dict)
    table: dict[str, Answer] = field(default_factory=lambda: dict(GENERIC))
    after: Callable[[str], None] = lambda command: None
    asked: list[str] = field(default_factory=list)

    def urc(self, *lines: str) -> None:
        """Say something unasked."""
        for line in lines:
            self.push(f"\r\n{line}\r\n")

    def sent(self, start: str) -> list[str]:
        """The single commands starting so that it got."""
        return [one for one in self.asked if one.startswith(start)]

    def _answer(self, line: str) -> None:
        line = line.removeprefix("\x1b")
        if not line.startswith("AT") or line in self.answers or line in self.silent:
            super()._answer(line)
            return
        self.heard.append(line)
        body = line[2:]
        commands = [body] if body[:1] == "D" else _COMMANDS.findall(body) or [""]
        info, final = "", "OK"
        done = []
        for command in commands:
            self.asked.append(command)
            done.append(command)
            answer = self.table.get(command, "ERROR")
            if isinstance(answer, str):
                final = answer
                break
            info += "".join(f"\r\n{one}\r\n" for one in answer)
        if final:
            self.push(f"{info}\r\n{final}\r\n")
        for command in done:
            self.after(command)


@asynccontextmanager
async def driven_fake(
    link: FakeModem,
    dialect: str,
    state: ModemState | None = ModemState.READY,
    timings: ModemTimings | None = None,
    *,
    serial: bool = False,
) -> AsyncIterator[tuple[Modem, Listener]]:
    """Run the driver on a modem in memory; `serial`: on a plain serial port, and without a sound card."""
    audio = None if serial else Path("/dev/ttyUSB1")
    ports = ModemPorts("1-1", 0, 0, Path("/dev/ttyUSB2"), audio, dialect, serial=serial)
    listener = Listener()
    modem = Modem(ports, listener, messages=listener, backend=link, timings=timings)
    task = asyncio.create_task(modem.run())
    try:
        if state is not None:
            await listener.until(lambda: modem.info.state is state)
        yield modem, listener
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

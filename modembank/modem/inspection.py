"""Looks at ports from a process of its own: who holds them, do they open, does a modem answer.

A port can hang in the kernel beyond every signal, and a process that hangs there cannot end. So that process is
another one, `python -m modembank.modem.inspection`: it gets its orders on stdin, prints one line for each port as soon
as that is done, and is left behind if need be.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from modembank.at.command import AtCommand
from modembank.errors import AtTimeoutError, ModembankError, PortError, PortLostError
from modembank.media.records import AudioKind, AudioPlace
from modembank.modem import bringup
from modembank.tty.abandon import run_abandonable
from modembank.tty.alsa_port import AlsaPort
from modembank.tty.backends import PortOpener
from modembank.tty.channel import AtChannel, ChannelTimings
from modembank.tty.exclusive import find_holders
from modembank.tty.transport import BAUD

OPEN_S = 3.0  # an honest port opens within milliseconds
ANSWER_S = 1.5  # an idle modem answers within milliseconds too
WAKE_TRIES = 2  # the first line after a reset may be lost
PORTS_AT_ONCE = 32
# The longest that one port takes: its opening, then every try with the channel's own recovery behind it.
SILENCE_S = OPEN_S + 12.0
_TIMINGS = ChannelTimings(quiet_s=0.1, drain_s=0.5, sentinel_s=ANSWER_S)


class PortState(StrEnum):
    """What can be done with a port now."""

    FREE = "free"
    HELD = "held"
    MISSING = "missing"
    NO_PERMISSION = "no_permission"
    HANGS = "hangs"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class PortLook:
    """What was seen of a port. `program` and `pid` hold it; `ours`: that is a modembank.

    `answers` is None unless the port was asked; `imei` and `model` as the modem told.
    """

    path: str
    state: PortState
    detail: str = ""
    pid: int | None = None
    program: str | None = None
    ours: bool = False
    answers: bool | None = None
    imei: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A port to look at; `ask`: write to it, if nobody holds it. `card`: `path` is the ALSA name of a sound card."""

    path: str
    ask: bool
    baud: int = BAUD
    card: bool = False


def inspect_ports(orders: Sequence[Order], silence_s: float = SILENCE_S) -> dict[str, PortLook]:
    """Look at ports, side by side; one of which nothing was heard for `silence_s` hangs."""
    looks = {order.path: PortLook(order.path, PortState.HANGS, "it did not open") for order in orders}
    if not orders:
        return looks
    command = [sys.executable, "-m", "modembank.modem.inspection"]
    with contextlib.ExitStack() as ends:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ends.callback(_leave, process)
        assert process.stdin is not None
        process.stdin.write(json.dumps([asdict(order) for order in orders]).encode())
        process.stdin.close()
        for line in _lines(process, silence_s):
            facts = json.loads(line)
            looks[facts["path"]] = PortLook(**facts | {"state": PortState(facts["state"])})
    return looks


def _lines(process: subprocess.Popen[bytes], silence_s: float) -> Iterator[bytes]:
    """What a process prints, until it ends or says nothing for so long."""
    assert process.stdout is not None
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        until = time.monotonic() + silence_s
        while selector.select(max(0.0, until - time.monotonic())):
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                return
            *lines, buffer = (buffer + data).split(b"\n")
            yield from lines
            until = time.monotonic() + silence_s


def _leave(process: subprocess.Popen[bytes]) -> None:
    """End the process; one that hangs in the kernel is not waited for."""
    process.kill()
    if process.stdout is not None:
        process.stdout.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


# ---- in the other process -----------------------------------------------------------------------------------


class _Deaf:
    """A UrcSink: what a modem says unasked is of no interest here."""

    def urc_received(self, line: str) -> None:
        """See `UrcSink`."""

    def channel_lost(self, error: PortLostError) -> None:
        """See `UrcSink`: whoever asks then, is told."""


async def _look_all(orders: Iterable[Order]) -> None:
    orders = tuple(orders)
    holders = find_holders(Path(order.path) for order in orders if not order.card)
    slots = asyncio.Semaphore(PORTS_AT_ONCE)
    opener = PortOpener()

    async def look(order: Order) -> None:
        async with slots:
            seen = await _look(order, holders.get(Path(order.path)), opener)
        sys.stdout.write(json.dumps(asdict(seen)) + "\n")
        sys.stdout.flush()

    await asyncio.gather(*(look(order) for order in orders))


async def _look(order: Order, holder: tuple[int, str] | None, opener: PortOpener) -> PortLook:
    if order.card:
        return await _look_at_card(order.path)
    if holder is not None:  # opening it would disturb that program
        pid, program = holder
        return PortLook(order.path, PortState.HELD, pid=pid, program=program, ours=_is_modembank(pid))
    try:
        await run_abandonable(lambda: _try(order.path), OPEN_S)
    except TimeoutError:
        return PortLook(order.path, PortState.HANGS, f"it did not open within {OPEN_S:g} s")
    except OSError as error:
        return PortLook(order.path, _state_of(error), error.strerror or str(error))
    free = PortLook(order.path, PortState.FREE)
    return await _ask(free, opener, order.baud) if order.ask else free


async def _look_at_card(name: str) -> PortLook:
    """Open it both ways, as a call does, and close it: nothing is heard or played."""
    try:
        await run_abandonable(lambda: AlsaPort(AudioPlace(name, kind=AudioKind.ALSA)).close(), OPEN_S)
    except TimeoutError:
        return PortLook(name, PortState.HANGS, f"it did not open within {OPEN_S:g} s")
    except PortError as error:
        cause = error.__cause__
        return PortLook(name, _state_of(cause) if isinstance(cause, OSError) else PortState.FAILS, str(error))
    return PortLook(name, PortState.FREE)


def _try(path: str) -> None:
    """Open, see whether a program locks it that we may not see, and close."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(fd)


def _state_of(error: OSError) -> PortState:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return PortState.NO_PERMISSION
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return PortState.MISSING
    if error.errno in {errno.EBUSY, errno.EAGAIN}:
        return PortState.HELD
    return PortState.FAILS


async def _ask(free: PortLook, opener: PortOpener, baud: int) -> PortLook:
    try:
        channel = await AtChannel.open(opener, Path(free.path), _Deaf(), _TIMINGS, baud)
    except ModembankError as error:
        return replace(free, state=PortState.FAILS, detail=str(error))
    try:
        if not await _wakes(channel):
            return replace(free, answers=False)
        identity = await bringup.read_identity(channel.run)
        return replace(free, answers=True, imei=identity.imei, model=identity.model)
    except ModembankError as error:
        return replace(free, answers=False, detail=str(error))
    finally:
        await channel.close()


async def _wakes(channel: AtChannel) -> bool:
    for _ in range(WAKE_TRIES):
        with contextlib.suppress(AtTimeoutError):
            await channel.run(AtCommand("E0", timeout_s=ANSWER_S))
            return True
    return False


def _is_modembank(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    by_name = any(Path(word).name == "modembank" for word in words[:2])
    return by_name or (len(words) > 2 and words[1] in {"-c", "-m"} and "modembank" in words[2])


if __name__ == "__main__":
    asyncio.run(_look_all([Order(**order) for order in json.load(sys.stdin)]))

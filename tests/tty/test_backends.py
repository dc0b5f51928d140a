"""Both serial backends on real ptys: the same conversation, exclusive use, loss, limits."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from modembank.at.command import PING
from modembank.errors import PortBusyError, PortHangsError, PortLostError, PortMissingError, TooManyPortsError
from modembank.tty import backends
from modembank.tty.backends import PortOpener
from modembank.tty.channel import AtChannel
from modembank.tty.exclusive import find_holder
from modembank.tty.transport import SerialBackend
from tests.support.pty_port import Pty

BACKENDS = pytest.mark.parametrize("backend", list(SerialBackend))


class Sink:
    """Hears whether the port is lost."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    def urc_received(self, line: str) -> None:
        """Not looked at."""

    def channel_lost(self, error: PortLostError) -> None:
        self.lost.set()


@BACKENDS
async def test_a_conversation(backend: SerialBackend, pty_port: Pty) -> None:
    channel = await AtChannel.open(PortOpener(backend), pty_port.path, Sink())
    for _ in range(50):
        assert await channel.run(PING) == ()
    await channel.close()


@BACKENDS
async def test_a_port_can_be_opened_again_after_its_end(backend: SerialBackend, pty_port: Pty) -> None:
    opener = PortOpener(backend)
    for _ in range(3):
        channel = await AtChannel.open(opener, pty_port.path, Sink())
        assert await channel.run(PING) == ()
        await channel.close()
        await until_free(pty_port.path)


@BACKENDS
async def test_a_second_program_is_refused_and_the_holder_named(backend: SerialBackend, pty_port: Pty) -> None:
    channel = await AtChannel.open(PortOpener(backend), pty_port.path, Sink())
    with pytest.raises(PortBusyError) as caught:
        await AtChannel.open(PortOpener(backend), pty_port.path, Sink())
    assert f"(pid {os.getpid()})" in str(caught.value)
    assert await channel.run(PING) == ()
    await channel.close()


@BACKENDS
async def test_the_name_and_pid_of_another_program_are_told(backend: SerialBackend, pty_port: Pty) -> None:
    script = (
        "import fcntl,os,sys; fd=os.open(sys.argv[1],os.O_RDWR|os.O_NOCTTY); "
        "fcntl.flock(fd,fcntl.LOCK_EX); print('locked',flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(pty_port.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"locked\n"
        with pytest.raises(PortBusyError) as caught:
            await AtChannel.open(PortOpener(backend), pty_port.path, Sink())
        assert f"(pid {other.pid})" in str(caught.value)
        assert "python" in str(caught.value)
        other.communicate()


@BACKENDS
async def test_the_port_is_in_exclusive_mode(backend: SerialBackend, pty_port: Pty) -> None:
    """TIOCEXCL keeps out programs that lock nothing; root passes it, so that the flag itself is read."""
    channel = await AtChannel.open(PortOpener(backend), pty_port.path, Sink())
    with pty_port.path.open("rb", buffering=0) as port:  # a pty opens at once
        flag = fcntl.ioctl(port, 0x80045440, b"\0\0\0\0")  # TIOCGEXCL
        fcntl.ioctl(port, termios.TIOCNXCL)
    assert flag == b"\1\0\0\0"
    await channel.close()


@BACKENDS
async def test_a_vanished_port_is_told_within_two_seconds(backend: SerialBackend, pty_port: Pty) -> None:
    sink = Sink()
    channel = await AtChannel.open(PortOpener(backend), pty_port.path, sink)
    assert await channel.run(PING) == ()
    pty_port.vanish()
    await asyncio.wait_for(sink.lost.wait(), 2)
    with pytest.raises(PortLostError):
        await channel.run(PING)
    await channel.close()


@BACKENDS
async def test_a_missing_port(backend: SerialBackend, tmp_path: Path) -> None:
    with pytest.raises(PortMissingError):
        await AtChannel.open(PortOpener(backend), tmp_path / "ttyUSB7", Sink())


async def test_pyserial_refuses_one_port_too_many(pty_port: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "PYSERIAL_PORT_LIMIT", 1)
    opener = PortOpener(SerialBackend.PYSERIAL_ASYNCIO)
    channel = await AtChannel.open(opener, pty_port.path, Sink())
    with pytest.raises(TooManyPortsError, match="serialx"):
        await AtChannel.open(opener, Path("/dev/null"), Sink())
    await channel.close()
    await until_free(pty_port.path)
    channel = await AtChannel.open(opener, pty_port.path, Sink())  # a closed port counts no more
    await channel.close()


async def test_a_failed_open_counts_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "PYSERIAL_PORT_LIMIT", 1)
    opener = PortOpener(SerialBackend.PYSERIAL_ASYNCIO)
    for _ in range(3):
        with pytest.raises(PortMissingError):
            await AtChannel.open(opener, tmp_path / "ttyUSB7", Sink())


async def until_free(path: Path) -> None:
    """The library closes in a thread of its own."""
    async with asyncio.timeout(20):
        while find_lock(path):
            await asyncio.sleep(0.01)


def find_lock(path: Path) -> bool:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def test_nobody_holds_a_port_that_is_missing(tmp_path: Path) -> None:
    assert find_holder(tmp_path / "ttyUSB7") is None


@BACKENDS
async def test_ports_that_hang_in_the_kernel_keep_nobody_waiting(
    backend: SerialBackend, pty_port: Pty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More hanging ports than may be opened at once; each keeps one thread, however often it is tried."""
    release, real_open = threading.Event(), os.open
    hanging = {str(tmp_path / f"tty{number}") for number in range(backends.PARALLEL_OPENS + 4)}

    def open_or_hang(path: str | Path, *options: int, **more: int) -> int:
        if str(path) in hanging:
            release.wait(60)
        return real_open(path, *options, **more)

    monkeypatch.setattr(os, "open", open_or_hang)
    monkeypatch.setattr(backends, "OPEN_TIMEOUT_S", 3.0)
    monkeypatch.setattr(backends, "SLOT_S", 0.05)
    opener = PortOpener(backend)
    opening = [asyncio.create_task(AtChannel.open(opener, Path(path), Sink())) for path in hanging]
    await asyncio.sleep(0)
    channel = await AtChannel.open(opener, pty_port.path, Sink())
    assert not any(one.done() for one in opening), "the honest port came first"
    assert await channel.run(PING) == ()
    await channel.close()
    errors = await asyncio.gather(*opening, return_exceptions=True)
    assert {type(one) for one in errors} == {PortHangsError}
    threads = threading.active_count()
    with pytest.raises(PortHangsError, match="still hangs"):
        await AtChannel.open(opener, Path(min(hanging)), Sink())
    assert threading.active_count() == threads
    release.set()
    for thread in threading.enumerate():
        if thread.name == "tty-open":
            await asyncio.to_thread(thread.join, 20)
    del errors, opening
    gc.collect()  # CPython 3.11 fails to parse (gh-106905) when it has to clean up so many tracebacks meanwhile

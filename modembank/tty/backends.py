"""The two libraries behind the transport seam.

serialx is the default. pyserial reads with select(2) and opens five descriptors a port, so that from about port 200
of a process on every read fails; it is refused before that.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import serial
import serial_asyncio
import serialx

from modembank.errors import (
    PortBusyError,
    PortError,
    PortHangsError,
    PortLostError,
    PortMissingError,
    TooManyPortsError,
)
from modembank.tty.abandon import run_abandonable
from modembank.tty.exclusive import claim, describe_busy, release
from modembank.tty.transport import BAUD, SerialBackend, Transport, TransportSink

_Opened = TypeVar("_Opened")

OPEN_TIMEOUT_S = 10.0  # an honest port opens within milliseconds
SLOT_S = 1.0  # what takes longer to open gives its place to others and goes on waiting
PARALLEL_OPENS = 16  # one after another, 256 ports take seconds; all at once floods the USB bus
PYSERIAL_PORT_LIMIT = 150


class PortOpener:
    """Opens ports with one backend: raw, 8N1, exclusive, at most PARALLEL_OPENS at once.

    An opener belongs to one event loop; share it among all ports of a host.
    """

    def __init__(self, backend: SerialBackend = SerialBackend.SERIALX) -> None:
        self._backend = backend
        self._slots = asyncio.Semaphore(PARALLEL_OPENS)
        self._opening: set[Path] = set()  # by threads of ours, which the kernel may never let go
        self._open_ports = 0

    async def __call__(self, path: Path, sink: TransportSink, baud: int = BAUD) -> Transport:
        """Open `path`.

        Raises: PortMissingError, PortBusyError, TooManyPortsError, PortLostError; PortHangsError when the kernel does
            not come back, and again until it has come back from that.
        """
        if self._backend is SerialBackend.PYSERIAL_ASYNCIO and self._open_ports >= PYSERIAL_PORT_LIMIT:
            raise TooManyPortsError(
                f"pyserial-asyncio cannot watch more than {PYSERIAL_PORT_LIMIT} ports in one process; "
                "choose the serialx backend or spread the modems over several hosts"
            )
        self._open_ports += 1
        shell = _Shell(sink, self._closed)
        try:
            await self._open_in_turn(path, shell, baud)
        except BaseException as error:
            shell.give_up()
            if isinstance(error, (OSError, serial.SerialException, serialx.SerialException, TimeoutError)):
                raise _explain(error, path) from error
            raise
        return shell

    def _closed(self) -> None:
        self._open_ports -= 1

    async def _open_in_turn(self, path: Path, shell: _Shell, baud: int) -> None:
        """At most PARALLEL_OPENS at once, but for ports that hang: those must not keep the others waiting."""
        if path in self._opening:
            raise PortHangsError(f"{path} still hangs in the kernel; unplug the modem and plug it in")
        async with self._slots:
            opening = asyncio.create_task(self._open(path, shell, baud), name=f"open {path.name}")
            try:
                await asyncio.wait({opening}, timeout=SLOT_S)
            except asyncio.CancelledError:
                opening.cancel()
                raise
        try:
            await opening
        finally:
            opening.cancel()

    async def _open(self, path: Path, shell: _Shell, baud: int) -> None:
        if self._backend is SerialBackend.SERIALX:
            await self._open_serialx(path, shell, baud)
        else:
            await self._open_pyserial(path, shell, baud)

    async def _open_serialx(self, path: Path, shell: _Shell, baud: int) -> None:
        # The library opens in an executor thread, which a hanging port would block for good: prove the port first.
        probe = await run_abandonable(lambda: self._noted(path, _open_probe), OPEN_TIMEOUT_S, os.close)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                transport, _ = await serialx.create_serial_connection(
                    asyncio.get_running_loop(), lambda: shell, str(path), baudrate=baud, exclusive=True
                )
        finally:
            threading.Thread(target=os.close, args=(probe,), name="tty-close", daemon=True).start()
        shell.adopt(transport, transport.get_extra_info("serial").fileno(), path)

    async def _open_pyserial(self, path: Path, shell: _Shell, baud: int) -> None:
        port = await run_abandonable(
            lambda: self._noted(path, lambda path: serial.Serial(str(path), baud, exclusive=True)),
            OPEN_TIMEOUT_S,
            serial.Serial.close,
        )
        transport, _ = await serial_asyncio.connection_for_serial(asyncio.get_running_loop(), lambda: shell, port)
        shell.adopt(transport, port.fileno(), path)

    def _noted(self, path: Path, open_port: Callable[[Path], _Opened]) -> _Opened:
        """In the thread: leave word while the kernel has it."""
        self._opening.add(path)
        try:
            return open_port(path)
        finally:
            self._opening.discard(path)


class _Shell(asyncio.Protocol):
    """What both libraries call and what the channel holds: their differences end here."""

    def __init__(self, sink: TransportSink, closed: Callable[[], None]) -> None:
        self._sink: TransportSink | None = sink
        self._closed: Callable[[], None] | None = closed
        self._transport: asyncio.Transport | None = None
        self._fd: int | None = None

    def adopt(self, transport: asyncio.Transport, fd: int, path: Path) -> None:
        """Take over an open port. Raises PortBusyError."""
        self._transport = transport
        claim(fd, path)
        self._fd = fd

    def data_received(self, data: bytes) -> None:
        if self._sink is not None:
            self._sink.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        sink = self._sink
        self._release()
        if sink is not None:
            sink.connection_lost(exc)

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise PortLostError("the port is gone")
        try:
            self._transport.write(data)
        except (OSError, serial.SerialException, serialx.SerialException) as error:
            raise PortLostError("the port went away while it was written to") from error

    def close(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._fd is not None:
            release(self._fd)
        self._transport.abort()

    def give_up(self) -> None:
        self._sink = None
        self.close()
        self._release()

    def _release(self) -> None:
        closed, self._closed, self._sink = self._closed, None, None
        if closed is not None:
            closed()


def _open_probe(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def _explain(error: Exception, path: Path) -> PortError:
    if isinstance(error, TimeoutError):
        return PortHangsError(f"{path} did not open within {OPEN_TIMEOUT_S:g} s; unplug the modem and plug it in")
    number = error.errno if isinstance(error, OSError) else None
    if number in {errno.EBUSY, errno.EAGAIN}:
        return PortBusyError(describe_busy(path))
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return PortMissingError(f"{path} does not exist; is the modem plugged in?")
    if number in {errno.EACCES, errno.EPERM}:
        return PortError(f"{path} may not be opened by this user; add it to the group dialout")
    return PortLostError(f"{path} could not be opened: {error}")

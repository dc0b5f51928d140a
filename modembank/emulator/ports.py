"""Pseudo-terminals that behave as USB serial ports: raw, deaf while closed, gone with EIO.

The emulator holds only the master side, so that a port that nobody has open is really closed: what the
modem says then is lost, and a host's `TIOCEXCL` ends with its last close, as on a USB serial port.
All masters stand edge-triggered in one epoll object inside the event loop: an idle port costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path

READ_BYTES = 4096
BACKLOG_BYTES = 65536
"""What waits for a host that does not read; beyond this the port drops, as a full USB buffer does."""

_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
_log = logging.getLogger(__name__)


class PortHub:
    """The one epoll object of all ports."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ports: dict[int, Port] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._wake)

    def add(self, port: Port) -> None:
        """Watch a port."""
        self._ports[port.master] = port
        self._epoll.register(port.master, _EVENTS)

    def remove(self, port: Port) -> None:
        """Watch a port no longer."""
        if self._ports.pop(port.master, None) is not None:
            self._epoll.unregister(port.master)

    def close(self) -> None:
        """End the hub; its ports are closed by their owners."""
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _wake(self) -> None:
        for fd, _ in self._epoll.poll(0, 256):
            port = self._ports.get(fd)
            if port is not None:
                port.on_ready()


class Port:
    """One pty; `link` is the stable name that a host opens.

    Raises:
        OSError: no pty is left.
    """

    def __init__(
        self, hub: PortHub, link: Path, on_bytes: Callable[[bytes], None], on_closed: Callable[[], None] = lambda: None
    ) -> None:
        """`on_closed` is called after a host's last close."""
        self.link = link
        self.dropped_bytes = 0
        self._hub = hub
        self._on_bytes = on_bytes
        self._on_closed = on_closed
        self._backlog = bytearray()
        self._used = False
        self._watched = False
        self.master = -1
        self._create()
        self.watch()

    def _create(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        self._poll = select.poll()
        self._poll.register(self.master, 0)
        target = self.link.with_name(f".{self.link.name}")
        target.symlink_to(self.path)
        target.rename(self.link)

    def watch(self) -> None:
        """Hand what the host writes to the owner as it comes."""
        if not self._watched:
            self._watched = True
            self._hub.add(self)

    def unwatch(self) -> None:
        """Leave what the host writes in the port; the owner calls `read()` by its own clock."""
        if self._watched:
            self._watched = False
            self._hub.remove(self)

    def is_open(self) -> bool:
        """Return whether a host has the port open."""
        return self.master >= 0 and not self._poll.poll(0)

    def read(self) -> bytes | None:
        """Return what the host wrote, perhaps nothing; None if no host has the port open."""
        try:
            data = os.read(self.master, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            return None
        self._used = True
        return data

    def write(self, data: bytes) -> None:
        """Give bytes to the host; what a closed or full port cannot take is dropped."""
        if self._backlog:
            self._queue(data)
        elif self.is_open():
            self._queue(data[self.write_now(data) :])

    def write_now(self, data: bytes) -> int:
        """Write what fits right now and return how many bytes that was."""
        self._used = True
        try:
            return os.write(self.master, data)
        except OSError:
            return 0

    def close(self) -> None:
        """Take the device away: the host sees EIO, the link is removed."""
        if self.master < 0:
            return
        self.unwatch()
        self.link.unlink(missing_ok=True)
        os.close(self.master)
        self.master = -1

    def on_ready(self) -> None:
        """Serve one edge of the master: bytes, room, or the last close."""
        while data := self.read():
            self._on_bytes(data)
            if not self._watched or self.master < 0:
                return
        if data is None:
            self.forget_host()
        elif self._backlog:
            del self._backlog[: self.write_now(bytes(self._backlog))]

    def _renew(self) -> None:
        watched = self._watched
        self.unwatch()
        os.close(self.master)
        self._create()
        if watched:
            self.watch()

    def _queue(self, data: bytes) -> None:
        room = BACKLOG_BYTES - len(self._backlog)
        self._backlog += data[:room]
        self.dropped_bytes += max(0, len(data) - room)

    def forget_host(self) -> None:
        """After a host's last close, forget what it left: unread bytes, its termios, its exclusive use."""
        self._backlog.clear()
        self._on_closed()
        if not self._used:
            return
        self._used = False
        try:
            slave = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            _log.info("%s was left in exclusive use; it gets a new pty", self.link.name)
            self._renew()
            return
        with contextlib.suppress(termios.error, OSError):
            fcntl.ioctl(slave, termios.TIOCNXCL)
            tty.setraw(slave, termios.TCSAFLUSH)  # the flush takes what the last host left unread
        os.close(slave)

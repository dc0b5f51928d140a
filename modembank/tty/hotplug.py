"""Wakes whoever rescans when a USB device or serial port comes or goes; where the kernel tells nothing, time does.

The events themselves are not read for facts: sysfs has them, and a lost event then costs one period, no more. It
needs no library: udev's messages, or the kernel's where no udev runs, are datagrams on a netlink socket.
Source: Linux netlink(7), NETLINK_KOBJECT_UEVENT; systemd libudev (monitor groups).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

_log = logging.getLogger(__name__)
_UEVENT = 15  # NETLINK_KOBJECT_UEVENT, which the socket module does not name
_KERNEL, _UDEV = 1, 2  # groups: before udev has set names and rights, and after
_UDEV_RUNS = Path("/run/udev/control")
_SUBSYSTEMS = (b"SUBSYSTEM=usb", b"SUBSYSTEM=tty", b"SUBSYSTEM=sound")
_DATAGRAM = 65536
SETTLE_S = 0.5  # a modem's ports come one by one within that time


def open_uevents() -> socket.socket | None:
    """The socket that the events come from, None where it is not allowed (containers) or not known."""
    try:
        events = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, _UEVENT)
    except (OSError, AttributeError) as error:
        _log.info("no events about devices: %s; they are looked for from time to time", error)
        return None
    try:
        events.bind((0, _UDEV if _UDEV_RUNS.exists() else _KERNEL))
    except OSError as error:
        events.close()
        _log.info("no events about devices: %s; they are looked for from time to time", error)
        return None
    return events


class HotplugWatch:
    """Made inside a running loop; `close` lets the socket go."""

    def __init__(self, events: socket.socket | None) -> None:
        """`events`: see `open_uevents`; None leaves only time."""
        self._events = events
        self._changed = asyncio.Event()
        if events is not None:
            asyncio.get_running_loop().add_reader(events.fileno(), self._read)

    @property
    def listens(self) -> bool:
        """Whether events come at all."""
        return self._events is not None

    async def wait(self, timeout_s: float) -> bool:
        """Return after a change (true), once the ports have settled, or when the time is up (false)."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(SETTLE_S)
        self._changed.clear()
        return True

    def close(self) -> None:
        """Idempotent."""
        events, self._events = self._events, None
        if events is not None:
            asyncio.get_running_loop().remove_reader(events.fileno())
            events.close()

    def _read(self) -> None:
        """Take everything that waits. An overflow (ENOBUFS) means that there was much news."""
        assert self._events is not None
        while True:
            try:
                data = self._events.recv(_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:
                _log.info("events about devices were lost: %s", error)
                self._changed.set()
                return
            if any(name in data for name in _SUBSYSTEMS):
                self._changed.set()

"""One program a port: take it for ourselves, and say who else holds it.

Source: Linux tty_ioctl(4) TIOCEXCL, flock(2), proc(5).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
from collections.abc import Iterable
from pathlib import Path

from modembank.errors import PortBusyError

_PROC = Path("/proc")


def claim(fd: int, path: Path) -> None:
    """Keep every other program off the open port. Raises PortBusyError.

    TIOCEXCL stops those who open the port, flock those who opened it before us and lock it too.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PortBusyError(describe_busy(path)) from None
    fcntl.ioctl(fd, termios.TIOCEXCL)


def release(fd: int) -> None:
    """End the exclusive use, for whoever else has the port open, and forget what was not sent yet: a close would
    wait for it. Never raises: the device may be gone.
    """
    with contextlib.suppress(OSError, termios.error):
        fcntl.ioctl(fd, termios.TIOCNXCL)
        termios.tcflush(fd, termios.TCOFLUSH)


def describe_busy(path: Path) -> str:
    """One sentence that names the program which holds the port, as far as /proc tells us."""
    holder = find_holder(path)
    if holder is None:
        return f"{path} is held by another program; stop it and try again"
    pid, name = holder
    return f"{path} is held by {name} (pid {pid}); stop it and try again"


def find_holder(path: Path) -> tuple[int, str] | None:
    """The process id and name of another program that has the port open, None when we may not see it."""
    return find_holders([path]).get(path)


def find_holders(paths: Iterable[Path]) -> dict[Path, tuple[int, str]]:
    """As `find_holder`, for many ports with one look at all processes; a port that nobody holds is left out."""
    devices = {path: device for path in paths if (device := _device(path))}
    wanted = set(devices.values())
    own = os.getpid()
    holders: dict[int, int] = {}
    for pid in sorted(_process_ids(), key=lambda one: one == own):  # ourselves only if it is nobody else
        for device in _open_devices(pid) & wanted:
            holders.setdefault(device, pid)
    held = {path: holders[device] for path, device in devices.items() if device in holders}
    return {path: (pid, _name(pid)) for path, pid in held.items()}


def _process_ids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]


def _open_devices(pid: int) -> set[int]:
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:  # not ours to see, or gone
        return set()
    return {device for entry in descriptors if (device := _device(entry)) is not None}


def _device(entry: Path) -> int | None:
    try:
        return entry.stat().st_rdev
    except OSError:
        return None


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "a program"

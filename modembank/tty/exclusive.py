"""One program a port: take it for ourselves, and say who else holds it.

Source: Linux tty_ioctl(4) TIOCEXCL, flock(2), proc(5).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
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
    try:
        device = path.stat().st_rdev
    except OSError:
        return None
    own = os.getpid()
    holders = (pid for pid in _process_ids() if _has_open(pid, device))
    pid = min(holders, key=lambda one: one == own, default=None)  # ourselves only if it is nobody else
    return None if pid is None else (pid, _name(pid))


def _process_ids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]


def _has_open(pid: int, device: int) -> bool:
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:  # not ours to see, or gone
        return False
    return any(_device(entry) == device for entry in descriptors)


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

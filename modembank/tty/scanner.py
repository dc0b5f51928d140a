"""Looks for modems again and again, and reads a rack whole only when something about it has changed.

A whole look at 256 modems opens some thousands of small files. What is plugged in, pulled out or given another number
shows in the names and times of a few folders, and those cost a fiftieth.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from modembank.tty.discovery import ModemPorts, scan

_FOLDERS = ("bus/usb/devices", "bus/usb-serial/devices", "class/sound")
_TTYS = ("ttyUSB", "ttyACM")

_QUICK_LOOKS = 20
"""After so many a whole one all the same: a kernel might keep an entry and change what stands behind it."""

_Mark = tuple[str, int, int]


class Scanner:
    """Remembers the last look. Its methods may be called from any one thread at a time."""

    def __init__(self, sysfs_root: Path, dev_root: Path, slots: Mapping[str, str]) -> None:
        self._sysfs_root, self._dev_root, self._slots = sysfs_root, dev_root, slots
        self._marks: frozenset[_Mark] | None = None
        self._found: tuple[ModemPorts, ...] = ()
        self._quick = 0

    def look(self) -> tuple[ModemPorts, ...]:
        """Return the modems as `scan` does."""
        marks = frozenset(self._read_marks())
        self._quick += 1
        if marks != self._marks or self._quick > _QUICK_LOOKS:
            # The marks are older than what is found: a change in between is seen at the next look.
            self._found = scan(self._sysfs_root, self._dev_root, self._slots)
            self._marks, self._quick = marks, 0
        return self._found

    def _read_marks(self) -> Iterator[_Mark]:
        for bus in _FOLDERS:
            yield from _marks(self._sysfs_root / bus)
        for folder in (self._sysfs_root / "class" / "tty", self._dev_root):
            yield from _marks(folder, _TTYS)


def _marks(folder: Path, prefixes: tuple[str, ...] = ("",)) -> Iterator[_Mark]:
    """A name that comes back is another inode, or the same one made anew."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(prefixes):
                    facts = entry.stat(follow_symlinks=False)
                    yield f"{folder}/{entry.name}", facts.st_ino, facts.st_ctime_ns
    except OSError:
        return  # no such bus here, or unplugged while we look: the next look tells

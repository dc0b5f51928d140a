"""Files of the fake `/sys` that do something when they are written, as the kernel's do.

Source: Linux inotify(7).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path

from modembank.errors import EmulatorError

_IN_CLOSE_WRITE = 0x8
_IN_IGNORED = 0x8000
_EVENT = struct.Struct("iIII")
_READ_BYTES = 65536


class Switches:
    """One inotify object for all switches; a switch ends with its file."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise EmulatorError(f"no inotify on this machine: {os.strerror(ctypes.get_errno())}")
        self._switches: dict[int, tuple[Path, Callable[[str], None]]] = {}
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def watch(self, file: Path, on_written: Callable[[str], None]) -> None:
        """Call `on_written` with the text, without white space around it, whenever the file was written."""
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(file), _IN_CLOSE_WRITE)
        if number < 0:
            raise EmulatorError(f"{file} cannot be watched: {os.strerror(ctypes.get_errno())}")
        self._switches[number] = (file, on_written)

    def close(self) -> None:
        """End all switches."""
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def _read(self) -> None:
        data = os.read(self._fd, _READ_BYTES)
        while data:
            number, mask, _, length = _EVENT.unpack_from(data)
            data = data[_EVENT.size + length :]
            if mask & _IN_IGNORED:
                self._switches.pop(number, None)
            elif number in self._switches:
                file, on_written = self._switches[number]
                try:
                    text = file.read_text().strip()
                except FileNotFoundError:
                    continue
                on_written(text)

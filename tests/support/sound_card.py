"""A sound card that alsa-lib opens by its name, with a pty behind it and a clock that the test turns."""

from __future__ import annotations

import contextlib
import os
import pty
import tty
from pathlib import Path

from modembank.emulator.cards import write_config
from modembank.media.records import AudioKind, AudioPlace


class SoundCard:
    """Plays what the host says into `heard`, and gives the host what `turn` is given."""

    def __init__(self, folder: Path, name: str = "Android", rate_hz: int = 8000) -> None:
        self.config = write_config(folder)
        self.place = AudioPlace(f"hw:CARD={name},DEV=0", rate_hz, AudioKind.ALSA)
        self._link = folder / name
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self._link.symlink_to(os.ttyname(slave))
        os.close(slave)
        os.set_blocking(self._master, False)
        self.heard = b""

    def turn(self, frame: bytes) -> None:
        """One period passes."""
        os.write(self._master, frame)
        with contextlib.suppress(BlockingIOError, OSError):
            self.heard += os.read(self._master, 65536)

    def unplug(self) -> None:
        """The card is gone."""
        if self._master >= 0:
            self._link.unlink()
            os.close(self._master)
            self._master = -1

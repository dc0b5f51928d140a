"""A real pty with a tiny modem behind it."""

from __future__ import annotations

import os
import select
import threading
import tty
from pathlib import Path


class Pty:
    """A pty whose far side answers `OK` to every line; `vanish` takes the device away."""

    def __init__(self) -> None:
        self._master, self._keeper = os.openpty()  # the keeper: a pty nobody has open is hung up
        tty.setraw(self._keeper)
        self.path = Path(os.ttyname(self._keeper))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def vanish(self) -> None:
        """Close the master: the host sees EIO or the end of file."""
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            os.close(self._master)
            os.close(self._keeper)

    def _serve(self) -> None:
        line = b""
        while not self._stop.is_set():
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            line += os.read(self._master, 1024)
            while b"\r" in line:
                _, _, line = line.partition(b"\r")
                os.write(self._master, b"\r\nOK\r\n")

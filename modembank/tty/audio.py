"""A modem's audio tty: raw s16 mono, whole 20 ms frames in, never a blocking write out.

It reads and writes the descriptor itself: one loop callback a frame costs a third of any serial library.
Source: hardware notes on `+QPCMV=1,0` (Quectel EC25 family, 16000 B/s each way on the NMEA interface) and on
`+CPCMFRM` (SIMCom SIM7600, 16000 or 32000 B/s).
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modembank.errors import PortBusyError, PortError, PortMissingError
from modembank.media.reactor import add_direct_reader, remove_direct_reader
from modembank.media.records import RATE_HZ, frame_bytes

_log = logging.getLogger(__name__)

_READ_BYTES = 4096
"""More than any driver hands out at once (1600 B is the largest burst seen), so that one read empties it."""

_BUSY = frozenset({errno.EBUSY, errno.EAGAIN, errno.EACCES, errno.EPERM})
_MISSING = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO})

_PTY_MAJORS = range(136, 144)
"""A pty stays exclusive after its holder was killed, as long as the other side is open: no TIOCEXCL there.

Source: Linux Documentation/admin-guide/devices.txt (Unix98 PTY slaves).
"""


@dataclass(slots=True)
class AudioCounters:
    """Frames (20 ms) each way; `refused` those that the driver's buffer did not take.

    `xruns`: times that a sound card ran over or dry, or that nobody fetched what it had.
    """

    read: int = 0
    written: int = 0
    refused: int = 0
    xruns: int = 0


class AudioPort:
    """One open audio tty. Owned by one call at a time; not to be used after `close()`."""

    __slots__ = (
        "_fd",
        "_loop",
        "_on_lost",
        "_on_pcm",
        "_paused",
        "_rest",
        "_rest_out",
        "_started",
        "counters",
        "frame_bytes",
        "path",
    )

    def __init__(self, path: Path, rate_hz: int = RATE_HZ) -> None:
        """Open, lock and flush the port; nothing is read before `start()`.

        Raises:
            PortError: the port is missing (PortMissingError), held (PortBusyError) or no terminal.
        """
        self.path = path
        self.frame_bytes = frame_bytes(rate_hz)
        self.counters = AudioCounters()
        self._rest = b""
        self._rest_out = b""
        self._paused = False
        self._started = False
        self._on_pcm: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[OSError | None], None] | None = None
        self._fd = _open_raw(path)

    @property
    def descriptor(self) -> int:
        """For somebody else who reads and writes it, until `close()`; -1 after that."""
        return self._fd

    def start(self, on_pcm: Callable[[bytes], None], on_lost: Callable[[OSError | None], None]) -> None:
        """Begin to read.

        Args:
            on_pcm: called with one or more whole frames, as many as one read brought.
            on_lost: called once when the device went away; the port is closed by then.
        """
        self._on_pcm, self._on_lost = on_pcm, on_lost
        self._started = True
        add_direct_reader(self._fd, self._readable)

    def write(self, pcm: bytes) -> int:
        """Hand whole frames to the driver now; return how many it took. What it does not take is dropped.

        A write that stops inside a frame is made whole before the next one, so that samples stay aligned.
        """
        frames = len(pcm) // self.frame_bytes
        if self._paused or self._fd < 0:
            self.counters.refused += frames
            return 0
        if self._rest_out:
            pcm = self._rest_out + pcm
        try:
            sent = os.write(self._fd, pcm)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lose(error)
            return 0
        if sent == len(pcm):
            self._rest_out = b""
            self.counters.written += frames
            return frames
        return self._short_write(pcm, sent, frames)

    def pause(self) -> None:
        """Write nothing until `resume()`: the modem said that it is busy."""
        self._paused = True

    def resume(self) -> None:
        """Write again."""
        self._paused = False

    def close(self) -> None:
        """Free the port; idempotent. What the driver still holds is thrown away in both directions."""
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        if self._started:
            remove_direct_reader(fd)
        self._on_pcm = self._on_lost = None
        try:
            termios.tcflush(fd, termios.TCIOFLUSH)
            fcntl.ioctl(fd, termios.TIOCNXCL)
        except (OSError, termios.error) as error:
            _log.debug("%s went away before it was closed: %s", self.path, error)
        os.close(fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        if not data:
            self._lose(None)
            return
        size = self.frame_bytes
        if len(data) == size and not self._rest:
            self.counters.read += 1
            if self._on_pcm is not None:
                self._on_pcm(data)
            return
        if self._rest or len(data) % size:
            data = self._rest + data
            whole = len(data) - len(data) % size
            self._rest = data[whole:]
            if not whole:
                return
            data = data[:whole]
        self.counters.read += len(data) // size
        if self._on_pcm is not None:
            self._on_pcm(data)

    def _short_write(self, pcm: bytes, sent: int, frames: int) -> int:
        """Keep the rest of a frame that was begun; drop the whole ones behind it."""
        left = len(pcm) - sent
        dropped = min(frames, left // self.frame_bytes)
        if sent:
            self._rest_out = pcm[sent : sent + left % self.frame_bytes]
        self.counters.refused += dropped
        self.counters.written += frames - dropped
        return frames - dropped

    def _lose(self, error: OSError | None) -> None:
        on_lost = self._on_lost
        _log.warning("audio port %s was lost: %s", self.path, error or "end of file")
        self.close()
        if on_lost is not None:
            on_lost(error)


def _open_raw(path: Path) -> int:
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _as_port_error(path, error) from error
    try:
        # flock is seen by everybody who locks; TIOCEXCL refuses those who do not.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _set_raw(fd)
        if os.major(os.fstat(fd).st_rdev) not in _PTY_MAJORS:
            fcntl.ioctl(fd, termios.TIOCEXCL)
        termios.tcflush(fd, termios.TCIOFLUSH)
    except OSError as error:
        os.close(fd)
        raise _as_port_error(path, error) from error
    except termios.error as error:
        os.close(fd)
        raise PortError(f"{path} is no terminal: choose the modem's audio port") from error
    return fd


def _set_raw(fd: int) -> None:
    """No translation, no echo, no signals, no modem control lines, 8 bits. Source: termios(3), cfmakeraw."""
    attributes = termios.tcgetattr(fd)
    control_characters = attributes[6]
    control_characters[termios.VMIN], control_characters[termios.VTIME] = 1, 0
    control = attributes[2] & ~(termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
    control |= termios.CS8 | termios.CREAD | termios.CLOCAL
    speed = termios.B115200  # means nothing on USB; any valid one
    termios.tcsetattr(fd, termios.TCSANOW, [0, 0, control, 0, speed, speed, control_characters])


def _as_port_error(path: Path, error: OSError) -> PortError:
    if error.errno in _MISSING:
        return PortMissingError(f"{path} does not exist: {error.strerror}")
    if error.errno in _BUSY:
        return PortBusyError(f"{path} is held by another program or not permitted: {error.strerror}")
    return PortError(f"{path} cannot be opened: {error.strerror}")

"""A modem's sound through a sound card: its own USB audio device, or a card that is wired to its pins.

A card that is unplugged or hangs may hold a caller in the kernel, so each open card has a thread of its own. That reads
period by period (the card is the clock), hands the frames to the event loop, and plays what the loop left for it.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
from collections import deque
from collections.abc import Callable

from modembank.errors import PortBusyError, PortError, PortLostError, PortMissingError
from modembank.media import pcm as samples
from modembank.media.records import AudioPlace, frame_bytes
from modembank.media.resampler import Resampler
from modembank.tty.alsa import AlsaPcm, Direction
from modembank.tty.audio import AudioCounters

_log = logging.getLogger(__name__)

RING_FRAMES = 10
"""200 ms each way between thread and loop; a loop that sleeps longer has lost the conversation anyway."""

PREFILL_FRAMES = 2
"""40 ms of silence in front of the first frame: a card plays on without us, and a tty's modem would not."""

XRUNS_IN_A_ROW = 50
"""A second of nothing but xruns: the card is broken, not late."""

_XRUN = frozenset({errno.EPIPE, errno.ESTRPIPE})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN, errno.EACCES, errno.EPERM})
_MISSING = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})


class AlsaPort:
    """One open sound card, with the interface of `AudioPort`. Owned by one call at a time."""

    def __init__(self, place: AudioPlace) -> None:
        """Take the card, both ways. Blocks; to be called in a thread that may be left behind.

        Raises:
            PortError: the card is missing (PortMissingError), held (PortBusyError), or cannot do what we need.
        """
        self.name = place.name
        self.frame_bytes = frame_bytes(place.rate_hz)
        self.counters = AudioCounters()
        try:
            self._capture = AlsaPcm(place.name, Direction.CAPTURE, place.rate_hz)
            try:
                self._playback = AlsaPcm(place.name, Direction.PLAYBACK, place.rate_hz)
            except OSError:
                self._capture.close()
                raise
        except OSError as error:
            raise _as_port_error(place.name, error) from error
        self._from_card = _Fit(self._capture.rate_hz, place.rate_hz)
        self._to_card = _Fit(place.rate_hz, self._playback.rate_hz)
        self._heard: deque[bytes] = deque()
        self._said: deque[bytes] = deque()
        self._told = False
        self._paused = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_pcm: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[OSError | None], None] | None = None

    def start(self, on_pcm: Callable[[bytes], None], on_lost: Callable[[OSError | None], None]) -> None:
        """Begin; see `AudioPort.start`."""
        self._on_pcm, self._on_lost = on_pcm, on_lost
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"sound {self.name}", daemon=True)
        self._thread.start()

    def write(self, pcm: bytes) -> int:
        """Leave whole frames for the card; return how many there was room for. What finds none is dropped."""
        size = self.frame_bytes
        frames = len(pcm) // size
        taken = 0 if self._paused or self._closed else min(frames, RING_FRAMES - len(self._said))
        for start in range(0, taken * size, size):
            self._said.append(pcm[start : start + size])
        self.counters.refused += frames - taken
        return taken

    def pause(self) -> None:
        """Play nothing until `resume()`."""
        self._paused = True

    def resume(self) -> None:
        """Play again."""
        self._paused = False

    def close(self) -> None:
        """Let the card go, within one period; idempotent. What was not played yet is dropped."""
        if self._closed:
            return
        self._closed = True
        self._on_pcm = self._on_lost = None
        if self._thread is None:
            self._let_go()

    # ---- the thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        lost: OSError | None = None
        try:
            self._prefill()
            while not self._closed:
                self._hear(self._read())
                while self._said:
                    self._play(self._said.popleft())
        except OSError as error:
            lost = error
        finally:
            self._let_go()
        if lost is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lose, lost)

    def _read(self) -> bytes:
        for _ in range(XRUNS_IN_A_ROW):
            try:
                pcm = self._capture.read()
            except OSError as error:
                if error.errno not in _XRUN:
                    raise
                self.counters.xruns += 1
                self._capture.restart()
            else:
                return self._from_card.run(samples.mono(pcm, self._capture.channels))
        raise OSError(errno.EPIPE, "nothing but overruns")

    def _hear(self, pcm: bytes) -> None:
        if len(self._heard) >= RING_FRAMES:
            self._heard.popleft()
            self.counters.xruns += 1
        self._heard.append(pcm)
        if not self._told and self._loop is not None and not self._loop.is_closed():
            self._told = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _play(self, frame: bytes) -> None:
        pcm = self._to_card.run(frame)
        if self._playback.channels == 2:
            pcm = samples.stereo(pcm)
        try:
            taken = self._playback.write(pcm)
        except OSError as error:
            if error.errno not in _XRUN:
                raise
            self.counters.xruns += 1
            self._playback.restart()
            self._prefill()
            taken = self._playback.write(pcm)
        if taken:
            self.counters.written += 1
        else:
            self.counters.refused += 1

    def _prefill(self) -> None:
        playback = self._playback
        playback.write(bytes(2 * playback.channels * playback.period * PREFILL_FRAMES))

    def _let_go(self) -> None:
        if self.counters.xruns:
            _log.warning("sound card %s ran over or dry %d times in this call", self.name, self.counters.xruns)
        self._capture.close()
        self._playback.close()

    # ---- the loop -------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        self._told = False
        frames = [self._heard.popleft() for _ in range(len(self._heard))]
        if frames and self._on_pcm is not None:
            self.counters.read += len(frames)
            self._on_pcm(b"".join(frames))

    def _lose(self, error: OSError) -> None:
        on_lost = self._on_lost
        if on_lost is not None:
            _log.warning("sound card %s was lost: %s", self.name, error)
            self.close()
            on_lost(error)


class _Fit:
    """Brings frames to another rate, or leaves them alone."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._resampler = None if from_hz == to_hz else Resampler(from_hz, to_hz)

    def run(self, pcm: bytes) -> bytes:
        """Return the frame at the other rate."""
        return pcm if self._resampler is None else self._resampler.run(pcm)


def _as_port_error(name: str, error: OSError) -> PortError:
    if error.errno in _MISSING:
        return PortMissingError(f"sound card {name} is not there: {error.strerror}; `arecord -L` lists those that are")
    if error.errno in _BUSY:
        return PortBusyError(
            f"sound card {name} is held by another program or not permitted: {error.strerror}; "
            "end a sound server that uses it, and put this user into the group audio"
        )
    if error.errno == errno.EINVAL:
        return PortError(f"sound card {name} takes no 16-bit sound that fits a telephone: try plug{name}")
    return PortLostError(f"sound card {name} cannot be opened: {error.strerror}")

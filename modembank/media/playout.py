"""The far side's frames, put in order and balanced against the modem's clock. Pure: no clock, no socket.

Every frame is written the moment it arrives; the modem's own input buffer is the cushion. We know its fill by
counting: each 20 ms frame read from the modem is one frame that it has played (a *tick*), each frame written
is one more in front of it. From that follow all rules:

- At a tick that leaves less than `FLOOR_FRAMES`, the frame that was due is late or lost: a filler is written
  in its place, so that the modem never starves.
- A late frame whose successors were not written yet is still written: the cushion has grown by the filler. A
  lost frame never comes, so one lost packet leaves no delay behind.
- A frame that overtook others waits for them while the modem still has frames in front of it: the wait costs
  nothing. When the cushion has run down, fillers take the places of the missing ones.
- When the smallest cushion of the last seconds was above the floor, one frame is left out, a silent one if
  one comes soon. That also follows the drift of the two clocks, one frame per 200 s at 100 ppm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modembank.media.pcm import rms, scaled
from modembank.media.records import RATE_HZ, frame_bytes

FLOOR_FRAMES = 1
"""What the modem must always hold after a tick: the frame it plays until the next one."""

EXTRA_FRAMES = 3
"""How much the cushion may grow above the floor: one frame in flight and two of jitter."""

HOLD_FRAMES = 4
"""The largest gap that is waited for; beyond it the sender has jumped."""

RESYNC_FRAMES = 250
"""A frame this far behind what was played belongs to a restarted stream."""

PATIENCE_TICKS = 250
"""5 s: the cushion shrinks after it was too large for so long; doubles when shrinking proved too early."""

_PATIENCE_MAX_TICKS = 2000
_SHED_WAIT_FRAMES = 25  # 0.5 s: how long a silent frame is waited for before any frame is left out
_SILENT_RMS = 100  # about -50 dBFS
_FADE = (0.6, 0.4, 0.2)  # each filler is the one before times this: silence after 60 ms


@dataclass(slots=True)
class PlayoutCounters:
    """What happened, in frames; `concealed` counts fillers while the far side was talking."""

    written: int = 0
    concealed: int = 0
    late: int = 0
    dropped: int = 0
    underruns: int = 0


class Playout:
    """The order and balance of one call's frames towards the modem; lives as long as its audio port."""

    __slots__ = (
        "_burst",
        "_conceal",
        "_filled",
        "_held",
        "_level",
        "_newest",
        "_patience",
        "_shed_due",
        "_silence",
        "_since_shed",
        "_ticking",
        "_window_burst",
        "_window_min",
        "_window_ticks",
        "counters",
        "last",
    )

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        self.counters = PlayoutCounters()
        self.last = self._silence = bytes(frame_bytes(rate_hz))
        """The last frame that was put out: for the level meter and for concealment."""
        self._conceal: Callable[[], bytes] | None = None
        self._level = 0
        self._ticking = False
        self._newest: int | None = None  # position of the last real frame put out or left out
        self._filled = 0  # fillers put out since then
        self._held: dict[int, bytes] = {}
        self._burst = self._window_burst = 1
        self._window_ticks = 0
        self._window_min = 1 << 30
        self._patience = PATIENCE_TICKS
        self._shed_due = 0
        self._since_shed = 1 << 30

    @property
    def cushion_frames(self) -> int:
        """Frames in front of the modem by our count."""
        return self._level

    def new_source(self, conceal: Callable[[], bytes] | None = None) -> None:
        """Another stream begins: its positions have nothing to do with the last one's.

        Args:
            conceal: makes up one frame; None for repetition that fades.
        """
        self._conceal = conceal
        self._newest = None
        self._held.clear()

    def missing(self, position: int) -> bool:
        """Return whether this frame's place is still open, so that recovering it is worth the work."""
        if self._newest is None:
            return False
        gap = position - self._newest
        return 0 < gap <= HOLD_FRAMES and gap > self._filled and position not in self._held

    def frame(self, position: int, pcm: bytes) -> bytes:
        """Take one frame of the far side; return what is to be written now (none, one or several frames).

        Args:
            position: its place in the stream, counted in frames; never the same one twice.
            pcm: one frame of samples.
        """
        newest = self._newest
        if newest is None:
            self._newest = newest = position - 1
            self._filled = 0
        gap = position - newest - 1
        if gap == 0 and not self._held and not self._shed_due and self._room():
            if self._filled:
                self._late()
            self._newest = position
            self._level += 1
            self.counters.written += 1
            self.last = pcm
            return pcm
        return self._unusual(position, gap, pcm)

    def tick(self, count: int = 1) -> bytes:
        """The modem has played `count` frames; return the fillers that must be written now."""
        self._level -= count
        if count > self._window_burst:
            self._window_burst = count
            self._burst = max(self._burst, count)
        out = b""
        if self._level < FLOOR_FRAMES:
            out = self._fill()
        self._ticking = True
        if self._level < self._window_min:
            self._window_min = self._level
        self._since_shed += count
        self._window_ticks += count
        if self._window_ticks >= self._patience:
            self._window_ends()
        return out

    def refused(self, frames: int) -> None:
        """The port did not take frames that were returned: they are not in front of the modem."""
        self._level = max(0, self._level - frames)
        self.counters.dropped += frames
        self.counters.written -= frames

    def restart(self) -> None:
        """The modem's buffer is known to be empty (its flow control stopped us, or its clock stood still)."""
        self._level = 0
        self._ticking = False
        self._window_min = 1 << 30
        self._window_ticks = 0

    def _room(self) -> bool:
        return self._level < FLOOR_FRAMES + EXTRA_FRAMES + self._burst - 1

    def _unusual(self, position: int, gap: int, pcm: bytes) -> bytes:
        if gap < 0:
            if gap > -RESYNC_FRAMES:
                self.counters.late += 1
                return b""
            gap = 0
            self._held.clear()
        elif gap > self._filled:
            if gap - self._filled <= HOLD_FRAMES and not self._shed_due:
                self._held[position] = pcm
                return b""
            if gap - self._filled > HOLD_FRAMES:
                self.counters.dropped += len(self._held)
                self._held.clear()
        out = self._put(position, pcm)
        return out + self._release() if self._held else out

    def _put(self, position: int, pcm: bytes) -> bytes:
        """Put out one real frame, or leave it out when the cushion is larger than it need be."""
        assert self._newest is not None
        skipped = position - self._newest - 1 - self._filled
        if skipped < 0:
            self._late()
        self._newest = position
        self._filled = 0
        if self._shed_due and skipped > 0:
            self._shed_due = 0  # the network left one out for us
            self._since_shed = 0
        elif not self._room() or self._shed_now(pcm):
            self.counters.dropped += 1
            return b""
        self._level += 1
        self.counters.written += 1
        self.last = pcm
        return pcm

    def _release(self) -> bytes:
        """Return the held frames that have become due."""
        assert self._newest is not None
        out = b""
        for position in sorted(self._held):
            if position <= self._newest:
                self.counters.late += 1
            elif position - self._newest - 1 <= self._filled:
                out += self._put(position, self._held[position])
            else:
                break
            del self._held[position]
        return out

    def _fill(self) -> bytes:
        """Put fillers in until the floor is reached; frames that waited for them follow at once."""
        if self._level < 0:
            self._level = 0  # what the modem did not have it cannot have played
            self.counters.underruns += self._ticking
        if not self._ticking:
            return self._prime()
        out = b""
        while self._level < FLOOR_FRAMES:
            filler = self._filler()
            self._filled += 1
            self._level += 1
            out += filler
            if self._held:
                out += self._release()
        return out

    def _prime(self) -> bytes:
        """The modem's clock begins: these fillers are the cushion itself and take nobody's place."""
        frames = FLOOR_FRAMES - self._level
        self._level = FLOOR_FRAMES
        return self._silence * frames

    def _filler(self) -> bytes:
        if self._newest is None or self._filled >= len(_FADE):
            self.last = self._silence
            return self._silence
        self.counters.concealed += 1
        if self._conceal is not None:
            self.last = self._conceal() or self._silence
        else:
            self.last = scaled(self.last, _FADE[self._filled])
        return self.last

    def _late(self) -> None:
        """A frame comes after its place was filled: from here on there is one frame more of cushion."""
        self.counters.late += 1
        self._filled = 0
        if self._since_shed < self._patience:
            self._patience = min(2 * self._patience, _PATIENCE_MAX_TICKS)
            self._since_shed = 1 << 30

    def _window_ends(self) -> None:
        if self._window_min > FLOOR_FRAMES:
            if not self._shed_due:
                self._shed_due = _SHED_WAIT_FRAMES
        elif self._since_shed > 4 * self._patience:
            self._patience = max(PATIENCE_TICKS, self._patience // 2)
        self._burst = self._window_burst
        self._window_burst = 1
        self._window_ticks = 0
        self._window_min = 1 << 30

    def _shed_now(self, pcm: bytes) -> bool:
        if not self._shed_due:
            return False
        self._shed_due -= 1
        if self._shed_due and rms(pcm) > _SILENT_RMS:
            return False
        self._shed_due = 0
        self._since_shed = 0
        return True

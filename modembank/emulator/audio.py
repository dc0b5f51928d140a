"""The modems' audio clocks: each takes and gives 320 bytes every 20 ms of its own time.

One timer serves all: streams stand in a heap by their next due time. A tick costs one read and one write.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import asdict, dataclass

from modembank.emulator import signals
from modembank.emulator.distortion import Distortion
from modembank.emulator.ports import Port
from modembank.emulator.settings import Faults
from modembank.emulator.signals import FRAME_BYTES, FRAME_S, SILENCE, WIDE_FRAME_BYTES

UPLINK_BYTES = 3200
"""The module keeps 200 ms of uplink. Source: hardware facts section 4.1, keep at most 100 to 200 ms in flight."""

READY_BYTES = 1600
EARLY_S = 0.0005
"""Streams due within half a millisecond share one wake-up."""

GIVE_UP_S = 0.5
"""After a standstill longer than this a stream starts anew instead of catching up."""

NMEA_EVERY_FRAMES = 50
NMEA = b"$GPGSV,1,1,00*79\r\n$GPRMC,,V,,,,,,,,,,N*53\r\n"


@dataclass(slots=True)
class AudioCounters:
    """Counted since the modem was plugged in; bytes unless the name says frames."""

    uplink_frames: int = 0
    uplink_underruns: int = 0
    """Frames that the host owed after its first byte of a call."""
    uplink_overflow_bytes: int = 0
    downlink_frames: int = 0
    downlink_dropped_bytes: int = 0
    late_frames: int = 0
    """Frames that the emulator itself served more than 5 ms late."""

    def as_record(self) -> dict[str, object]:
        """Return the counters for the control protocol."""
        return asdict(self)


class AudioClock:
    """Serves all running streams by one timer."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, AudioStream]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def start(self, stream: AudioStream, phase_s: float) -> None:
        """Start a stream; `phase_s` is where inside 20 ms its frames fall."""
        now = asyncio.get_running_loop().time()
        first = (now // FRAME_S + 1) * FRAME_S + phase_s
        self._count += 1
        heapq.heappush(self._heap, (first, self._count, stream))
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._heap:
            self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._run)

    def _run(self) -> None:
        now = asyncio.get_running_loop().time()
        heap = self._heap
        while heap and heap[0][0] <= now + EARLY_S:
            due, count, stream = heap[0]
            if not stream.running:
                heapq.heappop(heap)
                continue
            stream.tick(now - due)
            due += stream.period_s
            if now - due > GIVE_UP_S:
                due = now + stream.period_s
            heapq.heapreplace(heap, (due, count, stream))
        self._timer = None
        self._arm()


class AudioStream:
    """The audio of one modem while a call is up, `wide` at 16 kHz; ends with `running = False`.

    `exchange` gives one uplink frame to the network and returns the downlink frame.
    """

    def __init__(
        self,
        port: Port,
        faults: Faults,
        counters: AudioCounters,
        exchange: Callable[[bytes], bytes],
        on_busy: Callable[[bool], None],
        *,
        wide: bool = False,
    ) -> None:
        self._size = WIDE_FRAME_BYTES if wide else FRAME_BYTES
        self._fit = signals.to_16khz if wide else signals.to_8khz
        self.running = True
        self.period_s = FRAME_S / (1 + faults.ppm * 1e-6)
        self._port = port
        self._faults = faults
        self._distortion = Distortion(faults)
        self._counters = counters
        self._exchange = exchange
        self._on_busy = on_busy
        self._uplink = bytearray()
        self._spoken = False
        self._busy = False
        self._downlink = bytearray()
        self._frames = 0
        port.unwatch()
        while port.read():
            pass  # what the host wrote while there was no call

    def stop(self) -> None:
        """End the stream."""
        self.running = False
        if self._port.master >= 0:
            self._port.watch()

    def tick(self, late_s: float) -> None:
        """Serve one frame each way."""
        if late_s > 0.005:
            self._counters.late_frames += 1
        if self._faults.stall_audio:
            return
        self.period_s = FRAME_S / (1 + self._faults.ppm * 1e-6)
        data = self._port.read()
        uplink = self._distortion.uplink(self._uplink_frame(data))
        downlink = self._distortion.downlink(self._exchange(uplink))
        if len(downlink) != self._size:
            downlink = self._fit(downlink)
        if data is None:
            self._port.forget_host()
            return
        self._frames += 1
        self._counters.downlink_frames += 1
        self._give(downlink)

    def closed(self) -> None:
        """Nobody has the port open: what was underway is forgotten."""
        self._uplink.clear()
        self._spoken = False
        self._port.forget_host()

    def insert(self, text: bytes) -> None:
        """Put bytes that are no audio into the stream (GNSS sentences)."""
        self._downlink += text

    def _uplink_frame(self, data: bytes | None) -> bytes:
        if data and not self._faults.qpcmv_busy:
            self._spoken = True
            if len(data) == self._size and not self._uplink:
                self._counters.uplink_frames += 1
                return data  # the usual case: one frame a tick, nothing waits
            self._take(data)
        return self._next_uplink()

    def _take(self, data: bytes) -> None:
        self._uplink += data
        over = len(self._uplink) - UPLINK_BYTES
        if over > 0:
            # Whole samples only: half of one would turn the rest of the call into noise.
            over += over % 2
            del self._uplink[len(self._uplink) - over :]
            self._counters.uplink_overflow_bytes += over
            self._set_busy(True)

    def _next_uplink(self) -> bytes:
        if len(self._uplink) >= self._size:
            frame = bytes(self._uplink[: self._size])
            del self._uplink[: self._size]
            self._counters.uplink_frames += 1
            if self._busy and len(self._uplink) <= READY_BYTES:
                self._set_busy(False)
            return frame
        self._counters.uplink_underruns += self._spoken
        return SILENCE

    def _set_busy(self, busy: bool) -> None:
        if busy != self._busy:
            self._busy = busy
            self._on_busy(busy)

    def _give(self, frame: bytes) -> None:
        faults = self._faults
        if not (faults.odd_reads or faults.burst_audio or self._downlink):
            self._counters.downlink_dropped_bytes += len(frame) - self._port.write_now(frame)
            return
        self._downlink += frame
        size = len(self._downlink)
        if faults.odd_reads:
            size -= self._frames % 2
        if faults.burst_audio and self._frames % 2:
            return
        sent = self._port.write_now(bytes(self._downlink[:size]))
        self._counters.downlink_dropped_bytes += size - sent
        del self._downlink[:size]


class CardStream(AudioStream):
    """A sound card's: its clock runs from plugging in to unplugging, call or not, and nobody need have it open."""

    def tick(self, late_s: float) -> None:
        """Serve one frame each way where somebody listens."""
        if self._port.is_open():
            super().tick(late_s)
        else:
            self.closed()

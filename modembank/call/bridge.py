"""Joins a modem's audio tty and a WebRTC far side; the modem is the clock of both directions."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from modembank.call.media import (
    AudioPlace,
    MediaPhase,
    MediaSession,
    MediaSettings,
    MediaSink,
    MediaStats,
)
from modembank.call.session import FarSession
from modembank.media import codecs, tones
from modembank.media import pcm as samples
from modembank.media.codecs import Codec
from modembank.media.playout import Playout
from modembank.media.records import FRAME_S
from modembank.tty.sound import SoundPort, open_sound
from modembank.webrtc.flow import Flow, Negotiated, PacketFlow
from modembank.webrtc.stream import FarFrames, SendStream

_HOUSEKEEPING_S = 0.1
_STALL_S = 0.2
"""A modem that gave no frame for so long has no clock: its modules deliver at least every 100 ms."""

_LOUD_RMS = 150
"""About -47 dBFS: above the idle noise of GSM codecs, below any announcement or network tone."""

_LOUD_FRAMES = 3
"""60 ms of sound are early media; a click is not."""

_METER_EVERY = 5
_REPORT_EVERY = 10


class BridgeSession(FarSession):
    """The media of one call in Python; made by `DirectMediaEngine.open()`."""

    def __init__(
        self,
        engine: DirectMediaEngine,
        call_id: str,
        port: SoundPort,
        rate_hz: int,
        settings: MediaSettings,
        sink: MediaSink,
    ) -> None:
        """Takes the port over."""
        super().__init__(call_id, rate_hz, settings, sink)
        self._engine = engine
        self._port = port
        self._size = port.frame_bytes
        self._silence = bytes(self._size)
        self._playout = Playout(rate_hz)
        self._stream = SendStream()
        self._flow: PacketFlow | None = None
        self._talking = False
        self._early = False
        self._loud_frames = 0
        self._ringback = tones.Loop(tones.ringback_frames(settings.country, rate_hz))
        self._comfort = tones.Loop(tones.comfort_frames(rate_hz))
        self._frames = 0
        self._rms_to_far = self._rms_from_far = 0
        self._stalls = 0
        self._stalled = True
        self._port.start(self._modem_pcm, self._modem_gone)

    def make_flow(self, negotiated: Negotiated) -> PacketFlow:
        """See `PeerOwner.make_flow`."""
        codec = codecs.make_codec(negotiated.codec, self._rate_hz)
        frames = FarFrames(self.far_frame, self._playout.missing, self.far_digit, self.far_source)
        return PacketFlow(codec, negotiated, frames, self._stream)

    def far_attached(self, flow: Flow) -> None:
        """See `FarSession.far_attached`."""
        assert isinstance(flow, PacketFlow)
        self._flow = flow

    @property
    def frames_read(self) -> int:
        """See `FarSession.frames_read`."""
        return self._port.counters.read

    @property
    def stalled(self) -> bool:
        """See `FarSession.stalled`."""
        return self._stalled

    def far_gone(self) -> None:
        """See `FarSession.far_gone`."""
        self._engine.forget(self)
        self._port.close()

    def phase(self, phase: MediaPhase) -> None:
        """See `MediaSession.phase`."""
        if phase is self._phase:
            return
        if self._phase is MediaPhase.HELD:
            self._stream.marker = True
        self._phase = phase
        self._talking = phase is MediaPhase.TALKING
        self._last_read_s = time.monotonic()  # before the answer a modem may well give no sound
        self._ringback.rewind()

    def set_muted(self, on: bool) -> None:
        """See `MediaSession.set_muted`."""
        self._muted = on

    def modem_flow(self, ready: bool) -> None:
        """See `MediaSession.modem_flow`."""
        if ready:
            self._port.resume()
            self._playout.restart()
        else:
            self._port.pause()

    def stats(self) -> MediaStats:
        """See `MediaSession.stats`."""
        port, playout = self._port.counters, self._playout.counters
        return replace(
            self._far_stats(),
            packets_to_far=self._stream.packets,
            bytes_to_far=self._stream.octets,
            frames_from_modem=port.read,
            frames_to_modem=port.written,
            late=playout.late,
            concealed=playout.concealed,
            dropped=playout.dropped,
            underruns=playout.underruns,
            cushion_frames=self._playout.cushion_frames,
            modem_stalls=self._stalls,
        )

    def far_frame(self, position: int, pcm: bytes) -> None:
        """One frame of the far side: written to the modem now, or kept until its turn."""
        if self._muted or (not self._talking and self._phase is MediaPhase.HELD):
            pcm = self._silence
        out = self._playout.frame(position, pcm)
        if out:
            taken = self._port.write(out)
            if taken * self._size != len(out):
                self._playout.refused(len(out) // self._size - taken)

    def far_source(self, codec: Codec) -> None:
        """The far side begins a new stream."""
        self._playout.new_source(codec.conceal)

    def housekeep(self, now_s: float) -> None:
        """See `FarSession.housekeep`."""
        super().housekeep(now_s)
        if not self._stalled and now_s - self._last_read_s >= _STALL_S:
            self._stalled = True
            self._stalls += 1

    def stand_in(self) -> None:
        """Give the far side one frame while the modem gives none."""
        self._to_far(self._silence)

    @property
    def has_peer(self) -> bool:
        """Whether anybody would hear a frame."""
        return self._flow is not None

    def _modem_pcm(self, data: bytes) -> None:
        """Whole frames from the modem: each is sent on, and tells that the modem has played one of ours."""
        if self._stalled:
            self._stalled = False
            self._playout.restart()
        size = self._size
        count = len(data) // size
        if count == 1:
            if self._talking and self._flow is not None:
                self._flow.send(data)
                self._frames += 1
                if self._frames % _METER_EVERY == 0:
                    self._meter(data)
            else:
                self._to_far(data)
        else:
            for start in range(0, len(data), size):
                self._to_far(data[start : start + size])
        fillers = self._playout.tick(count)
        if fillers:
            taken = self._port.write(fillers)
            self._playout.refused(len(fillers) // size - taken)

    def _modem_gone(self, error: OSError | None) -> None:
        self._stalled = True
        self._tell_lost(error)

    def _to_far(self, modem: bytes) -> None:
        if not self._talking:
            held = self._phase is MediaPhase.HELD
            modem = self._comfort.next() if held else self._before_answer(modem)
        if self._flow is not None:
            self._flow.send(modem)
        self._frames += 1
        if self._frames % _METER_EVERY == 0:
            self._meter(modem)

    def _before_answer(self, modem: bytes) -> bytes:
        """Pass early media on; where the network sends none, ring for it."""
        if self._early:
            return modem
        if samples.rms(modem) >= _LOUD_RMS:
            self._loud_frames += 1
            if self._loud_frames >= _LOUD_FRAMES:
                self._early = True
                self._sink.early_media()
            return modem
        self._loud_frames = 0
        if self._phase is MediaPhase.ALERTING and self._settings.ringback:
            return self._ringback.next()
        return modem

    def _meter(self, heard: bytes) -> None:
        self._rms_to_far = max(self._rms_to_far, samples.rms(heard))
        self._rms_from_far = max(self._rms_from_far, samples.rms(self._playout.last))
        if self._frames % _REPORT_EVERY == 0:
            self._tell_levels(self._rms_to_far, self._rms_from_far)
            self._rms_to_far = self._rms_from_far = 0


class DirectMediaEngine:
    """Implements `MediaEngine`: every packet and every frame is one callback on this loop, nothing in between."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._sessions: set[BridgeSession] = set()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._standing_in: asyncio.TimerHandle | None = None
        tones.prepare(settings.country)

    async def open(self, call_id: str, audio: AudioPlace, sink: MediaSink) -> MediaSession:
        """See `MediaEngine.open`."""
        port = await open_sound(audio)
        session = BridgeSession(self, call_id, port, audio.rate_hz, self._settings, sink)
        self._sessions.add(session)
        loop = asyncio.get_running_loop()
        if self._housekeeping is None:
            self._housekeeping = loop.call_later(_HOUSEKEEPING_S, self._housekeep)
        if self._standing_in is None:
            self._standing_in = loop.call_later(FRAME_S, self._stand_in, loop.time() + FRAME_S)
        return session

    def forget(self, session: BridgeSession) -> None:
        """The session is closing."""
        self._sessions.discard(session)

    def _housekeep(self) -> None:
        now_s = time.monotonic()
        for session in list(self._sessions):
            session.housekept(now_s)
        self._housekeeping = None
        if self._sessions:
            loop = asyncio.get_running_loop()
            self._housekeeping = loop.call_later(_HOUSEKEEPING_S, self._housekeep)
            if self._standing_in is None and any(session.stalled for session in self._sessions):
                self._stand_in(loop.time())

    def _stand_in(self, due_s: float) -> None:
        """Tick for the modems that do not; runs only while there is one."""
        waiting = [session for session in self._sessions if session.stalled]
        for session in waiting:
            if session.has_peer:
                session.stand_in()
        self._standing_in = None
        if waiting:
            loop = asyncio.get_running_loop()
            next_s = max(due_s + FRAME_S, loop.time() - 5 * FRAME_S)  # a stopped loop is not made up for
            self._standing_in = loop.call_at(next_s, self._stand_in, next_s)

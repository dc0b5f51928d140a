"""Joins a modem's audio tty and a WebRTC far side; the modem is the clock of both directions."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from modembank.call.media import (
    AudioPlace,
    Levels,
    MediaPhase,
    MediaSession,
    MediaSettings,
    MediaSink,
    MediaState,
    MediaStats,
)
from modembank.errors import WrongStateError
from modembank.media import pcm as samples
from modembank.media import tones
from modembank.media.codecs import Codec
from modembank.media.playout import Playout
from modembank.media.records import FRAME_S, RATE_HZ, WIDE_RATE_HZ
from modembank.tty.audio import AudioPort
from modembank.webrtc.peer import WebRtcPeer
from modembank.webrtc.stream import SendStream

_log = logging.getLogger(__name__)

_HOUSEKEEPING_S = 0.1
_STALL_S = 0.2
"""A modem that gave no frame for so long has no clock: its modules deliver at least every 100 ms."""

_LOUD_RMS = 150
"""About -47 dBFS: above the idle noise of GSM codecs, below any announcement or network tone."""

_LOUD_FRAMES = 3
"""60 ms of sound are early media; a click is not."""

_METER_EVERY = 5
_REPORT_EVERY = 10


class BridgeSession:
    """The media of one call; made by `DirectMediaEngine.open()`."""

    def __init__(
        self, engine: DirectMediaEngine, call_id: str, audio: AudioPlace, settings: MediaSettings, sink: MediaSink
    ) -> None:
        """Raises PortError when the audio port cannot be taken."""
        self._engine = engine
        self._call_id = call_id
        self._settings = settings
        self._sink = sink
        self._rate_hz = audio.rate_hz
        self._port = AudioPort(Path(audio.name), audio.rate_hz)
        self._size = self._port.frame_bytes
        self._silence = bytes(self._size)
        self._playout = Playout(audio.rate_hz)
        self._stream = SendStream()
        self._peer: WebRtcPeer | None = None
        self._attaching = asyncio.Lock()
        self._closed = False
        self._state = MediaState.NEW
        self._phase = MediaPhase.DIALING
        self._talking = False
        self._muted = False
        self._early = False
        self._loud_frames = 0
        self._ringback = tones.Loop(tones.ringback_frames(settings.country, audio.rate_hz))
        self._comfort = tones.Loop(tones.comfort_frames(audio.rate_hz))
        self._frames = 0
        self._rms_to_far = self._rms_from_far = 0
        self._last_read = 0
        self._last_read_s = time.monotonic()
        self._stalls = 0
        self._dead = False
        self._packets_before = self._octets_before = self._lost_before = 0
        self.stalled = True
        """The modem's clock stands still; the engine's takes its place towards the far side."""
        self._port.start(self._modem_pcm, self._modem_gone)

    async def attach(self, offer_sdp: str) -> str:
        """See `MediaSession.attach`."""
        async with self._attaching:
            if self._closed:
                raise WrongStateError("the call's media is closed")
            peer = WebRtcPeer(self._settings, self, self._stream, self._rate_hz)
            try:
                answer = await peer.answer(offer_sdp)
                if self._closed:
                    raise WrongStateError("the call ended while it was being joined")
            except BaseException:
                await peer.close()
                raise
            former, self._peer = self._peer, peer
            self.far_state(MediaState.NEW)
            if former is not None:
                self._keep_counts(former)
                await former.close()
            return answer

    async def add_candidate(self, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """See `MediaSession.add_candidate`."""
        if self._peer is None:
            raise WrongStateError("no far side is attached: send an offer first")
        await self._peer.add_candidate(candidate, sdp_mid, sdp_m_line_index)

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
        peer, port, playout = self._peer, self._port.counters, self._playout.counters
        counter = peer.counter if peer else None
        return MediaStats(
            codec=peer.codec if peer else None,
            packets_to_far=self._stream.packets,
            packets_from_far=self._packets_before + (counter.received if counter else 0),
            bytes_to_far=self._stream.octets,
            bytes_from_far=self._octets_before + (peer.octets_received if peer else 0),
            frames_from_modem=port.read,
            frames_to_modem=port.written,
            lost=self._lost_before + (max(0, counter.lost) if counter else 0),
            late=playout.late,
            concealed=playout.concealed,
            dropped=playout.dropped,
            underruns=playout.underruns,
            cushion_frames=self._playout.cushion_frames,
            modem_stalls=self._stalls,
            jitter_ms=counter.jitter_ms if counter else 0.0,
            rtt_ms=1000 * peer.rtt_s if peer and peer.rtt_s is not None else None,
            far_loss_fraction=peer.loss_fraction if peer else None,
        )

    async def close(self) -> None:
        """See `MediaSession.close`."""
        if self._closed:
            return
        self._closed = True
        self._engine.forget(self)
        self._port.close()
        # An attach that still gathers candidates finds the call closed when it is done: nobody waits for it here.
        if self._peer is not None:
            await self._peer.close()

    def far_frame(self, position: int, pcm: bytes) -> None:
        """One frame of the far side: written to the modem now, or kept until its turn."""
        if self._muted or (not self._talking and self._phase is MediaPhase.HELD):
            pcm = self._silence
        out = self._playout.frame(position, pcm)
        if out:
            taken = self._port.write(out)
            if taken * self._size != len(out):
                self._playout.refused(len(out) // self._size - taken)

    def far_missing(self, position: int) -> bool:
        """Return whether the modem has not been given anything in this frame's place yet."""
        return self._playout.missing(position)

    def far_digit(self, digit: str) -> None:
        """A key was pressed on the far side."""
        self._sink.far_dtmf(digit)

    def far_source(self, codec: Codec) -> None:
        """The far side begins a new stream."""
        self._playout.new_source(codec.conceal)

    def far_state(self, state: MediaState) -> None:
        """The far side's transport changed."""
        if state is not self._state and not self._closed:
            self._state = state
            self._sink.media_state(state)

    def housekeep(self, now_s: float) -> None:
        """Look after what is not tied to a frame; called by the engine about ten times per second."""
        read = self._port.counters.read
        if read != self._last_read:
            self._last_read, self._last_read_s = read, now_s
        elif not self.stalled and now_s - self._last_read_s >= _STALL_S:
            self.stalled = True
            self._stalls += 1
        elif self._talking and not self._dead and now_s - self._last_read_s >= self._settings.lost_after_s:
            self._dead = True
            _log.warning("call %s: no sound from the modem for %g s", self._call_id, self._settings.lost_after_s)
            self._sink.modem_audio_dead()
        if self._peer is not None:
            self._peer.housekeep(now_s)

    def stand_in(self) -> None:
        """Give the far side one frame while the modem gives none."""
        self._to_far(self._silence)

    @property
    def has_peer(self) -> bool:
        """Whether anybody would hear a frame."""
        return self._peer is not None

    def _modem_pcm(self, data: bytes) -> None:
        """Whole frames from the modem: each is sent on, and tells that the modem has played one of ours."""
        if self.stalled:
            self.stalled = False
            self._playout.restart()
        size = self._size
        count = len(data) // size
        if count == 1:
            if self._talking and self._peer is not None:
                self._peer.send(data)
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
        _log.warning("call %s: the modem's audio port went away (%s)", self._call_id, error or "end of file")
        self.stalled = True
        self._sink.modem_audio_lost()

    def _to_far(self, modem: bytes) -> None:
        if not self._talking:
            held = self._phase is MediaPhase.HELD
            modem = self._comfort.next() if held else self._before_answer(modem)
        if self._peer is not None:
            self._peer.send(modem)
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
            if self._state is MediaState.CONNECTED:
                levels = Levels(samples.dbfs(self._rms_to_far), samples.dbfs(self._rms_from_far))
                self._sink.levels(levels)
            self._rms_to_far = self._rms_from_far = 0

    def _keep_counts(self, former: WebRtcPeer) -> None:
        counter = former.counter
        self._packets_before += counter.received if counter else 0
        self._octets_before += former.octets_received
        self._lost_before += max(0, counter.lost) if counter else 0


class DirectMediaEngine:
    """Implements `MediaEngine`: every packet and every frame is one callback on this loop, nothing in between."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._sessions: set[BridgeSession] = set()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._standing_in: asyncio.TimerHandle | None = None
        # Made once here, so that no call waits for the arithmetic.
        for rate_hz in (RATE_HZ, WIDE_RATE_HZ):
            tones.ringback_frames(settings.country, rate_hz)
            tones.comfort_frames(rate_hz)

    async def open(self, call_id: str, audio: AudioPlace, sink: MediaSink) -> MediaSession:
        """See `MediaEngine.open`."""
        session = BridgeSession(self, call_id, audio, self._settings, sink)
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
            session.housekeep(now_s)
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

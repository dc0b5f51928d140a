"""The media of calls whose sound is carried by the C core (`modembank.plane`)."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

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
from modembank.media.codecs import Codec
from modembank.media.records import frame_bytes
from modembank.plane import binding
from modembank.plane.binding import Note
from modembank.plane.line import Phase, Plane, PlaneLine, content
from modembank.tty.audio import AudioPort
from modembank.webrtc.flow import Flow, Negotiated, PacketFlow
from modembank.webrtc.internals import srtp_functions
from modembank.webrtc.plane_flow import PlaneFlow, carries
from modembank.webrtc.stream import FarFrames, SendStream

_log = logging.getLogger(__name__)

_HOUSEKEEPING_S = 0.1

_PHASES = {
    MediaPhase.DIALING: Phase.DIALING,
    MediaPhase.ALERTING: Phase.ALERTING,
    MediaPhase.TALKING: Phase.TALKING,
    MediaPhase.HELD: Phase.HELD,
}


class PlaneSession(FarSession):
    """The media of one call; made by `PlaneMediaEngine.open()`.

    A codec that the core does not have is run in Python: the line then gives and takes frames instead of packets.
    """

    def __init__(
        self,
        engine: PlaneMediaEngine,
        plane: Plane,
        call_id: str,
        audio: AudioPlace,
        settings: MediaSettings,
        sink: MediaSink,
    ) -> None:
        """Raises PortError when the audio port cannot be taken, MediaError when the plane has no room."""
        super().__init__(call_id, audio.rate_hz, settings, sink)
        self._engine = engine
        self._port = AudioPort(Path(audio.name), audio.rate_hz)
        self._stream = SendStream()
        self._flow: Flow | None = None
        self._levels_told = 0
        try:
            self._line = PlaneLine(
                plane,
                self._port.descriptor,
                samples=frame_bytes(audio.rate_hz) // 2,
                ringback=tones.ringback(settings.country, audio.rate_hz),
                comfort=tones.comfort(audio.rate_hz),
                ring=settings.ringback,
                on_note=self._on_note,
            )
        except BaseException:
            self._port.close()
            raise

    def make_flow(self, negotiated: Negotiated) -> Flow:
        """See `PeerOwner.make_flow`."""
        if carries(negotiated.codec, self._rate_hz):
            return PlaneFlow(self._line, self._rate_hz, negotiated, self.far_digit)
        codec = codecs.make_codec(negotiated.codec, self._rate_hz)
        frames = FarFrames(self._line.frame, self._line.missing, self.far_digit, self._far_source)
        return PacketFlow(codec, negotiated, frames, self._stream)

    def far_attached(self, flow: Flow) -> None:
        """See `FarSession.far_attached`."""
        self._flow = flow
        if isinstance(flow, PacketFlow):
            self._line.attach_by_frames()

    def phase(self, phase: MediaPhase) -> None:
        """See `MediaSession.phase`."""
        if phase is self._phase:
            return
        if self._phase is MediaPhase.HELD:
            self._stream.marker = True
        self._phase = phase
        self._last_read_s = time.monotonic()  # before the answer a modem may well give no sound
        self._line.phase(_PHASES[phase])

    def set_muted(self, on: bool) -> None:
        """See `MediaSession.set_muted`."""
        self._muted = on
        self._line.mute(on)

    def modem_flow(self, ready: bool) -> None:
        """See `MediaSession.modem_flow`."""
        self._line.modem_ready(ready)

    def stats(self) -> MediaStats:
        """See `MediaSession.stats`."""
        facts, playout = self._line.facts, self._line.playout
        return replace(
            self._far_stats(),
            packets_to_far=facts.sent_packets + self._stream.packets,
            bytes_to_far=facts.sent_octets + self._stream.octets,
            frames_from_modem=facts.frames_read,
            frames_to_modem=facts.frames_written,
            late=playout.late,
            concealed=playout.concealed,
            dropped=playout.dropped,
            underruns=playout.underruns,
            cushion_frames=playout.level,
            modem_stalls=facts.stalls,
        )

    def housekeep(self, now_s: float) -> None:
        """See `FarSession.housekeep`."""
        super().housekeep(now_s)
        facts = self._line.facts
        if facts.levels != self._levels_told:
            self._levels_told = facts.levels
            self._tell_levels(facts.rms_to_far, facts.rms_from_far)

    @property
    def frames_read(self) -> int:
        """See `FarSession.frames_read`."""
        return int(self._line.facts.frames_read)

    @property
    def stalled(self) -> bool:
        """See `FarSession.stalled`."""
        return bool(self._line.facts.stalled)

    def far_gone(self) -> None:
        """See `FarSession.far_gone`."""
        self._line.close()
        self._port.close()
        self._engine.forget(self)

    def _far_source(self, _codec: Codec) -> None:
        self._line.new_source()

    def _on_note(self, note: Note) -> None:
        match note.kind:
            case binding.NOTE_FRAME:
                if isinstance(self._flow, PacketFlow):
                    self._flow.send(content(note))
            case binding.NOTE_EARLY:
                self._sink.early_media()
            case binding.NOTE_PORT_LOST:
                self._port.close()
                self._tell_lost(OSError(note.value, "") if note.value else None)
            case _ if isinstance(self._flow, PlaneFlow):
                self._flow.on_note(note)


class PlaneMediaEngine:
    """Implements `MediaEngine`; its thread lives as long as there are calls."""

    def __init__(self, settings: MediaSettings) -> None:
        """Raises MediaError when the C core was not built."""
        binding.load()
        self._settings = settings
        self._plane: Plane | None = None
        self._sessions: set[PlaneSession] = set()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._notes_lost = 0
        tones.prepare(settings.country)

    async def open(self, call_id: str, audio: AudioPlace, sink: MediaSink) -> MediaSession:
        """See `MediaEngine.open`."""
        if self._plane is None:
            self._plane = Plane(srtp_functions())
        try:
            session = PlaneSession(self, self._plane, call_id, audio, self._settings, sink)
        except BaseException:
            self._rest()
            raise
        self._sessions.add(session)
        if self._housekeeping is None:
            self._housekeeping = asyncio.get_running_loop().call_later(_HOUSEKEEPING_S, self._housekeep)
        return session

    def forget(self, session: PlaneSession) -> None:
        """The session is closing."""
        self._sessions.discard(session)
        self._rest()

    def _rest(self) -> None:
        """End the thread with the last call."""
        if not self._sessions and self._plane is not None:
            self._plane.close()
            self._plane, self._notes_lost = None, 0

    def _housekeep(self) -> None:
        now_s = time.monotonic()
        for session in list(self._sessions):
            session.housekept(now_s)
        if self._plane is not None and self._plane.notes_lost != self._notes_lost:
            self._notes_lost = self._plane.notes_lost
            _log.warning(
                "the event loop stood still for so long that %d notes of the audio were lost", self._notes_lost
            )
        self._housekeeping = None
        if self._sessions:
            self._housekeeping = asyncio.get_running_loop().call_later(_HOUSEKEEPING_S, self._housekeep)

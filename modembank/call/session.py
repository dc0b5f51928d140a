"""What the media of every call does about its far side, however its sound is carried."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod

from modembank.bus.vocabulary import AudioDirection
from modembank.call.media import Levels, MediaPhase, MediaSettings, MediaSink, MediaState, MediaStats
from modembank.call.quiet import QuietWatch
from modembank.errors import WrongStateError
from modembank.media import pcm as samples
from modembank.media.rate_watch import RateWatch
from modembank.webrtc.flow import Flow, Negotiated
from modembank.webrtc.peer import WebRtcPeer

_log = logging.getLogger(__name__)


class FarSession(ABC):
    """A call's media session without its sound: attaching, states, counters, watching the modem's clock."""

    def __init__(self, call_id: str, rate_hz: int, settings: MediaSettings, sink: MediaSink) -> None:
        self._call_id = call_id
        self._rate_hz = rate_hz
        self._settings = settings
        self._sink = sink
        self._peer: WebRtcPeer | None = None
        self._attaching = asyncio.Lock()
        self._closed = False
        self._state = MediaState.NEW
        self._phase = MediaPhase.DIALING
        self._last_read = 0
        self._last_read_s = time.monotonic()
        self._dead = False
        self._rate_watch = RateWatch()
        self._muted = False
        self._quiet_watch = QuietWatch(settings.quiet_after_s)
        self._packets_before = self._octets_before = self._lost_before = 0

    @abstractmethod
    def make_flow(self, negotiated: Negotiated) -> Flow:
        """See `PeerOwner.make_flow`."""

    @abstractmethod
    def far_attached(self, flow: Flow) -> None:
        """Another far side takes the call over; the former one's flow ends at once."""

    @property
    @abstractmethod
    def frames_read(self) -> int:
        """Frames that the modem gave since the port was opened."""

    @property
    @abstractmethod
    def stalled(self) -> bool:
        """The modem's clock stands still; the engine's takes its place towards the far side."""

    @abstractmethod
    def far_gone(self) -> None:
        """The call's media ends: free the port, at once."""

    async def attach(self, offer_sdp: str) -> str:
        """See `MediaSession.attach`."""
        async with self._attaching:
            if self._closed:
                raise WrongStateError("the call's media is closed")
            peer = WebRtcPeer(self._settings, self, self._rate_hz)
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
                former.hang_up()
                self._keep_counts(former)
            assert peer.flow is not None
            self.far_attached(peer.flow)
            if former is not None:
                await former.close()
            return answer

    async def add_candidate(self, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """See `MediaSession.add_candidate`."""
        if self._peer is None:
            raise WrongStateError("no far side is attached: send an offer first")
        await self._peer.add_candidate(candidate, sdp_mid, sdp_m_line_index)

    async def close(self) -> None:
        """See `MediaSession.close`."""
        if self._closed:
            return
        self._closed = True
        peer = self._peer
        if peer is not None:
            peer.hang_up()
        self.far_gone()
        # An attach that still gathers candidates finds the call closed when it is done: nobody waits for it here.
        if peer is not None:
            await peer.close()

    def far_digit(self, digit: str) -> None:
        """A key was pressed on the far side."""
        self._sink.far_dtmf(digit)

    def far_state(self, state: MediaState) -> None:
        """See `PeerOwner.far_state`."""
        if state is not self._state and not self._closed:
            self._state = state
            self._sink.media_state(state)

    def housekept(self, now_s: float) -> None:
        """Call `housekeep`, and let no error of this call keep the others from being looked after."""
        try:
            self.housekeep(now_s)
        except Exception:  # noqa: BLE001  # one call's defect must not silence the others
            _log.exception("call %s: its media could not be looked after", self._call_id)

    def housekeep(self, now_s: float) -> None:
        """Look after what is not tied to a frame; called by the engine about ten times per second."""
        read = self.frames_read
        if read != self._last_read:
            self._last_read, self._last_read_s = read, now_s
        elif (
            self._phase is MediaPhase.TALKING
            and self.stalled
            and not self._dead
            and now_s - self._last_read_s >= self._settings.lost_after_s
        ):
            self._dead = True
            _log.warning("call %s: no sound from the modem for %g s", self._call_id, self._settings.lost_after_s)
            self._sink.modem_audio_dead()
        if self._phase is MediaPhase.TALKING:
            self._watch_rate(read, now_s)
        if self._peer is not None:
            self._peer.housekeep(now_s)

    def _watch_rate(self, read: int, now_s: float) -> None:
        factor = self._rate_watch.look(read, now_s)
        if factor is not None:
            _log.warning(
                "call %s: the modem's sound comes at %d Hz although %d were set, and is noise: set media.wideband to "
                "false, or another firmware",
                self._call_id,
                self._rate_hz * factor,
                self._rate_hz,
            )

    def _tell_levels(self, rms_to_far: int, rms_from_far: int) -> None:
        if self._state is MediaState.CONNECTED:
            self._sink.levels(Levels(samples.dbfs(rms_to_far), samples.dbfs(rms_from_far)))
        self._watch_quiet(rms_to_far, rms_from_far)

    def _watch_quiet(self, rms_to_far: int, rms_from_far: int) -> None:
        """Silence means something only between two people who could speak, and hear each other."""
        stalled = self.stalled
        talks = self._phase is MediaPhase.TALKING and self._state in (MediaState.CONNECTED, MediaState.SILENT)
        heard = {
            AudioDirection.FROM_MODEM: (0 if stalled else rms_to_far) if talks else None,
            AudioDirection.FROM_FAR: rms_from_far if talks and not self._muted and not stalled else None,
        }
        if self._quiet_watch.look(heard, time.monotonic()):
            self._sink.quiet(self._quiet_watch.quiet, stalled=stalled)

    def _tell_lost(self, reason: object) -> None:
        _log.warning("call %s: the modem's audio port went away (%s)", self._call_id, reason or "end of file")
        self._sink.modem_audio_lost()

    def _far_stats(self) -> MediaStats:
        """Return the far side's half of the counters."""
        peer = self._peer
        flow = peer.flow if peer else None
        reception = flow.reception if flow else None
        return MediaStats(
            codec=peer.codec if peer else None,
            packets_from_far=self._packets_before + (reception.received if reception else 0),
            bytes_from_far=self._octets_before + (flow.octets_received if flow else 0),
            lost=self._lost_before + (max(0, reception.lost) if reception else 0),
            jitter_ms=reception.jitter_ms if reception else 0.0,
            rtt_ms=1000 * peer.rtt_s if peer and peer.rtt_s is not None else None,
            far_loss_fraction=peer.loss_fraction if peer else None,
        )

    def _keep_counts(self, former: WebRtcPeer) -> None:
        flow = former.flow
        reception = flow.reception if flow else None
        self._packets_before += reception.received if reception else 0
        self._octets_before += flow.octets_received if flow else 0
        self._lost_before += max(0, reception.lost) if reception else 0

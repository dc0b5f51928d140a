"""The far side of a call: whoever talks to the GSM side, joined through one media session.

The session opens the modem's audio port when it is first needed and keeps it until the call ends; far sides come and
go on it (a page that reloads re-attaches), and the GSM side does not notice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from modembank.bus.events import MediaQuality
from modembank.bus.vocabulary import AudioDirection, Cause, MediaState
from modembank.call.line import Line
from modembank.call.media import Levels, MediaEngine, MediaPhase, MediaSession
from modembank.call.quality import quality_of
from modembank.call.reporter import CallReporter
from modembank.errors import NoVoiceError, WrongStateError
from modembank.tty.abandon import prove_port

log = logging.getLogger(__name__)


class FarLeg:
    """Implements `MediaSink`. `on_failed` is called when nobody is there any more, `on_digit` for each key pressed
    there, `on_early_media` when the network sends sound."""

    def __init__(
        self,
        *,
        call_id: str,
        line: Line,
        engine: MediaEngine,
        reporter: CallReporter,
        on_failed: Callable[[Cause], None],
        on_digit: Callable[[str], None],
        on_early_media: Callable[[], None],
    ) -> None:
        self._call_id = call_id
        self._line = line
        self._engine = engine
        self._report = reporter
        self._on_failed = on_failed
        self._on_digit = on_digit
        self._on_early_media = on_early_media
        self._session: MediaSession | None = None
        self._phase = MediaPhase.DIALING
        self._opening = asyncio.Lock()
        self._closed = False
        self.media_up = asyncio.Event()
        self.modem_mute = False
        self._modem_stalled = False

    async def prepare(self) -> None:
        """Take the modem's audio port if it has one, else calls are carried that nobody hears. Raises like `open`."""
        if self._line.audio is not None:
            await self.open()

    async def open(self) -> MediaSession:
        """Take the modem's audio port.

        Raises:
            NoVoiceError, PortError: there is none, or it cannot be taken.
            WrongStateError: the call is over.
        """
        async with self._opening:
            if self._closed:
                raise WrongStateError("the call is over")
            if self._session is None:
                audio = self._line.audio
                if audio is None:
                    raise NoVoiceError("the modem has no sound: name its sound card in serial.modems")
                await prove_port(Path(audio.name))
                self._session = await self._engine.open(self._call_id, audio, self)
                self._session.phase(self._phase)
            return self._session

    async def attach(self, offer: str) -> str:
        """Answer an offer; the new far side replaces the old one.

        Raises:
            InvalidOfferError: the old far side stays.
        """
        return await (await self.open()).attach(offer)

    async def add_candidate(self, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """Hand one trickled candidate to the far side."""
        if self._session is None:
            raise WrongStateError("no far side is attached to this call")
        await self._session.add_candidate(candidate, sdp_mid, sdp_m_line_index)

    def phase(self, phase: MediaPhase) -> None:
        """Say what the call is doing."""
        self._phase = phase
        if self._session is not None:
            self._session.phase(phase)

    def set_muted(self, muted: bool) -> None:
        """Silence the far side's voice, or let it through."""
        if self._session is None or self._closed:
            raise WrongStateError("the call has no media to mute")
        self._session.set_muted(muted)
        self._report.muted(muted)

    def modem_flow(self, ready: bool) -> None:
        """The modem's uplink buffer is full, or free again."""
        if self._session is not None:
            self._session.modem_flow(ready)

    async def close(self) -> MediaQuality | None:
        """Free port and peer, and return the counters; idempotent."""
        self._closed = True
        async with self._opening:
            session, self._session = self._session, None
        if session is None:
            return None
        self.modem_mute |= self._modem_stalled
        quality = quality_of(session.stats())
        await session.close()
        return quality

    # MediaSink

    def media_state(self, state: MediaState) -> None:
        """See `MediaSink`."""
        if self._closed:
            return
        self._report.media(state)
        if state is MediaState.CONNECTED:
            self.media_up.set()
        elif state is MediaState.FAILED:
            self._on_failed(Cause.MEDIA_FAILED)
        elif state is MediaState.LOST:
            self._on_failed(Cause.MEDIA_LOST)

    def far_dtmf(self, digit: str) -> None:
        """See `MediaSink`."""
        self._on_digit(digit)

    def levels(self, levels: Levels) -> None:
        """See `MediaSink`."""
        self._report.levels(levels.to_far_dbfs, levels.from_far_dbfs)

    def quiet(self, directions: tuple[AudioDirection, ...], *, stalled: bool) -> None:
        """See `MediaSink`: it is told, and people decide; a modem that gave nothing to the end counts as mute."""
        if self._closed:
            return
        self._modem_stalled = stalled and AudioDirection.FROM_MODEM in directions
        if directions:
            log.warning("call %s: no sound %s", self._call_id, " and ".join(directions).replace("_", " "))
        self._report.quiet(directions)

    def early_media(self) -> None:
        """See `MediaSink`."""
        self._on_early_media()

    def modem_audio_dead(self) -> None:
        """See `MediaSink`: nobody hears anything any more, and it goes on costing."""
        self.modem_mute = True
        self._on_failed(Cause.MODEM_FAILED)

    def modem_audio_lost(self) -> None:
        """See `MediaSink`: the AT side decides about the call, this is only worth a line."""
        log.warning("call %s: the audio port went away", self._call_id)

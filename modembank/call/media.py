"""What a call needs from the media path; `bridge.py` implements it over the audio tty and WebRTC."""

from __future__ import annotations

from typing import Protocol

from modembank.bus.vocabulary import AudioDirection, MediaState
from modembank.media.records import (
    AudioPlace,
    CodecName,
    IceServer,
    Levels,
    MediaPhase,
    MediaSettings,
    MediaStats,
)

__all__ = [
    "AudioPlace",
    "CodecName",
    "IceServer",
    "Levels",
    "MediaEngine",
    "MediaPhase",
    "MediaSession",
    "MediaSettings",
    "MediaSink",
    "MediaState",
    "MediaStats",
]


class MediaSink(Protocol):
    """Who hears about one call's media. Called on the event loop; must not block."""

    def media_state(self, state: MediaState) -> None:
        """The far side's transport changed; never called twice in a row with the same state."""
        ...

    def far_dtmf(self, digit: str) -> None:
        """One of `0-9*#A-D` was pressed on the far side; once per event. Source: RFC 4733."""
        ...

    def levels(self, levels: Levels) -> None:
        """About five times per second while a far side is connected."""
        ...

    def quiet(self, directions: tuple[AudioDirection, ...], *, stalled: bool) -> None:
        """These directions of a talking call carry no sound, for `MediaSettings.quiet_after_s`; told when they change.

        `stalled`: the modem gives no frames at all.
        """
        ...

    def early_media(self) -> None:
        """The network sends sound before answer; once per call."""
        ...

    def modem_audio_dead(self) -> None:
        """An answered call's modem has given no sound for `MediaSettings.lost_after_s`; once per call."""
        ...

    def modem_audio_lost(self) -> None:
        """The audio port went away; once per call. The call's own end comes from the AT side."""
        ...


class MediaSession(Protocol):
    """The media of one call, from before `ATD` until the call has ended."""

    async def attach(self, offer_sdp: str) -> str:
        """Answer an offer, with all our candidates; a later attach replaces the far side, the call goes on.

        Raises:
            InvalidOfferError: nothing in the offer can be answered; an earlier far side stays attached.
        """
        ...

    async def add_candidate(self, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """Take one trickled remote candidate (`candidate:…`), or None for end-of-candidates.

        Raises:
            InvalidOfferError: no candidate line.
            WrongStateError: no far side is attached.
        """
        ...

    def phase(self, phase: MediaPhase) -> None:
        """Say what the call is doing; ringback, comfort noise and early media depend on it."""
        ...

    def set_muted(self, on: bool) -> None:
        """Send the modem silence instead of the far side's voice."""
        ...

    def modem_flow(self, ready: bool) -> None:
        """The modem's `+QPCMV` flow control: write nothing until it is ready again."""
        ...

    def stats(self) -> MediaStats:
        """Return the counters as they are now."""
        ...

    async def close(self) -> None:
        """Free the port and the peer; idempotent. What the port still held reaches no later call."""
        ...


class MediaEngine(Protocol):
    """Opens the media of calls."""

    async def open(self, call_id: str, audio: AudioPlace, sink: MediaSink) -> MediaSession:
        """Take the modem's audio port; to be done before `ATD`.

        Raises:
            PortError: the port is missing, busy or not a terminal.
        """
        ...

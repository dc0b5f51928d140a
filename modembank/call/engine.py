"""Which engine carries a call's media: the C core or the Python path. Both do the same."""

from __future__ import annotations

from enum import StrEnum

from modembank.call.bridge import DirectMediaEngine
from modembank.call.media import AudioPlace, MediaEngine, MediaSession, MediaSettings, MediaSink
from modembank.call.plane_session import PlaneMediaEngine
from modembank.media.records import AudioKind
from modembank.plane import binding


class EngineChoice(StrEnum):
    """The setting `media.engine`."""

    AUTO = "auto"
    NATIVE = "native"
    PYTHON = "python"


def make_engine(settings: MediaSettings, choice: EngineChoice = EngineChoice.AUTO) -> MediaEngine:
    """Return the engine; `auto` is the C core where it was built.

    Raises:
        MediaError: `native` was asked for and the core was not built.
    """
    if choice is EngineChoice.PYTHON or (choice is EngineChoice.AUTO and not binding.available()):
        return DirectMediaEngine(settings)
    return _ByPlace(PlaneMediaEngine(settings), DirectMediaEngine(settings))


class _ByPlace:
    """The C core for ttys, the Python path for sound cards, which have no descriptor that the core could serve."""

    def __init__(self, ttys: MediaEngine, cards: MediaEngine) -> None:
        self._ttys = ttys
        self._cards = cards

    async def open(self, call_id: str, audio: AudioPlace, sink: MediaSink) -> MediaSession:
        """See `MediaEngine.open`."""
        engine = self._ttys if audio.kind is AudioKind.TTY else self._cards
        return await engine.open(call_id, audio, sink)

"""Which engine carries the media of a process: the C core or the Python path. Both do the same."""

from __future__ import annotations

from enum import StrEnum

from modembank.call.bridge import DirectMediaEngine
from modembank.call.media import MediaEngine, MediaSettings
from modembank.call.plane_session import PlaneMediaEngine
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
    return PlaneMediaEngine(settings)

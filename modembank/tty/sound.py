"""The seam under a call's sound: one port, whether a tty or a sound card stands behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from modembank.errors import PortBusyError, PortLostError
from modembank.media.records import AudioKind, AudioPlace
from modembank.tty.abandon import run_abandonable
from modembank.tty.alsa_port import AlsaPort
from modembank.tty.audio import AudioCounters, AudioPort

CARD_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
"""A USB audio device takes some hundred milliseconds after it was switched on; a card's last call, one period."""

CARD_LIMIT_S = 5.0
"""An honest card opens within milliseconds; one that hangs is left to its thread."""


class SoundPort(Protocol):
    """An open port of s16 mono frames of 20 ms; the modem behind it is the clock."""

    frame_bytes: int
    counters: AudioCounters

    def start(self, on_pcm: Callable[[bytes], None], on_lost: Callable[[OSError | None], None]) -> None:
        """Begin: `on_pcm` gets one or more whole frames, `on_lost` is called once when the device went away."""
        ...

    def write(self, pcm: bytes) -> int:
        """Hand whole frames over without waiting; return how many were taken. The others are dropped."""
        ...

    def pause(self) -> None:
        """Write nothing until `resume()`."""
        ...

    def resume(self) -> None:
        """Write again."""
        ...

    def close(self) -> None:
        """Free the port; idempotent."""
        ...


async def open_sound(place: AudioPlace) -> SoundPort:
    """Take a modem's sound.

    Raises:
        PortError: the port or card is missing (PortMissingError), held (PortBusyError), or of no use.
    """
    if place.kind is AudioKind.TTY:
        return AudioPort(Path(place.name), place.rate_hz)
    for pause_s in CARD_PAUSES_S:
        try:
            return await _open_card(place)
        except (PortBusyError, PortLostError):
            await asyncio.sleep(pause_s)
    return await _open_card(place)


async def _open_card(place: AudioPlace) -> AlsaPort:
    try:
        return await run_abandonable(lambda: AlsaPort(place), CARD_LIMIT_S, AlsaPort.close)
    except TimeoutError:
        raise PortLostError(
            f"sound card {place.name} did not open within {CARD_LIMIT_S:g} s: plug it in anew"
        ) from None

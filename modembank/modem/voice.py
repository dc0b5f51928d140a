"""Put voice on the audio port and prove it: some firmware accepts the setting and does nothing."""

from __future__ import annotations

import contextlib

from modembank.at.command import AtCommand, join
from modembank.dialects.dialect import VoicePath
from modembank.errors import AtResultError, NoVoiceError
from modembank.modem.ask import Ask


async def arm_voice(ask: Ask, voice: VoicePath, *also: AtCommand) -> tuple[str, ...]:
    """Switch voice on and read it back; `also` rides on the same line, and its information text is returned.

    Raises: NoVoiceError when the modem refuses or reads back something else; AtTimeoutError, PortLostError.
    """
    try:
        info = await ask(join(voice.on, voice.read_back, *also))
    except AtResultError:
        info = await _arm_from_off(ask, voice, also)
    own = [line for line in info if line.startswith(voice.read_back.prefixes)]
    if voice.proof not in {line.replace(" ", "") for line in own}:
        raise NoVoiceError(f"voice was switched on, yet reads back as {own[-1] if own else 'nothing'}")
    return tuple(line for line in info if line not in own)


async def _arm_from_off(ask: Ask, voice: VoicePath, also: tuple[AtCommand, ...]) -> tuple[str, ...]:
    """Modes may not be switched directly, and nothing may be set while a call rings: look, then try from off."""
    with contextlib.suppress(AtResultError):
        info = await ask(join(voice.read_back, *also))
        if any(line.replace(" ", "") == voice.proof for line in info):
            return info
    with contextlib.suppress(AtResultError):  # already off on some firmware
        await ask(voice.off)
    try:
        return await ask(join(voice.on, voice.read_back, *also))
    except AtResultError as error:
        raise NoVoiceError(f"the modem refuses its voice mode: {error.result}") from error

"""Put voice on the audio port, when the family allows it, and prove it: some firmware says OK and does nothing."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace

from modembank.at.command import AtCommand, join
from modembank.dialects.dialect import Dialect, RateSwitch, VoiceMoment, VoicePath
from modembank.errors import AtError, AtResultError, NoVoiceError, PortLostError
from modembank.media.records import RATE_HZ, WIDE_RATE_HZ, AudioKind, AudioPlace
from modembank.modem.ask import Ask
from modembank.tty.discovery import ModemPorts


@dataclass(frozen=True, slots=True)
class Sound:
    """Where a modem's voice is, and the commands that put it there.

    `path` None: none are needed, since it is always on the module's pins, or none are known. `silent`: there is no
    sound by the settings, and calls are carried all the same. `instead` is tried where the modem refuses this one.
    """

    place: AudioPlace | None = None
    path: VoicePath | None = None
    silent: bool = False
    instead: Sound | None = None


def sound_of(ports: ModemPorts, dialect: Dialect) -> Sound:
    """Return what is known of a modem's sound: the card of the settings, else its own card, else its tty."""
    on_tty = None
    if ports.audio is not None and dialect.voice is not None:
        on_tty = Sound(AudioPlace(str(ports.audio)), dialect.voice)
    if ports.card is not None:
        place = AudioPlace(ports.card, kind=AudioKind.ALSA)
        return Sound(place) if ports.wired else Sound(place, dialect.card_voice, instead=on_tty)
    return on_tty or Sound(silent=ports.serial)


class VoiceSwitch:
    """The voice path of one modem, or none."""

    def __init__(self, ask: Ask, sound: Sound, *, wideband: bool = False) -> None:
        """`wideband`: whether 16 kHz is asked for, where the family has it."""
        self._ask = ask
        self._first = self._sound = sound
        self._wideband = wideband
        self.rate_hz = RATE_HZ if sound.path is None else sound.path.rate_hz
        """What the modem was last proven to give and take."""
        self.note = ""
        """Why the sound is elsewhere than was wanted; empty where it is not."""

    @property
    def exists(self) -> bool:
        """Whether calls can be carried at all."""
        return self._path is not None or self._sound.place is not None or self.silent

    @property
    def _path(self) -> VoicePath | None:
        return self._sound.path

    @property
    def silent(self) -> bool:
        """Whether calls are carried without sound."""
        return self._sound.silent

    @property
    def place(self) -> AudioPlace | None:
        """Where the sound is, at the rate that was proven last."""
        place = self._sound.place
        return None if place is None else replace(place, rate_hz=self.rate_hz)

    @property
    def moment(self) -> VoiceMoment | None:
        """When `turn_on` is due; None where `prepare` did it all."""
        path = self._path
        return None if path is None or path.moment is VoiceMoment.BEFORE_DIAL else path.moment

    async def prove(self) -> None:
        """At bring-up; what was refused before is tried anew. Raises NoVoiceError, AtTimeoutError, PortLostError."""
        self._sound, self.note = self._first, ""
        try:
            await self._prove()
        except NoVoiceError as error:
            await self._prove_instead(error)

    async def _prove_instead(self, refusal: NoVoiceError) -> None:
        """Firmware that shows a sound card and refuses it may still have its voice on the tty."""
        first, other = self._sound, self._sound.instead
        if other is None:
            raise refusal
        self._sound = other
        try:
            await self._prove()
        except NoVoiceError:
            self._sound = first
            raise refusal from None
        assert first.place is not None and other.place is not None  # both are places: see sound_of
        self.note = f"voice is on {other.place.name}, not on sound card {first.place.name}: {refusal}"

    async def _prove(self) -> None:
        path = self._path
        if path is None:
            return  # a card on its pins is proven by opening it
        if path.moment is VoiceMoment.BEFORE_DIAL:
            await arm_voice(self._ask, path)
        else:
            await self._prove_known(path)
        self.rate_hz = path.rate_hz if path.rates is None else await self._choose_rate(path.rates)

    async def _prove_known(self, path: VoicePath) -> None:
        try:
            info = await self._ask(path.read_back)
        except AtResultError as error:
            raise NoVoiceError(f"the modem knows no voice mode: {error.result}") from error
        if not any(_proves(line, path) for line in info):
            raise NoVoiceError(f"the modem says {info[-1] if info else 'nothing'} when asked for its voice mode")

    async def prepare(self, *also: AtCommand) -> tuple[str, ...]:
        """Before ATD or ATA; `also` rides along. Raises like `prove`."""
        path = self._path
        if path is not None and path.moment is VoiceMoment.BEFORE_DIAL:
            return await arm_voice(self._ask, path, *also)
        return await self._ask(join(*also)) if also else ()

    async def turn_on(self) -> None:
        """In the family's moment; it may come some hundred milliseconds early. Raises NoVoiceError, …"""
        path = self._required()
        await asyncio.sleep(path.settle_s)
        for left in reversed(range(path.tries)):
            try:
                await self._ask(path.on)
            except AtResultError as error:
                if not left:
                    raise NoVoiceError(f"the modem refuses its voice mode: {error.result}") from error
                await asyncio.sleep(path.pause_s)
            else:
                return

    async def turn_off(self) -> None:
        """Where the family wants it off before and after the end of a call; a refusal is fine."""
        path = self._path
        if path is not None and path.off is not None and path.off_first:
            with contextlib.suppress(AtError, PortLostError):
                await self._ask(path.off)

    async def _choose_rate(self, rates: RateSwitch) -> int:
        if self._wideband:
            with contextlib.suppress(AtResultError):
                info = await self._ask(join(rates.wide, rates.read_back))
                if any(line.replace(" ", "").startswith(rates.proof) for line in info):
                    return WIDE_RATE_HZ
        with contextlib.suppress(AtResultError):  # firmware that has one rate only
            await self._ask(rates.narrow)
        return RATE_HZ

    def _required(self) -> VoicePath:
        if self._path is None:
            raise NoVoiceError("no voice path is known for this modem family")
        return self._path


def _proves(line: str, path: VoicePath) -> bool:
    return line.replace(" ", "").startswith(path.proof)


async def arm_voice(ask: Ask, voice: VoicePath, *also: AtCommand) -> tuple[str, ...]:
    """Switch voice on and read it back; `also` rides on the same line, and its information text is returned.

    Raises: NoVoiceError when the modem refuses or reads back something else; AtTimeoutError, PortLostError.
    """
    try:
        info = await ask(join(voice.on, voice.read_back, *also))
    except AtResultError:
        info = await _arm_from_off(ask, voice, also)
    own = [line for line in info if line.startswith(voice.read_back.prefixes)]
    if not any(_proves(line, voice) for line in own):
        raise NoVoiceError(f"voice was switched on, yet reads back as {own[-1] if own else 'nothing'}")
    return tuple(line for line in info if line not in own)


async def _arm_from_off(ask: Ask, voice: VoicePath, also: tuple[AtCommand, ...]) -> tuple[str, ...]:
    """Modes may not be switched directly, and nothing may be set while a call rings: look, then try from off."""
    with contextlib.suppress(AtResultError):
        info = await ask(join(voice.read_back, *also))
        if any(_proves(line, voice) for line in info):
            return info
    if voice.off is not None:
        with contextlib.suppress(AtResultError):  # already off on some firmware
            await ask(voice.off)
    try:
        return await ask(join(voice.on, voice.read_back, *also))
    except AtResultError as error:
        raise NoVoiceError(f"the modem refuses its voice mode: {error.result}") from error

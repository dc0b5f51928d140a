"""Voice is proven by a set and a read-back: saying OK is not enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modembank.at.command import LIST_CALLS, AtCommand
from modembank.dialects.quectel import EC25
from modembank.dialects.simcom import SIM5360, SIM7600
from modembank.errors import AtResultError, NoVoiceError
from modembank.media.records import AudioKind, AudioPlace
from modembank.modem.voice import Sound, VoiceSwitch, arm_voice, sound_of
from modembank.tty.discovery import ModemPorts

OFF, ON = "+QPCMV: 0,0", "+QPCMV: 1,0"
BEARER = '+CLCC: 1,0,0,1,0,"",128'


class Table:
    """Answers command lines from a table; what is not in it is refused."""

    def __init__(self, answers: dict[str, tuple[str, ...]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def __call__(self, command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        self.asked.append(command.text)
        if command.text not in self._answers:
            raise AtResultError(command.text, "ERROR")
        return self._answers[command.text]


async def test_set_and_read_back_in_one_line_with_what_rides_along() -> None:
    modem = Table({"+QPCMV=1,0;+QPCMV?;+CLCC": (ON, BEARER)})
    assert await arm_voice(modem, EC25.voice, LIST_CALLS) == (BEARER,)
    assert len(modem.asked) == 1


async def test_ok_without_the_value_read_back_is_no_voice() -> None:
    with pytest.raises(NoVoiceError, match="reads back"):
        await arm_voice(Table({"+QPCMV=1,0;+QPCMV?": (OFF,)}), EC25.voice)


async def test_a_refused_setting_is_fine_where_voice_is_on_already() -> None:
    modem = Table({"+QPCMV?;+CLCC": (ON, BEARER)})
    assert await arm_voice(modem, EC25.voice, LIST_CALLS) == (BEARER,)


async def test_another_mode_is_left_by_way_of_off() -> None:
    """A direct switch from one mode to another is refused."""
    modem = Table({"+QPCMV?": ("+QPCMV: 1,2",), "+QPCMV=0": ()})
    with pytest.raises(NoVoiceError):
        await arm_voice(modem, EC25.voice)
    assert modem.asked == ["+QPCMV=1,0;+QPCMV?", "+QPCMV?", "+QPCMV=0", "+QPCMV=1,0;+QPCMV?"]


async def test_no_voice_at_all() -> None:
    with pytest.raises(NoVoiceError, match="refuses"):
        await arm_voice(Table({}), EC25.voice)


TTY = AudioPlace("/dev/ttyUSB4")
PCM = {"+CPCMREG=?": ("+CPCMREG: (0-1)",)}
WIDE = {"+CPCMFRM=1;+CPCMFRM?": ("+CPCMFRM: 1",)}


async def test_16_khz_is_asked_for_and_read_back() -> None:
    modem = Table(PCM | WIDE)
    voice = VoiceSwitch(modem, Sound(TTY, SIM7600.voice), wideband=True)
    assert voice.rate_hz == 8000, "nothing is proven yet"
    await voice.prove()
    assert voice.rate_hz == 16_000
    assert modem.asked == ["+CPCMREG=?", "+CPCMFRM=1;+CPCMFRM?"]


@pytest.mark.parametrize("answers", [{}, {"+CPCMFRM=1;+CPCMFRM?": ("+CPCMFRM: 0",), "+CPCMFRM=0": ()}])
async def test_without_a_proof_of_16_khz_there_are_8(answers: dict[str, tuple[str, ...]]) -> None:
    """Refused, or accepted and not done: then 8 kHz are asked for, since some firmware keeps what it had."""
    modem = Table(PCM | answers)
    voice = VoiceSwitch(modem, Sound(TTY, SIM7600.voice), wideband=True)
    await voice.prove()
    assert voice.rate_hz == 8000
    assert modem.asked[-1] == "+CPCMFRM=0"


async def test_16_khz_are_not_asked_for_where_they_are_not_wanted_or_not_known() -> None:
    modem = Table(PCM | WIDE)
    await VoiceSwitch(modem, Sound(TTY, SIM7600.voice)).prove()
    assert modem.asked == ["+CPCMREG=?", "+CPCMFRM=0"]
    other = VoiceSwitch(Table(PCM | WIDE), Sound(TTY, SIM5360.voice), wideband=True)
    await other.prove()
    assert other.rate_hz == 8000


CARD = "hw:CARD=Android,DEV=0"
BOTH = ModemPorts("1-1", 0x2C7C, 0x0125, Path("/dev/ttyUSB2"), Path(TTY.name), "quectel-ec25", card=CARD)
ON_CARD, ON_TTY = "+QPCMV=1,2;+QPCMV?", "+QPCMV=1,0;+QPCMV?"


async def test_the_card_comes_first() -> None:
    modem = Table({ON_CARD: ("+QPCMV: 1,2",), ON_TTY: (ON,)})
    voice = VoiceSwitch(modem, sound_of(BOTH, EC25))
    await voice.prove()
    assert (voice.place, voice.note) == (AudioPlace(CARD, kind=AudioKind.ALSA), "")
    assert modem.asked == [ON_CARD]


@pytest.mark.parametrize("answer", [{}, {ON_CARD: (OFF,)}], ids=["refused", "accepted-and-not-done"])
async def test_a_card_that_cannot_be_proven_leaves_the_tty(answer: dict[str, tuple[str, ...]]) -> None:
    modem = Table(answer | {ON_TTY: (ON,)})
    voice = VoiceSwitch(modem, sound_of(BOTH, EC25))
    await voice.prove()
    assert voice.place == TTY
    assert TTY.name in voice.note and CARD in voice.note
    del modem.asked[:]
    await voice.prepare()
    assert modem.asked == [ON_TTY], "a call asks for what was proven"


async def test_a_modem_that_was_started_again_is_asked_for_its_card_again() -> None:
    answers = {ON_TTY: (ON,)}
    voice = VoiceSwitch(Table(answers), sound_of(BOTH, EC25))
    await voice.prove()
    answers[ON_CARD] = ("+QPCMV: 1,2",)
    await voice.prove()
    assert voice.place is not None and (voice.place.name, voice.note) == (CARD, "")


@pytest.mark.parametrize("ports", [BOTH, replace(BOTH, audio=None)], ids=["tty-refused-too", "no-tty"])
async def test_no_voice_on_card_or_tty_tells_of_the_card(ports: ModemPorts) -> None:
    voice = VoiceSwitch(Table({}), sound_of(ports, EC25))
    with pytest.raises(NoVoiceError, match="refuses"):
        await voice.prove()
    assert voice.place is not None and voice.place.name == CARD


async def test_a_card_of_the_settings_needs_no_command_and_has_no_substitute() -> None:
    modem = Table({})
    voice = VoiceSwitch(modem, sound_of(replace(BOTH, wired=True), EC25))
    await voice.prove()
    assert voice.place is not None and (voice.place.name, modem.asked) == (CARD, [])

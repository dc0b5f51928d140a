"""Every transcript in hardware/transcripts is replayed against the driver: bring-up, calls out, calls in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from modembank.at.transcript import Mark, Source, Transcript, read_transcript, write_transcript
from modembank.dialects import DIALECTS, get_dialect
from modembank.emulator.families import FAMILIES, ON_SERIAL_PORTS
from modembank.errors import AtSyntaxError
from modembank.modem import CallKind, Modem
from tests.support.fake_modem import GENERIC, ICCID, Answer, driven_fake
from tests.support.modem_rig import Listener
from tests.support.replay import ReplayedModem, parts_of

FOLDER = Path(__file__).resolve().parents[2] / "hardware" / "transcripts"
FILES = sorted(FOLDER.glob("*.txt"))
ALL = {file.stem: read_transcript(file.read_text()) for file in FILES}
HANGS_UP = ("AT+CHUP", "ATH", "AT+CHLD=")


def base_of(transcript: Transcript) -> dict[str, Answer]:
    """What a modem answers beyond the transcript: nothing where the whole conversation was recorded."""
    if transcript.source in (Source.DEVICE, Source.EMULATOR):
        return {"+CMEE?": ("+CMEE: 1",), "+CSCS?": ('+CSCS: "GSM"',)}
    dialect = get_dialect(transcript.family)
    accepted = (*dialect.settings, *dialect.optional, *(way.enable.text for way in dialect.call_events))
    base: dict[str, Answer] = GENERIC | dict.fromkeys(accepted, ())
    base |= {"+CSCS?": ('+CSCS: "GSM"',), "+CEREG?": ("+CEREG: 2,1",), "+CEER": ("+CEER: 16",)}
    base |= {one.text: (f"{one.prefixes[0] if one.prefixes else ''} {ICCID}".strip(),) for one in dialect.read_iccid}
    if dialect.voice is not None:
        base |= {one.text: () for one in (dialect.voice.on, dialect.voice.off) if one is not None}
        base[dialect.voice.read_back.text] = (dialect.voice.proof,)
    return base


def calls(kind: str) -> list[object]:
    return [
        pytest.param(transcript, expected, entries, id=f"{name}-{number}")
        for name, transcript in ALL.items()
        for word in (kind, f"{kind}, busy")
        for number, (expected, entries) in enumerate(parts_of(transcript, word))
    ]


async def end_of(modem: Modem, link: ReplayedModem, heard: Listener, expected: list[str]) -> None:
    """Wait for what the transcript says of the call; hang up where it does."""
    steps = [CallKind(word) for word in expected if word in set(CallKind)]
    await heard.until(lambda: heard.kinds == steps, patience_s=300)
    if "local" in expected:
        await asyncio.sleep(3)
        await modem.hang_up()
    await heard.until(lambda: bool(heard.releases), patience_s=600)
    (release,) = heard.releases
    assert release.local == ("local" in expected)
    causes = [int(word.partition("=")[2]) for word in expected if word.startswith("released=")]
    assert not causes or release.cause_q850 == causes[0]
    assert heard.kinds == steps
    assert link.finished


def bring_up(transcript: Transcript) -> ReplayedModem:
    return ReplayedModem.from_bring_up(transcript.parts().get("bring-up", ()), base_of(transcript))


@pytest.mark.looptime
@pytest.mark.parametrize("name", ALL)
async def test_bring_up(name: str) -> None:
    link = bring_up(ALL[name])
    serial = "serial" in ALL[name].facts
    async with driven_fake(link, ALL[name].family, serial=serial) as (modem, _):
        assert modem.info.iccid and modem.info.imei
        assert modem.info.voice == (serial or get_dialect(ALL[name].family).voice is not None)


@pytest.mark.looptime
@pytest.mark.parametrize(("transcript", "expected", "entries"), calls("call out"))
async def test_call_out(transcript: Transcript, expected: list[str], entries: tuple) -> None:
    link = bring_up(transcript)
    async with driven_fake(link, transcript.family, serial="serial" in transcript.facts) as (modem, heard):
        link.play(entries)
        dial = next(one.text for one in entries if one.mark is Mark.OUT and one.text.startswith("ATD"))
        await modem.dial(dial.removeprefix("ATD").removesuffix(";"))
        await end_of(modem, link, heard, expected)


@pytest.mark.looptime
@pytest.mark.parametrize(("transcript", "expected", "entries"), calls("call in"))
async def test_call_in(transcript: Transcript, expected: list[str], entries: tuple) -> None:
    link = bring_up(transcript)
    async with driven_fake(link, transcript.family, serial="serial" in transcript.facts) as (modem, heard):
        link.play(entries)
        assert (await heard.heard(CallKind.INCOMING)).number is not None
        if "answered" in expected:
            await modem.answer()
        await end_of(modem, link, heard, expected)


def test_every_emulated_family_has_a_transcript() -> None:
    emulated = {one.facts["emulated"] for one in ALL.values() if one.source is Source.EMULATOR}
    assert emulated == FAMILIES.keys() | ON_SERIAL_PORTS.keys(), "run: python scripts/record_transcripts.py"


def test_transcripts_say_what_they_are() -> None:
    known = {dialect.name for dialect in DIALECTS}
    for name, transcript in ALL.items():
        assert transcript.family in known, name
        assert name.startswith(transcript.source.value), name
        assert transcript.source is Source.EMULATOR or transcript.facts.get("tells"), name
        assert transcript.source is not Source.DEVICE or transcript.facts.get("by"), f"{name}: whose modem was it?"


def test_what_is_written_is_read_again() -> None:
    lines = [(1.0, True, "AT+CMGR=1"), (1.01, False, "+CMGR: 0,,24\n0791"), (3.5, False, "OK"), (3.5, True, "")]
    text = write_transcript({"family": "generic", "source": "device", "model": "  x\ny "}, lines)
    read = read_transcript(text)
    assert dict(read.facts) == {"family": "generic", "source": "device", "model": "x y"}
    assert [(one.mark, one.text) for one in read.entries] == [
        (Mark.OUT, "AT+CMGR=1"),
        (Mark.IN, "+CMGR: 0,,24\n0791"),
        (Mark.PAUSE, "2.49"),
        (Mark.IN, "OK"),
        (Mark.OUT, ""),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names its family"),
        ("family: generic\nsource: hearsay\n", "source as one of"),
        ("family = generic\n", "line 1"),
        ("family: generic\nsource: spec\n\nAT\n", "line 4"),
        ("family: generic\nsource: spec\n\n~ soon\n", "line 4: a pause"),
        ("family: generic\nsource: spec\n\n| more\n", "line 4"),
    ],
)
def test_a_wrong_file_is_told(text: str, words: str) -> None:
    with pytest.raises(AtSyntaxError, match=words):
        read_transcript(text)

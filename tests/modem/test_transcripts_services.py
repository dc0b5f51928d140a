"""The messages and USSD of every transcript in hardware/transcripts, replayed line by line against the driver."""

from __future__ import annotations

import re

import pytest

from modembank.at.transcript import Entry, Mark, Source, Transcript
from modembank.at.ussd import read_ussd
from modembank.dialects import get_dialect
from modembank.modem import Modem, UssdReply, UssdStatus
from modembank.sms import deliver
from modembank.sms.alphabet import decode, unpack_ussd
from modembank.sms.ussd import UssdForm
from tests.modem.test_transcripts import ALL, bring_up
from tests.support.fake_modem import driven_fake

pytestmark = pytest.mark.looptime

SEND = re.compile(r"AT\+CMGS=(\d+)")
CODE = re.compile(r'AT\+CUSD=1,"([^"]*)",15')


def parts(name: str) -> list[object]:
    return [
        pytest.param(transcript, entries, id=file)
        for file, transcript in ALL.items()
        if (entries := transcript.parts().get(name))
    ]


def lines(entries: tuple[Entry, ...], mark: Mark, start: str = "") -> list[str]:
    return [one.text for one in entries if one.mark is mark and one.text.startswith(start)]


@pytest.mark.parametrize(("transcript", "entries"), parts("sms out"))
async def test_sms_out(transcript: Transcript, entries: tuple[Entry, ...]) -> None:
    """The PDU goes out once, behind the prompt, and its reference is the modem's."""
    link = bring_up(transcript)
    sent = lines(entries, Mark.OUT)
    references = [int(line.partition(":")[2]) for line in lines(entries, Mark.IN, "+CMGS:")]
    assert references
    async with driven_fake(link, transcript.family, serial="serial" in transcript.facts) as (modem, _):
        link.follow(entries)
        for place, reference in zip((at for at, line in enumerate(sent) if SEND.match(line)), references, strict=True):
            length = SEND.match(sent[place])
            assert length is not None
            assert await modem.send_pdu(sent[place + 1], int(length[1])) == reference
        assert link.followed


@pytest.mark.parametrize(("transcript", "entries"), parts("sms in"))
async def test_sms_in(transcript: Transcript, entries: tuple[Entry, ...]) -> None:
    """What the modem tells of is read whole, and deleted where it lay."""
    link = bring_up(transcript)
    listed = [line.partition("\n") for line in lines(entries, Mark.IN, "+CMGL:")]
    news = lines(entries, Mark.IN, "+CMTI:")
    assert listed and news
    async with driven_fake(link, transcript.family, serial="serial" in transcript.facts) as (modem, heard):
        link.follow(entries)
        await heard.until(lambda: len(heard.places) == 1 + len(news))
        messages = await modem.read_messages()
        assert [(one.index, one.pdu) for one in messages] == [
            (int(head.removeprefix("+CMGL:").split(",")[0]), pdu) for head, _, pdu in listed
        ]
        assert all(deliver.decode(one.pdu) for one in messages)
        for one in messages:
            await modem.delete_message(one.store, one.index)
        assert link.followed


@pytest.mark.parametrize(("transcript", "entries"), parts("ussd"))
async def test_ussd(transcript: Transcript, entries: tuple[Entry, ...]) -> None:
    """Codes and answers go out as the family writes them; what comes back is told as it came."""
    link = bring_up(transcript)
    codes = [found[1] for line in lines(entries, Mark.OUT) if (found := CODE.fullmatch(line))]
    replies = [read_ussd(line, None) for line in lines(entries, Mark.IN, "+CUSD:")]
    assert len(codes) == len(replies) > 0
    async with driven_fake(link, transcript.family, serial="serial" in transcript.facts) as (modem, _):
        link.follow(entries)
        answering = False
        for code, expected in zip(codes, replies, strict=True):
            reply = await _say(modem, _text(code, get_dialect(transcript.family).ussd), answering)
            assert (reply.m, reply.raw, reply.dcs) == (expected.m, expected.raw, expected.dcs)
            answering = reply.m is UssdStatus.REPLY_WANTED
        assert link.followed


async def _say(modem: Modem, text: str, answering: bool) -> UssdReply:
    return await (modem.answer_ussd(text) if answering else modem.ussd(text))


def _text(code: str, form: UssdForm) -> str:
    octets = bytes.fromhex(code)
    return decode(unpack_ussd(octets)) if form is UssdForm.PACKED else octets.decode("utf-16-be")


def test_messages_and_ussd_are_recorded_for_each_way_of_writing_them() -> None:
    """UCS2 and packed septets; the stores of a module and of a stick."""
    recorded = {
        one.facts["emulated"]
        for one in ALL.values()
        if one.source is Source.EMULATOR and {"sms out", "sms in", "ussd"} <= one.parts().keys()
    }
    assert recorded >= {"quectel-ec25", "huawei-e173", "simcom-sim7600"}

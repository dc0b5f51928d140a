"""Calls on modems of every family, in memory: what each of them says, wants to hear, and must not hear.

The exchanges are those of the hardware notes, section 17, with numbers reserved for fiction.
"""

from __future__ import annotations

import asyncio

import pytest

from modembank.errors import AtSyntaxError, NoVoiceError
from modembank.modem import CallKind, Evidence, Modem, ModemState
from tests.support.fake_modem import GENERIC, ICCID, Answer, FakeModem, driven_fake
from tests.support.modem_rig import Listener

pytestmark = pytest.mark.looptime

NUMBER = "+447700900123"
DIAL = f"D{NUMBER};"
STEPS = [CallKind.DIALING, CallKind.ALERTING, CallKind.ANSWERED]

HUAWEI: dict[str, Answer] = {
    "^CURC=1": (), "^CVOICE?": ("^CVOICE:0,8000,16,20",), "^DDSETEX=2": (), "^ICCID?": (f"^ICCID: {ICCID}F",),
    DIAL: (), "A": (), "+CLVL=5": (),
}  # fmt: skip
SIMCOM: dict[str, Answer] = {
    "+CLCC=1": (), "+CPCMREG=?": ("+CPCMREG: (0-1)",), "+CPCMREG=1": "ERROR", "+CPCMREG=0": (),
    "+CICCID": (f"+ICCID: {ICCID}",), "+CEREG=2": (), "+CEREG?": ("+CEREG: 2,1",), DIAL: (), "+CEER": ("+CEER: 16",),
}  # fmt: skip


def listed(stat: int, direction: int = 0) -> str:
    return f'+CLCC: 1,{direction},{stat},0,0,"{NUMBER}",145'


def stick() -> FakeModem:
    return FakeModem(table=GENERIC | HUAWEI)


def sim7600() -> FakeModem:
    return FakeModem(table=GENERIC | SIMCOM)


async def asked(link: FakeModem, heard: Listener, command: str) -> None:
    await heard.until(lambda: command in link.asked)


async def dialled(link: FakeModem, modem: Modem, heard: Listener) -> None:
    link.table["+CLCC"] = ()
    dialling = asyncio.create_task(modem.dial(NUMBER))
    await asked(link, heard, DIAL)
    link.table["+CLCC"] = (listed(2),)
    await dialling


# ---- Huawei -------------------------------------------------------------------------------------------------


async def test_a_stick_is_ready_when_it_says_that_it_has_voice() -> None:
    link = stick()
    async with driven_fake(link, "huawei-stick") as (modem, _):
        assert modem.info.voice and modem.info.iccid == ICCID
        assert "^CURC=1" in link.asked  # without it there is no ^ORIG and no ^CEND
        assert "^DDSETEX=2" not in link.asked


async def test_a_data_stick_has_no_voice() -> None:
    link = stick()
    link.table["^CVOICE?"] = ("^CVOICE:1",)
    async with driven_fake(link, "huawei-stick", ModemState.FAILED) as (modem, _):
        with pytest.raises(NoVoiceError):
            await modem.dial(NUMBER)
        assert not link.sent("D")


async def test_a_stick_calls_out_and_the_far_end_hangs_up() -> None:
    link = stick()
    async with driven_fake(link, "huawei-stick") as (modem, heard):
        await dialled(link, modem, heard)
        link.urc("^ORIG:1,0")
        await asked(link, heard, "^DDSETEX=2")
        assert link.asked.index(DIAL) < link.asked.index("^DDSETEX=2")
        link.table["+CLCC"] = (listed(3),)
        link.urc("^CONF:1")
        await heard.heard(CallKind.ALERTING)
        link.table["+CLCC"] = (listed(0),)
        link.urc("^CONN:1,0")
        await heard.heard(CallKind.ANSWERED)
        link.table["+CLCC"] = ()
        link.urc("^CEND:1,37,104,16")
        release = await heard.released()
        assert heard.kinds == STEPS and link.sent("^DDSETEX") == ["^DDSETEX=2"]
        assert (release.cause_q850, release.evidence, release.local) == (16, Evidence.CURC, False)


@pytest.mark.parametrize("cause", [17, 19, 21, 1])
async def test_the_cause_of_cend_is_the_networks(cause: int) -> None:
    link = stick()
    async with driven_fake(link, "huawei-stick") as (modem, heard):
        await dialled(link, modem, heard)
        link.urc("^ORIG:1,0", f"^CEND: 1, 0, 29, {cause}", "BUSY")
        assert (await heard.released()).cause_q850 == cause
        assert "+CEER" not in link.asked


async def test_a_late_end_of_the_call_before_ends_nothing() -> None:
    link = stick()
    async with driven_fake(link, "huawei-stick") as (modem, heard):
        await dialled(link, modem, heard)
        link.urc("^ORIG:2,0", "^CEND:1,0,29,16", "NO CARRIER")
        await asyncio.sleep(5)
        assert not heard.releases


async def test_a_stick_answers_and_conn_may_come_before_ok() -> None:
    link = stick()
    async with driven_fake(link, "huawei-stick") as (modem, heard):
        link.table["+CLCC"] = (listed(4, 1),)
        link.urc("RING", f'+CLIP: "{NUMBER}",145,,,,0')
        await heard.heard(CallKind.INCOMING)
        link.answers["ATA"] = "\r\n^CONN:1,0\r\n\r\nOK\r\n"
        link.table["+CLCC"] = (listed(0, 1),)
        await modem.answer()
        await heard.heard(CallKind.ANSWERED)
        await asked(link, heard, "^DDSETEX=2")


async def test_a_stick_is_never_sent_chld() -> None:
    link = stick()
    link.table |= {"+CFUN=4": (), "+CFUN=1": ()}
    link.after = lambda command: link.table.update({"+CLCC": ()}) if command == "+CFUN=4" else None
    async with driven_fake(link, "huawei-stick") as (modem, heard):
        await dialled(link, modem, heard)
        await modem.hang_up()
        assert heard.releases[0].local
        assert "+CHUP" in link.asked and "+CFUN=4" in link.asked and not link.sent("+CHLD")


async def test_dtmf_names_the_call_and_has_no_letters() -> None:
    link = stick()
    link.table["^DTMF=1,5"] = ()
    async with driven_fake(link, "huawei-stick") as (modem, heard):
        await dialled(link, modem, heard)
        await modem.send_dtmf("5")
        assert "^DTMF=1,5" in link.asked
        with pytest.raises(AtSyntaxError):
            await modem.send_dtmf("A")  # sent as 2 by some


@pytest.mark.parametrize("told", ["984400000000000010F7", f"{ICCID}F", ICCID, f'"{ICCID}"'])
async def test_iccid_with_swapped_digits(told: str) -> None:
    link = stick()
    link.table["^ICCID?"] = (f"^ICCID: {told}",)
    async with driven_fake(link, "huawei-stick") as (modem, _):
        assert modem.info.iccid == ICCID


async def test_iccid_from_the_card_itself_where_there_is_no_command() -> None:
    link = stick()
    del link.table["^ICCID?"]
    link.table["+CRSM=176,12258,0,0,10"] = ('+CRSM: 144,0,"984400000000000010F7"',)
    async with driven_fake(link, "huawei-stick") as (modem, _):
        assert modem.info.iccid == "8944000000000000017"


# ---- SIMCom -------------------------------------------------------------------------------------------------


async def test_a_sim7600_has_voice_only_after_the_call_is_connected() -> None:
    link = sim7600()
    async with driven_fake(link, "simcom-sim7600") as (modem, heard):
        assert modem.info.voice
        await dialled(link, modem, heard)
        link.urc(listed(2), listed(3))
        link.table["+CLCC"] = (listed(3),)
        await heard.heard(CallKind.ALERTING)
        assert "+CPCMREG=1" not in link.asked
        link.table["+CLCC"] = (listed(0),)
        link.urc("VOICE CALL: BEGIN", listed(0))
        await heard.until(lambda: len(link.sent("+CPCMREG=1")) == 2)  # refused: too early
        link.table["+CPCMREG=1"] = ()
        await heard.until(lambda: len(link.sent("+CPCMREG=1")) == 3)
        await asyncio.sleep(2)
        assert len(link.sent("+CPCMREG=1")) == 3 and heard.kinds == STEPS and not heard.releases
        link.after = lambda command: link.table.update({"+CLCC": ()}) if command == "+CHUP" else None
        await modem.hang_up()
        assert link.asked.index("+CPCMREG=0") < link.asked.index("+CHUP")


async def test_a_call_that_gets_no_voice_is_ended_with_the_reason() -> None:
    link = sim7600()
    link.after = lambda command: link.table.update({"+CLCC": ()}) if command == "+CHUP" else None
    async with driven_fake(link, "simcom-sim7600") as (modem, heard):
        await dialled(link, modem, heard)
        link.table["+CLCC"] = (listed(0),)
        link.urc("VOICE CALL: BEGIN")
        release = await heard.released()
        assert release.cause_q850 == 41 and "voice" in release.text


async def test_the_far_end_hangs_up_on_a_sim7600() -> None:
    link = sim7600()
    link.table["+CPCMREG=1"] = ()
    async with driven_fake(link, "simcom-sim7600") as (modem, heard):
        await dialled(link, modem, heard)
        link.urc(listed(2))
        link.table["+CLCC"] = (listed(0),)
        link.urc(listed(0))
        await asked(link, heard, "+CPCMREG=1")
        link.table["+CLCC"] = ()
        link.urc("VOICE CALL: END: 000041", listed(6), "NO CARRIER")
        assert (await heard.released()).evidence is Evidence.CLCC_URC
        await asked(link, heard, "+CPCMREG=0")


async def test_a_clcc_urc_inside_the_list_does_not_confuse_the_referee() -> None:
    link = sim7600()
    async with driven_fake(link, "simcom-sim7600") as (modem, heard):
        await dialled(link, modem, heard)
        await asyncio.sleep(3)  # in virtual time: +CLCC has shown the call
        link.table["+CLCC"] = (listed(3), listed(6))
        assert await modem.list_calls() == ()
        release = await heard.released()
        assert release.evidence is Evidence.CLCC


# ---- the others ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["generic", "simcom-sim800", "simcom-a7670", "quectel-m95"])
async def test_a_modem_without_voice_path_is_ready_for_messages_and_refuses_calls(name: str) -> None:
    link = FakeModem(table=GENERIC | {"+CCID": (ICCID,), "+QCCID": (ICCID,)})
    async with driven_fake(link, name) as (modem, heard):
        assert not modem.info.voice and modem.info.iccid == ICCID and modem.info.imsi
        assert heard.places == [None]
        with pytest.raises(NoVoiceError):
            await modem.dial(NUMBER)
        assert not link.sent("D")


async def test_a_3g_module_is_not_asked_for_lte() -> None:
    extra: dict[str, Answer] = {"+QCCID": (f"+QCCID: {ICCID}",), "+QPCMV=1,0": (), "+QPCMV?": ("+QPCMV: 1,0",)}
    link = FakeModem(table=GENERIC | extra)
    async with driven_fake(link, "quectel-uc20") as (modem, _):
        assert modem.info.voice and "+CEREG=2" not in link.asked

"""Messages through the driver: nothing sent twice, nothing deleted unread, nothing taken for something else."""

from __future__ import annotations

import asyncio

import pytest

from modembank.errors import (
    AtResultError,
    AtTimeoutError,
    CmsError,
    ModemError,
    SmsUnknownError,
    WrongStateError,
)
from modembank.modem import MessageStatus, StoredAt, StoredPdu, StoreUse
from tests.support.fake_modem import GENERIC, FakeModem, driven_fake

pytestmark = pytest.mark.looptime

PDU = "0011000C9144770090902100000002E834"
ASK, GIVE = "AT+CMGS=16", PDU + "\x1a"
INBOUND = "07914477581006500409D04F6D6E0D4700009010714132400002E834"
TWO = {
    '+CPMS="ME"': ("+CPMS: 1,23,1,23,1,23",),
    '+CPMS="SM"': ("+CPMS: 10,10,1,23,1,23",),
    "+CMGL=4": (f"+CMGL: 3,0,,20\r\n{INBOUND}",),
    "+CMGD=3": (),
}
EC25 = "quectel-ec25"
EXTRA = {"+CEREG=2": (), "+CEREG?": ("+CEREG: 2,1",), "+QCCID": ("+QCCID: 8944000000000000017",), "+QPCMV=1,0": (),
         "+QPCMV?": ("+QPCMV: 1,0",), "^DSCI=1": (), "A": (), "+CEER": ("+CEER: 16",)}  # fmt: skip


def modem(**answers: str) -> FakeModem:
    return FakeModem(answers=dict(answers), table=GENERIC | EXTRA | TWO)


def prompting(answer: str) -> FakeModem:
    link = modem()
    link.answers = {ASK: "\r\n> ", GIVE: answer}
    return link


async def test_a_card_that_is_ready_has_its_stores_read() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, heard):
        assert heard.places == [None]
        assert 'AT+CMGF=0;+CPMS="ME","ME","ME";+CNMI=2,1,0,2,0' in link.heard
        assert await driver.read_messages() == tuple(
            StoredPdu(store, 3, MessageStatus.UNREAD, INBOUND) for store in ("ME", "SM")
        )
        assert driver.message_stores == (StoreUse("ME", 1, 23), StoreUse("SM", 10, 10))
        assert [one.full for one in driver.message_stores] == [False, True]
        assert link.sent("+CMGD") == []  # reading deletes nothing


async def test_a_modem_with_one_store_and_an_older_cnmi() -> None:
    link = modem()
    link.table = {key: value for key, value in link.table.items() if '"ME"' not in key and "+CNMI" not in key}
    link.table["+CNMI=2,1,0,1,0"] = ()
    async with driven_fake(link, EC25) as (driver, _):
        assert [one.store for one in await driver.read_messages()] == ["SM"]
        assert link.sent("+CPMS=")[-1] == '+CPMS="SM"'
        assert '+CPMS="SM","SM","SM"' in link.asked and "+CNMI=2,1,0,1,0" in link.asked


async def test_no_store_at_all_is_said() -> None:
    link = modem()
    link.table = {key: value for key, value in link.table.items() if "+CPMS" not in key}
    async with driven_fake(link, EC25) as (driver, _):
        with pytest.raises(ModemError, match="stores"):
            await driver.read_messages()


async def test_news() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, heard):
        link.urc('+CMTI: "ME",4', '+CMTI: "SM",-1', '+QIND: "smsfull","ME"', f"+CMT: ,20\r\n{INBOUND}")
        link.urc('+CDSI: "SR",2')
        await heard.until(lambda: len(heard.places) == 5)
        assert heard.places[1:] == [StoredAt("ME", 4), None, None, StoredAt("SR", 2)]
        assert heard.pdus == [INBOUND]
        await driver.read_messages()
        assert '+CPMS="SR"' in link.asked


async def test_delete_selects_the_store_each_time() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, _):
        await driver.read_messages()
        del link.asked[:]
        await driver.delete_message("ME", 3)
        await driver.delete_message("SM", 3)
        assert link.asked == ['+CPMS="ME"', "+CMGD=3", '+CPMS="SM"', "+CMGD=3"]
        with pytest.raises(WrongStateError):
            await driver.delete_message("SM", 3)  # deleted: another message may lie there now


async def test_what_another_card_held_is_not_deleted_from_this_one() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, heard):
        with pytest.raises(WrongStateError):
            await driver.delete_message("SM", 3)
        await driver.read_messages()
        link.urc("+QSIMSTAT: 1,0", "+QSIMSTAT: 1,1")
        await heard.until(lambda: len(heard.places) == 2)
        with pytest.raises(WrongStateError):
            await driver.delete_message("SM", 3)
        assert link.sent("+CMGD") == []


async def test_a_message_deleted_already_is_deleted() -> None:
    link = modem()
    link.table["+CMGD=3"] = "+CMS ERROR: 321"
    async with driven_fake(link, EC25) as (driver, _):
        await driver.read_messages()
        await driver.delete_message("ME", 3)


async def test_send() -> None:
    link = prompting("\r\n+CMGS: 214\r\n\r\nOK\r\n")
    async with driven_fake(link, EC25) as (driver, _):
        assert await driver.send_pdu(PDU, 16) == 214
        assert link.heard.count(GIVE) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("\r\n+CMS ERROR: 38\r\n", CmsError),
        ("\r\nERROR\r\n", AtResultError),
        ("\r\n+CMS ERROR: 332\r\n", SmsUnknownError),  # network timeout: the acknowledgement did not come
        ("\r\nOK\r\n", SmsUnknownError),  # without a reference
    ],
)
async def test_what_the_network_says(answer: str, error: type[Exception]) -> None:
    link = prompting(answer)
    async with driven_fake(link, EC25) as (driver, _):
        with pytest.raises(error):
            await driver.send_pdu(PDU, 16)
        assert link.heard.count(GIVE) == 1


async def test_an_answer_lost_after_submission_is_unknown_and_not_sent_again() -> None:
    link = prompting("")
    link.silent = {GIVE}
    async with driven_fake(link, EC25) as (driver, _):
        with pytest.raises(SmsUnknownError):
            await driver.send_pdu(PDU, 16)
        assert await driver.read_messages()
        assert link.heard.count(GIVE) == 1


async def test_a_port_lost_after_submission_is_unknown_too() -> None:
    link = prompting("")
    link.silent = {GIVE}
    async with driven_fake(link, EC25) as (driver, heard):
        sending = asyncio.create_task(driver.send_pdu(PDU, 16))
        await heard.until(lambda: GIVE in link.heard)
        link.unplug()
        with pytest.raises(SmsUnknownError):
            await sending


async def test_without_a_prompt_nothing_was_sent() -> None:
    link = prompting("")
    link.silent = {ASK}
    async with driven_fake(link, EC25) as (driver, _):
        with pytest.raises(AtTimeoutError):
            await driver.send_pdu(PDU, 16)
        assert GIVE not in link.heard


async def test_no_message_during_a_call() -> None:
    link = prompting("\r\n+CMGS: 214\r\n\r\nOK\r\n")
    link.table["+CLCC"] = ('+CLCC: 1,1,4,0,0,"+447700900123",145',)
    async with driven_fake(link, EC25) as (driver, heard):
        link.urc("RING")
        await heard.until(lambda: bool(heard.progress))
        with pytest.raises(WrongStateError):
            await driver.send_pdu(PDU, 16)
        assert ASK not in link.heard


async def test_a_card_taken_out_while_its_store_is_selected() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, heard):
        await driver.read_messages()
        link.silent = {'AT+CPMS="ME"'}
        deleting = asyncio.create_task(driver.delete_message("ME", 3))
        await heard.until(lambda: 'AT+CPMS="ME"' in link.heard[-1:])
        link.urc("+QSIMSTAT: 1,0")
        link.push("\r\n+CPMS: 1,23,1,23,1,23\r\n\r\nOK\r\n")
        with pytest.raises(WrongStateError):
            await deleting
        assert link.sent("+CMGD") == []

"""USSD through the driver: sessions, one at a time, never during a call, and every answer to its own code."""

from __future__ import annotations

import asyncio

import pytest

from modembank.at.ussd import read_ussd, ussd
from modembank.errors import AtResultError, AtSyntaxError, ModemError, PortLostError, UssdTimeoutError, WrongStateError
from modembank.modem import Modem, UssdReply, UssdStatus
from tests.support.fake_modem import GENERIC, FakeModem, driven_fake
from tests.support.modem_rig import Listener

pytestmark = pytest.mark.looptime

EC25 = "quectel-ec25"
BALANCE, ONE = '+CUSD=1,"002A0031003000300023",15', '+CUSD=1,"0031",15'
EXTRA = {"+CEREG=2": (), "+CEREG?": ("+CEREG: 2,1",), "+QCCID": ("+QCCID: 8944000000000000017",), "+QPCMV=1,0": (),
         "+QPCMV?": ("+QPCMV: 1,0",), "^DSCI=1": (), '+CSCS="UCS2"': (), '+CSCS="IRA"': (), "+CUSD=2": (),
         BALANCE: (), ONE: (), "D+447700900123;": ()}  # fmt: skip
MENU, DONE = '+CUSD: 1,"0041",15', '+CUSD: 0,"0042",15'


def modem(**replies: str) -> FakeModem:
    """`replies` by the name of the code: `balance`, `one`, `cancel`."""
    codes = {BALANCE: replies.get("balance"), ONE: replies.get("one"), "+CUSD=2": replies.get("cancel")}
    link = FakeModem(table=GENERIC | EXTRA)

    def after(command: str) -> None:
        if reply := codes.get(command):
            late_s = 0.5 if command == "+CUSD=2" else 0.8
            asyncio.get_running_loop().call_later(late_s, link.urc, reply)

    link.after = after
    return link


async def waited(heard: Listener, link: FakeModem, command: str) -> None:
    await heard.until(lambda: command in link.asked)


async def test_one_code_one_answer_and_the_character_set_is_restored() -> None:
    link = modem(balance=DONE)
    async with driven_fake(link, EC25) as (driver, heard):
        assert await driver.ussd("*100#") == UssdReply(UssdStatus.DONE, "0042", 15, "UCS2")
        assert link.asked[-4:] == ["+CSCS?", '+CSCS="UCS2"', BALANCE, '+CSCS="IRA"']
        assert not heard.ussd


async def test_the_string_before_ok() -> None:
    link = modem()
    link.answers = {"AT" + BALANCE: f"\r\n{DONE}\r\n\r\nOK\r\n"}
    async with driven_fake(link, EC25) as (driver, _):
        assert (await driver.ussd("*100#")).raw == "0042"


async def test_a_menu_is_answered_in_its_session() -> None:
    link = modem(balance=MENU, one=DONE)
    async with driven_fake(link, EC25) as (driver, _):
        assert (await driver.ussd("*100#")).m is UssdStatus.REPLY_WANTED
        with pytest.raises(WrongStateError):
            await driver.ussd("*100#")
        assert link.sent('+CSCS="IRA"') == []
        assert (await driver.answer_ussd("1")).m is UssdStatus.DONE
        assert link.sent('+CSCS="IRA"') and "+CUSD=2" not in link.asked
        with pytest.raises(WrongStateError):
            await driver.answer_ussd("1")


async def test_cancel() -> None:
    link = modem(balance=MENU)
    async with driven_fake(link, EC25) as (driver, _):
        await driver.cancel_ussd()
        assert "+CUSD=2" not in link.asked
        await driver.ussd("*100#")
        await driver.cancel_ussd()
        assert link.asked[-2:] == ["+CUSD=2", '+CSCS="IRA"']
        await driver.ussd("*100#")


async def test_our_turn_does_not_last_for_ever() -> None:
    link = modem(balance=MENU)
    async with driven_fake(link, EC25) as (driver, _):
        await driver.ussd("*100#")
        await asyncio.sleep(55)
        assert "+CUSD=2" not in link.asked
        await asyncio.sleep(10)
        assert "+CUSD=2" in link.asked
        with pytest.raises(WrongStateError):
            await driver.answer_ussd("1")


async def test_no_answer_and_the_last_word_is_not_the_next_answer() -> None:
    link = modem(cancel="+CUSD: 2", one=DONE)
    async with driven_fake(link, EC25) as (driver, _):
        started_s = asyncio.get_running_loop().time()
        with pytest.raises(UssdTimeoutError):
            await driver.ussd("*100#")
        assert 29 < asyncio.get_running_loop().time() - started_s < 35
        assert (await driver.ussd("1")).raw == "0042"


async def test_one_session_at_a_time() -> None:
    link = modem(balance=DONE, one='+CUSD: 0,"0043",15')
    async with driven_fake(link, EC25) as (driver, _):
        first, second = await asyncio.gather(driver.ussd("*100#"), driver.ussd("1"))
        assert (first.raw, second.raw) == ("0042", "0043")


async def test_a_refused_code() -> None:
    link = modem(balance=DONE)
    link.table[BALANCE] = "+CME ERROR: 30"
    async with driven_fake(link, EC25) as (driver, _):
        with pytest.raises(AtResultError):
            await driver.ussd("*100#")
        assert link.asked[-1] == '+CSCS="IRA"'


async def test_what_nobody_asked_for_is_told() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (_, heard):
        link.urc('+CUSD: 0,"Your call cost\r\n"0.20"",15')
        await heard.until(lambda: bool(heard.ussd))
        assert heard.ussd[0].raw == 'Your call cost\n"0.20"'


async def test_the_network_ends_the_session_in_our_turn() -> None:
    link = modem(balance=MENU)
    async with driven_fake(link, EC25) as (driver, heard):
        await driver.ussd("*100#")
        link.urc("+CUSD: 2")
        await waited(heard, link, '+CSCS="IRA"')
        with pytest.raises(WrongStateError):
            await driver.answer_ussd("1")


async def test_not_during_a_call() -> None:
    link = modem()
    link.table["+CLCC"] = ('+CLCC: 1,1,4,0,0,"+447700900123",145',)
    async with driven_fake(link, EC25) as (driver, heard):
        link.urc("RING")
        await heard.until(lambda: bool(heard.progress))
        with pytest.raises(WrongStateError):
            await driver.ussd("*100#")
        assert not link.sent("+CUSD")


@pytest.mark.parametrize("stage", ["waiting", "our turn"])
async def test_a_call_ends_it_before_atd(stage: str) -> None:
    link = modem(balance=MENU if stage == "our turn" else "")
    async with driven_fake(link, EC25) as (driver, heard):
        asking = asyncio.create_task(driver.ussd("*100#"))
        await waited(heard, link, BALANCE)
        if stage == "our turn":
            await asking
        await dialled(driver, link, heard)
        if stage == "waiting":
            with pytest.raises(WrongStateError):
                await asking
        asked = link.asked
        assert asked.index("+CUSD=2") < asked.index('+CSCS="IRA"') < asked.index("D+447700900123;")


async def dialled(driver: Modem, link: FakeModem, heard: Listener) -> None:
    dialling = asyncio.create_task(driver.dial("+447700900123"))
    await waited(heard, link, "D+447700900123;")
    await dialling


async def test_a_lost_port_ends_the_wait() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, heard):
        asking = asyncio.create_task(driver.ussd("*100#"))
        await waited(heard, link, BALANCE)
        await asyncio.sleep(1)
        link.unplug()
        with pytest.raises(PortLostError):
            await asking


async def test_a_restart_ends_the_wait() -> None:
    link = modem()
    async with driven_fake(link, EC25) as (driver, heard):
        asking = asyncio.create_task(driver.ussd("*100#"))
        await waited(heard, link, BALANCE)
        await asyncio.sleep(1)
        link.urc("RDY")
        with pytest.raises(ModemError):
            await asking


def test_a_string_goes_out_as_it_is_written() -> None:
    assert ussd("AA182CA6A28D1A").text == '+CUSD=1,"AA182CA6A28D1A",15'


@pytest.mark.parametrize("string", ["", '*1"#', "*1#\r", "é", "x" * 729])
def test_what_may_not_be_sent(string: str) -> None:
    with pytest.raises(AtSyntaxError):
        ussd(string)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ('+CUSD: 1,"a, "b"",72', (1, 'a, "b"', 72)),
        ("+CUSD: 2", (2, None, None)),
        ("+CUSD:0,AA180C3602,15", (0, "AA180C3602", 15)),
        ('+CUSD: 0,"x"', (0, "x", None)),
    ],
)
def test_lines(line: str, reply: tuple[int, str | None, int | None]) -> None:
    got = read_ussd(line, "GSM")
    assert (got.m, got.raw, got.dcs, got.charset) == (*reply, "GSM")


@pytest.mark.parametrize("line", ["+CUSD: 9", '+CUSD: 1,"open', "+CUSD:"])
def test_broken_lines(line: str) -> None:
    with pytest.raises(AtSyntaxError):
        read_ussd(line, None)

"""The card's PIN: never tried where a wrong one could block the card, never twice (I8); and call forwarding."""

from __future__ import annotations

import pytest

from modembank.at.forwarding import query
from modembank.at.pin import SimLock, read_lock, read_retries
from modembank.errors import AtSyntaxError, AtTimeoutError, PinRefusedError, WrongStateError
from modembank.modem import Forwarding, ForwardingReason, ModemState, PinState
from tests.support.fake_modem import GENERIC, ICCID, Answer, FakeModem, driven_fake

pytestmark = pytest.mark.looptime

EC25 = "quectel-ec25"
PIN = '+CPIN="4711"'
EXTRA: dict[str, Answer] = {
    "+CEREG=2": (), "+CEREG?": ("+CEREG: 2,1",), "+QCCID": (f"+QCCID: {ICCID}",), "+QPCMV=1,0": (),
    "+QPCMV?": ("+QPCMV: 1,0",), "^DSCI=1": (),
}  # fmt: skip


def locked(pin_left: int | None = 3, lock: str = "SIM PIN") -> FakeModem:
    """A card whose PIN is 4711."""
    link = FakeModem(table=GENERIC | EXTRA | {"+CPIN?": (f"+CPIN: {lock}",), PIN: ()})
    if pin_left is not None:
        link.table["+CPINR"] = (f"+CPINR: SIM PIN,{pin_left},3", "+CPINR: SIM PUK,10,10")

    def after(command: str) -> None:
        if command == PIN and link.table[PIN] == ():
            link.table["+CPIN?"] = ("+CPIN: READY",)

    link.after = after
    return link


async def test_a_locked_card_says_so_and_which_card_it_is() -> None:
    link = locked()
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        assert driver.info.lock == PinState(SimLock.PIN, 3, 10)
        assert driver.info.iccid == ICCID and driver.info.imsi is None
        assert driver.info.state_detail == "the SIM asks for its PIN; tries left: 3"
        assert not link.sent("+CPIN=")


async def test_the_right_pin() -> None:
    link = locked()
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, heard):
        await driver.enter_pin("4711")
        await heard.until(lambda: driver.info.state is ModemState.READY)
        assert driver.info.lock is None and link.sent("+CPIN=") == [PIN]
        with pytest.raises(WrongStateError):
            await driver.enter_pin("4711")
        assert all("4711" not in line.text for line in driver.trace(1000))


@pytest.mark.parametrize("left", [2, 1, 0, None])
async def test_no_try_with_fewer_than_three_left_or_an_unknown_number(left: int | None) -> None:
    link = locked(left)
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        with pytest.raises(PinRefusedError):
            await driver.enter_pin("4711")
        assert not link.sent("+CPIN=")


async def test_the_number_is_read_again_before_the_try() -> None:
    link = locked()
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        link.table["+CPINR"] = ("+CPINR: SIM PIN,2,3",)  # somebody erred in between
        with pytest.raises(PinRefusedError, match="2 tries"):
            await driver.enter_pin("4711")
        assert not link.sent("+CPIN=")


@pytest.mark.parametrize("lock", ["SIM PUK", "PH-SIM PIN", "SIM PIN2"])
async def test_only_a_pin_is_ever_tried(lock: str) -> None:
    link = locked(lock=lock)
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        with pytest.raises(PinRefusedError):
            await driver.enter_pin("4711")
        assert not link.sent("+CPIN=")


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", '1234"', "１２３４"])
async def test_what_is_no_pin_is_not_tried(pin: str) -> None:
    link = locked()
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        with pytest.raises(PinRefusedError):
            await driver.enter_pin(pin)
        assert not link.sent("+CPIN=")


async def test_a_wrong_pin_is_tried_once_even_if_the_counter_does_not_move() -> None:
    link = locked()
    link.table[PIN] = "+CME ERROR: 16"
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        for _ in range(3):
            with pytest.raises(PinRefusedError) as caught:
                await driver.enter_pin("4711")
            assert "4711" not in str(caught.value)
        assert link.sent("+CPIN=") == [PIN]


async def test_a_pin_whose_answer_was_lost_is_not_tried_again() -> None:
    link = locked()
    link.silent = {"AT" + PIN}
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        with pytest.raises(AtTimeoutError) as caught:
            await driver.enter_pin("4711")
        assert "4711" not in str(caught.value)
        with pytest.raises(PinRefusedError, match="already"):
            await driver.enter_pin("4711")
        assert link.heard.count("AT" + PIN) == 1
        assert all("4711" not in line.text for line in driver.trace(1000))


async def test_a_restarted_modem_is_no_new_card_but_another_card_is() -> None:
    link = locked()
    link.table[PIN] = "+CME ERROR: 16"
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, heard):
        with pytest.raises(PinRefusedError):
            await driver.enter_pin("4711")
        link.urc("RDY")
        await heard.until(lambda: driver.info.state is ModemState.STARTING)
        await heard.until(lambda: driver.info.state is ModemState.SIM_LOCKED)
        with pytest.raises(PinRefusedError, match="already"):
            await driver.enter_pin("4711")
        link.table |= {PIN: (), "+QCCID": ("+QCCID: 8944000000000000025",)}
        link.urc("+QSIMSTAT: 1,1")
        await heard.until(lambda: driver.info.iccid == "8944000000000000025")
        await driver.enter_pin("4711")


@pytest.mark.parametrize(
    ("lines", "tries"),
    [
        (("+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,9,10"), (3, 9)),
        (("+CPINR: SIM PIN2,3,3",), (None, None)),
        (('+QPINC: "SC",2,10', '+QPINC: "P2",3,10'), (2, 10)),
        (("^CPIN: SIM PIN,,10,1,10,3",), (1, 10)),
        (("+SPIC: 3,10,0,10",), (3, None)),
        ((), (None, None)),
    ],
)
def test_tries_of_every_family(lines: tuple[str, ...], tries: tuple[int | None, int | None]) -> None:
    got = read_retries(lines)
    assert (got.pin, got.puk) == tries


def test_broken_tries() -> None:
    with pytest.raises(AtSyntaxError):
        read_retries(("+CPINR: SIM PIN,many",))
    assert read_lock("+CPIN: READY") is None


ELSEWHERE = "+447700900990"


async def test_forwarding_is_asked_for_each_reason() -> None:
    link = FakeModem(table=GENERIC | EXTRA)
    link.table |= {
        "+CCFC=0,2": ("+CCFC: 0,255",),
        "+CCFC=1,2": (f'+CCFC: 1,2,"{ELSEWHERE}",145', "+CCFC: 0,1"),  # data only
        "+CCFC=2,2": (f'+CCFC: 1,1,"{ELSEWHERE}",145,,,20',),
        "+CCFC=3,2": ("+CCFC: 1,7",),
    }
    async with driven_fake(link, EC25) as (driver, _):
        assert await driver.read_forwarding() == (
            Forwarding(ForwardingReason.NO_REPLY, ELSEWHERE),
            Forwarding(ForwardingReason.NOT_REACHABLE, None),
        )
    assert query(ForwardingReason.NOT_REACHABLE).text == "+CCFC=3,2"

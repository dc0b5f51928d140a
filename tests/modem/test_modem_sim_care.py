"""The card's PIN: never tried where a wrong one could block the card, never twice (I8); and call forwarding."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.at.command import AtCommand
from modembank.at.forwarding import query
from modembank.at.identity import SimStatus
from modembank.at.pin import STANDARD_RETRIES, SimLock, read_lock, read_retries
from modembank.errors import (
    AtSyntaxError,
    AtTimeoutError,
    CmeError,
    LineBusyError,
    PinRefusedError,
    PinWrongError,
    RequestError,
    WrongStateError,
)
from modembank.modem import Forwarding, ForwardingReason, ModemState, PinState
from modembank.modem.sim_care import SimCare
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


async def test_a_forwarding_is_erased_for_every_reason() -> None:
    link = FakeModem(table=GENERIC | EXTRA | {f"+CCFC={reason},4": () for reason in range(4)})
    async with driven_fake(link, EC25) as (driver, _):
        await driver.clear_forwarding()
        assert link.sent("+CCFC=") == ["+CCFC=0,4", "+CCFC=1,4", "+CCFC=2,4", "+CCFC=3,4"]


async def test_a_call_waits_for_one_question_at_most_and_not_for_long() -> None:
    answered, asked, told = asyncio.Event(), [], []

    async def ask(command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        asked.append(command.text)
        await answered.wait()
        return ("+CCFC: 0,255",)

    care = SimCare(ask, (), lambda: False, told.append)
    await care.give_way(8.0)
    check = asyncio.create_task(care.read_forwarding())
    await asyncio.sleep(1)
    assert told == [True]
    with pytest.raises(LineBusyError):
        await care.give_way(8.0)
    assert asyncio.get_running_loop().time() == pytest.approx(9.0)
    with pytest.raises(WrongStateError):
        await care.read_forwarding()  # a call has just been refused: nobody else may make the line busy meanwhile
    waiting = asyncio.create_task(care.give_way(8.0))
    await asyncio.sleep(1)
    assert not waiting.done()
    answered.set()
    await waiting
    with pytest.raises(WrongStateError):
        await check
    assert asked == ["+CCFC=0,2"] and told[-1] is False
    assert await care.read_forwarding() == () and len(asked) == 5


async def test_an_operator_is_selected_by_its_plmn_only() -> None:
    link = FakeModem(table=GENERIC | EXTRA | {'+COPS=1,2,"00101"': (), "+COPS=0": ()})
    async with driven_fake(link, EC25) as (driver, _):
        await driver.select_operator("00101")
        await driver.select_operator(None)
        for wrong in ("", "0010", "0010101", '00101"', "Test"):
            with pytest.raises(RequestError):
                await driver.select_operator(wrong)
        assert [one for one in link.sent("+COPS=") if not one.startswith("+COPS=3")] == ['+COPS=1,2,"00101"', "+COPS=0"]


async def test_a_denied_card_tells_the_networks_cause() -> None:
    told = {"+CREG?": ("+CREG: 3,3,,,,0,11",), "+CEREG?": ("+CEREG: 2,0",), "+CREG=3": ()}
    async with driven_fake(FakeModem(table=GENERIC | EXTRA | told), EC25, ModemState.DENIED) as (driver, _):
        assert driver.info.denial == "network not allowed (cause 11)"
        assert driver.info.state_detail == "the network refuses this SIM: network not allowed (cause 11)"
    del told["+CREG=3"]
    told["+CREG?"] = ("+CREG: 2,3",)
    async with driven_fake(FakeModem(table=GENERIC | EXTRA | told), EC25, ModemState.DENIED) as (driver, _):
        assert (driver.info.denial, driver.info.state_detail) == (None, "the network refuses this SIM")


PUK = '+CPIN="87654321","4711"'


async def test_the_puk_unblocks_the_card_when_the_tries_are_those_that_were_seen() -> None:
    link = locked(0, "SIM PUK")
    link.table |= {PUK: (), "+CPINR": ("+CPINR: SIM PIN,0,3", "+CPINR: SIM PUK,8,10")}
    link.after = lambda command: link.table.update({"+CPIN?": ("+CPIN: READY",)}) if command == PUK else None
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, heard):
        for seen in (10, 9, 7, None):
            with pytest.raises(PinRefusedError, match="8 tries"):
                await driver.enter_puk("87654321", "4711", seen)
        for puk, pin in (("8765432", "4711"), ("87654321", "471"), ('87654321"', "4711")):
            with pytest.raises(PinRefusedError):
                await driver.enter_puk(puk, pin, 8)
        assert not link.sent("+CPIN=")
        await driver.enter_puk("87654321", "4711", 8)
        await heard.until(lambda: driver.info.state is ModemState.READY)
        assert link.sent("+CPIN=") == [PUK]
        assert all("87654321" not in line.text and "4711" not in line.text for line in driver.trace(1000))


async def test_a_wrong_puk_costs_one_try_and_a_spent_card_none() -> None:
    link = locked(0, "SIM PUK")
    link.table[PUK] = "+CME ERROR: 16"
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        with pytest.raises(PinWrongError) as caught:
            await driver.enter_puk("87654321", "4711", 10)
        assert "87654321" not in str(caught.value)
        link.table["+CPINR"] = ("+CPINR: SIM PIN,0,3", "+CPINR: SIM PUK,0,10")
        with pytest.raises(PinRefusedError, match="for good"):
            await driver.enter_puk("87654321", "4711", 0)
        assert link.sent("+CPIN=") == [PUK]


async def test_a_puk_is_no_way_around_the_pin() -> None:
    link = locked()
    async with driven_fake(link, EC25, ModemState.SIM_LOCKED) as (driver, _):
        with pytest.raises(WrongStateError):
            await driver.enter_puk("87654321", "4711", 10)
        assert not link.sent("+CPIN=")


class Card:
    """A card with PIN 4711 and PUK 87654321, and what happens around it; it answers through the fake modem."""

    def __init__(self, tries: int, puk_tries: int) -> None:
        self.tries, self.puk_tries, self.open = tries, puk_tries, False
        self.attempts: list[int] = []  # the tries that were left before each PIN
        self.puks = 0

    def pin(self, pin: str) -> Answer:
        self.attempts.append(self.tries)
        if pin == "4711" and self.tries:
            self.tries, self.open = 3, True
            return ()
        self.tries = max(0, self.tries - 1)
        return "+CME ERROR: 16"

    def puk(self, puk: str) -> Answer:
        self.puks += 1
        if puk == "87654321" and self.puk_tries:
            self.tries, self.puk_tries, self.open = 3, 10, True
            return ()
        self.puk_tries = max(0, self.puk_tries - 1)
        return "+CME ERROR: 16"

    @property
    def state(self) -> str:
        return "READY" if self.open else "SIM PIN" if self.tries else "SIM PUK"


PINS = ("4711", "0000", "1111")
steps = st.one_of(
    st.sampled_from(PINS).map(lambda pin: ("pin", pin, 0)),
    st.tuples(st.just("puk"), st.sampled_from(("87654321", "00000000")), st.integers(0, 10)),
    st.just(("power", "", 0)),
)


async def play(card: Card, story: list[tuple[str, str, int]]) -> tuple[int, int]:
    """Run one story; returns how many PINs and PUKs the driver let through."""

    async def ask(command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        answer: Answer = ()
        if command.text == "+CPIN?":
            answer = (f"+CPIN: {card.state}",)
        elif command.text == "+CPINR":
            answer = (f"+CPINR: SIM PIN,{card.tries},3", f"+CPINR: SIM PUK,{card.puk_tries},10")
        elif "," in command.text:
            answer = card.puk(command.text[7:15])
        else:
            answer = card.pin(command.text[7:-1])
        if isinstance(answer, str):
            raise CmeError(command.text, 16)
        return answer

    care = SimCare(ask, (STANDARD_RETRIES,), lambda: False)
    inserted = pins = puks = 0
    for kind, secret, seen in story:
        if kind == "power":
            care.saw(SimStatus.ABSENT, None)
            card.open, inserted = False, 0
            continue
        before = len(card.attempts), card.puks
        with contextlib.suppress(PinRefusedError, WrongStateError):
            if kind == "pin":
                await care.enter_pin(secret, ICCID)
            else:
                left = card.puk_tries
                await care.enter_puk(secret, "4711", seen)
                assert seen == left
        care.saw(SimStatus.READY if card.open else SimStatus.LOCKED, ICCID)
        inserted += len(card.attempts) - before[0]
        assert inserted <= 1 or card.open, "a second try in one insertion"
        inserted = 0 if card.open else inserted
        pins, puks = pins + len(card.attempts) - before[0], puks + card.puks - before[1]
    return pins, puks


@given(st.integers(0, 3), st.integers(0, 10), st.lists(steps, max_size=12))
@settings(max_examples=200, deadline=None)
def test_no_story_spends_a_try_below_three_or_blocks_a_card(tries: int, puk_tries: int, story: list) -> None:
    card = Card(tries, puk_tries)
    asyncio.run(play(card, story))
    assert all(left == 3 for left in card.attempts)
    assert tries < 2 or card.tries >= 2

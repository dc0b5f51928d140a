"""Messages and USSD between the real driver and emulated modems."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from modembank.errors import AtTimeoutError, PinRefusedError, SmsUnknownError
from modembank.modem import MessageStatus, ModemState, ModemTimings, PinState, SimLock, UssdStatus
from modembank.tty.channel import ChannelTimings
from tests.support.emulator import RunningEmulator
from tests.support.modem_rig import PATIENCE_S, Rig, driven

pytestmark = pytest.mark.asyncio(loop_scope="session")

Next = Callable[[], int]
HASTY = ModemTimings(channel=ChannelTimings(sentinel_s=1.0, quiet_s=0.1, prompt_s=1.0))


def submit(number: str) -> tuple[str, int]:
    """SMS-SUBMIT "hello" to an international number. Source: 3GPP TS 23.040 section 9.2.2.2."""
    digits = number.removeprefix("+")
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[place + 1] + padded[place] for place in range(0, len(padded), 2))
    tpdu = f"0100{len(digits):02X}91{swapped}000005E8329BFD06"
    return "00" + tpdu, len(tpdu) // 2


async def received(rig: Rig) -> None:
    """Wait until a message was told of after the one telling that the card is ready."""
    await rig.heard.until(lambda: len(rig.heard.places) > 1)


async def test_a_message_in_is_told_read_and_deleted(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("sms", modem=rig.index, to=rig.number, text="OK\r\nRING", **{"from": "+447700900990"})
        await received(rig)
        (message,) = await rig.modem.read_messages()
        assert rig.heard.places[1] is not None and message.index == rig.heard.places[1].index
        assert (message.store, message.status) == ("ME", MessageStatus.UNREAD)
        assert rig.heard.kinds == []  # RING in a text is no call
        stored = (await emulator.call("sms_store", modem=rig.index))["messages"]
        assert isinstance(stored, list) and [one["pdu"] for one in stored] == [message.pdu]
        await rig.modem.delete_message(message.store, message.index)
        assert (await emulator.call("sms_store", modem=rig.index))["messages"] == []
        assert await rig.modem.read_messages() == ()


async def test_from_one_modem_to_another(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as sender, driven(emulator, next_modem()) as receiver:
        pdu, length = submit(receiver.number)
        first = await sender.modem.send_pdu(pdu, length)
        await received(receiver)
        assert (await sender.modem.send_pdu(pdu, length)) == (first + 1) % 256
        await receiver.heard.until(lambda: len(receiver.heard.places) == 3)
        assert len(await receiver.modem.read_messages()) == 2


async def test_a_missing_prompt_leaves_a_working_modem(emulator: RunningEmulator, next_modem: Next) -> None:
    """Fault 8: the modem waits for a text that it never asked for; ESC brings it back."""
    async with driven(emulator, next_modem(), timings=HASTY) as rig:
        pdu, length = submit(rig.number)
        await rig.fault("prompt_missing", 1)
        with pytest.raises(AtTimeoutError):
            await rig.modem.send_pdu(pdu, length)
        assert await rig.modem.read_messages() == ()
        assert await rig.modem.send_pdu(pdu, length) is not None
        assert len(await taken(rig)) == 1


async def taken(rig: Rig) -> list[object]:
    """What the network took from this modem."""
    messages = (await rig.emulator.call("sms_sent", modem=rig.index))["messages"]
    assert isinstance(messages, list)
    return messages


async def test_a_modem_lost_after_submission_leaves_the_message_unknown(
    emulator: RunningEmulator, next_modem: Next
) -> None:
    async with driven(emulator, next_modem()) as rig:
        pdu, length = submit(rig.number)
        await rig.fault("sms_send_s", 600)
        sending = asyncio.create_task(rig.modem.send_pdu(pdu, length))
        async with asyncio.timeout(PATIENCE_S):
            while not await taken(rig):
                await asyncio.sleep(0.05)
        await emulator.call("reset", modem=rig.index)
        with pytest.raises(SmsUnknownError):
            await sending
        assert len(await taken(rig)) == 1


async def test_ussd(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        reply = await rig.modem.ussd("*100#")
        assert (reply.m, reply.charset) == (UssdStatus.DONE, "UCS2")
        assert reply.raw is not None and "balance" in bytes.fromhex(reply.raw).decode("utf-16-be").lower()
        assert (await rig.modem.ussd("*123#")).m is UssdStatus.REPLY_WANTED
        assert (await rig.modem.answer_ussd("1")).raw
        await rig.modem.cancel_ussd()
        await rig.modem.dial(emulator.parties["echo"])
        await rig.modem.hang_up()


async def test_a_locked_card_is_opened_with_its_pin(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("pin", modem=rig.index, pin="4711")
        await rig.state(ModemState.SIM_LOCKED)
        assert rig.modem.info.iccid and rig.modem.info.lock == PinState(SimLock.PIN, 3, 10)
        await rig.modem.enter_pin("4711")
        await rig.state(ModemState.READY)


async def test_a_wrong_pin_costs_one_try_and_no_more(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("pin", modem=rig.index, pin="4711")
        await rig.state(ModemState.SIM_LOCKED)
        for pin in ("0815", "4711"):
            with pytest.raises(PinRefusedError):
                await rig.modem.enter_pin(pin)
        assert len(await rig.sent("+CPIN=")) == 1

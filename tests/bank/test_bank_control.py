"""Actions on calls that exist."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from modembank.bank.records import DialRequest
from modembank.bus.bus import refused
from modembank.bus.commands import (
    AddCandidate,
    Answer,
    AnyCommand,
    AnyReply,
    Attach,
    Dial,
    Done,
    HangUp,
    SendDtmf,
    SetHeld,
    SetMuted,
)
from modembank.bus.events import CallEarlyMedia, CallEnded
from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource
from modembank.errors import HostUnreachableError, InvalidOfferError, NotFoundError, RequestError, WrongStateError
from modembank.ids import new_id
from tests.support.scripted_host import HOST_ID

TO = "+447700900777"
OFFER = "v=0\r\nm=audio 9\r\n"


async def dialed(rack, *, answered: bool = False) -> str:
    call_id = (await rack.bank.dial(DialRequest(to=TO), actor="test")).call.id
    if answered:
        rack.host.pick_up(call_id)
    await rack.told()
    return call_id


async def incoming(rack, number: str | None = "07700900555") -> str:
    call_id = new_id("call")
    rack.host.incoming(call_id, rack.host.modems[0], number)
    await rack.told()
    return call_id


async def test_hanging_up_before_the_answer_is_a_cancellation_by_the_caller(rack):
    call = await rack.bank.hang_up(await dialed(rack))
    assert (call.status, call.hangup.source, call.hangup.cause) == (
        CallStatus.CANCELED,
        HangupSource.CALLER,
        Cause.ORIGINATOR_CANCEL,
    )
    [command] = rack.host.asked(HangUp)
    assert command.cause is Cause.ORIGINATOR_CANCEL


async def test_hanging_up_twice_is_harmless(rack):
    call_id = await dialed(rack, answered=True)
    first = await rack.bank.hang_up(call_id)
    assert (first.status, first.hangup.cause) == ("completed", "normal_clearing")
    assert await rack.bank.hang_up(call_id) == first
    assert len(rack.host.asked(HangUp)) == 1


async def test_a_hang_up_that_overtakes_the_dial_command_still_ends_the_call(rack, monkeypatch):
    """The host hears of the release before it hears of the call."""
    monkeypatch.setattr("modembank.bank.control.SETTLE_S", 0.2)
    gate = rack.host.hold_back(Dial)

    async def unknown(command: AnyCommand) -> AnyReply | None:
        assert isinstance(command, HangUp)
        return None if command.call_id in rack.host.calls else refused("not_found", "no such call")

    rack.on[HangUp] = unknown
    stream = rack.bank.events.subscribe()
    dial = asyncio.create_task(rack.bank.dial(DialRequest(to=TO), actor="test"))
    queued = await anext(stream)
    call_id = queued.data["call"]["id"]
    hanging_up = asyncio.create_task(rack.bank.hang_up(call_id))
    async with asyncio.timeout(30):
        while not rack.host.asked(HangUp):
            await asyncio.sleep(0.01)
    gate.set()
    assert (await hanging_up).status is CallStatus.CANCELED
    await dial
    assert rack.host.calls == {}
    assert [event.type for event in await rack.call_events(call_id)].count("call.ended") == 1
    await stream.aclose()


async def test_a_call_that_its_host_does_not_know_is_ended_by_the_bank(rack, monkeypatch):
    monkeypatch.setattr("modembank.bank.control.SETTLE_S", 0.05)
    call_id = await dialed(rack)

    async def unknown(_: AnyCommand) -> AnyReply:
        return refused("not_found", "no such call")

    rack.on[HangUp] = unknown
    call = await rack.bank.hang_up(call_id)
    assert (call.status, call.hangup.cause) == ("canceled", "originator_cancel")
    assert (await rack.bank.get_sim(call.sim.id)).call_id is None


async def test_the_ends_own_cause_wins_when_the_host_told_of_it_just_before(rack):
    call_id = await dialed(rack)

    async def just_ended(command: AnyCommand) -> AnyReply:
        rack.host.end(call_id, HangupSource.CALLEE, Cause.USER_BUSY)
        return refused("not_found", "no such call")

    rack.on[HangUp] = just_ended
    call = await rack.bank.hang_up(call_id)
    assert call.hangup.cause is Cause.USER_BUSY


async def test_an_incoming_call_is_answered_once(rack):
    call_id = await incoming(rack)
    ringing = await rack.bank.get_call(call_id)
    assert (ringing.direction, ringing.status) == (Direction.INBOUND, CallStatus.RINGING)
    assert (ringing.from_, ringing.to) == ("+447700900555", "+447700900000")
    assert (await rack.bank.get_sim(ringing.sim.id)).call_id == call_id
    rack.host.hold_back(Answer)
    first = asyncio.create_task(rack.bank.answer(call_id, OFFER))
    async with asyncio.timeout(30):
        while not rack.host.asked(Answer):
            await asyncio.sleep(0.01)
    with pytest.raises(WrongStateError):
        await rack.bank.answer(call_id, None)
    rack.host.gates[Answer].set()
    answered = await first
    assert "m=audio" in answered.answer_sdp, "the client needs our SDP before the call can be answered"
    async with asyncio.timeout(30):
        while (await rack.bank.get_call(call_id)).status is not CallStatus.IN_PROGRESS:
            await asyncio.sleep(0.01)
    with pytest.raises(WrongStateError):
        await rack.bank.answer(call_id, None)
    with pytest.raises(WrongStateError):
        await rack.bank.reject(call_id)


async def test_a_refused_answer_can_be_tried_again(rack):
    call_id = await incoming(rack)

    async def refuse(_: AnyCommand) -> AnyReply:
        return refused("invalid_offer", "no audio section")

    rack.on[Answer] = refuse
    with pytest.raises(InvalidOfferError):
        await rack.bank.answer(call_id, "nonsense")
    del rack.on[Answer]
    assert (await rack.bank.answer(call_id, None)).call.status is CallStatus.IN_PROGRESS


async def test_a_rejected_call_tells_the_host_why(rack):
    call_id = await incoming(rack, None)
    assert (await rack.bank.get_call(call_id)).from_ is None
    await rack.bank.reject(call_id)
    [command] = rack.host.asked(HangUp)
    assert (command.source, command.cause) == (HangupSource.CALLEE, Cause.CALL_REJECTED)


async def test_outbound_calls_are_not_answered_or_rejected_here(rack):
    call_id = await dialed(rack)
    with pytest.raises(WrongStateError):
        await rack.bank.answer(call_id, None)
    with pytest.raises(WrongStateError):
        await rack.bank.reject(call_id)


async def test_mute_hold_and_digits_reach_the_host_and_come_back(rack):
    call_id = await dialed(rack, answered=True)
    assert (await rack.bank.set_muted(call_id, True)).muted is True
    assert (await rack.bank.set_muted(call_id, False)).muted is False
    assert (await rack.bank.set_held(call_id, True)).held is True
    await rack.bank.dtmf(call_id, "12#")
    await rack.told()
    digits = [event.data for event in await rack.call_events(call_id) if event.type == "call.dtmf"]
    assert [(data["digit"], data["from_far"]) for data in digits] == [("1", True), ("2", True), ("#", True)]
    assert [len(rack.host.asked(kind)) for kind in (SetMuted, SetHeld, SendDtmf)] == [2, 1, 1]


@pytest.mark.parametrize("digits", ["", "12;", "a", "1 2", "E", "1" * 65, "１"])
async def test_other_digits_are_refused(rack, digits):
    call_id = await dialed(rack, answered=True)
    with pytest.raises(RequestError):
        await rack.bank.dtmf(call_id, digits)
    assert rack.host.asked(SendDtmf) == []


async def test_digits_may_be_sent_to_an_announcement_but_not_while_it_rings(rack):
    call_id = await dialed(rack)
    with pytest.raises(WrongStateError):
        await rack.bank.dtmf(call_id, "1")
    with pytest.raises(WrongStateError):
        await rack.bank.set_held(call_id, True)
    rack.bus.publish(CallEarlyMedia(host_id=HOST_ID, at=datetime.now(UTC), call_id=call_id, sequence=9))
    await rack.told()
    await rack.bank.dtmf(call_id, "1")
    assert (await rack.bank.get_call(call_id)).early_media is True


async def test_a_far_side_can_be_attached_later(rack):
    call_id = await dialed(rack)
    assert "m=audio" in await rack.bank.attach(call_id, OFFER)
    await rack.bank.add_candidate(call_id, "candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0)
    await rack.bank.add_candidate(call_id, None)
    assert len(rack.host.asked(Attach)) == 1
    assert [command.candidate is None for command in rack.host.asked(AddCandidate)] == [False, True]
    with pytest.raises(InvalidOfferError) as raised:
        await rack.bank.attach(call_id, "nonsense")
    assert raised.value.call_id == call_id


async def test_nothing_can_be_done_with_a_call_that_is_over_or_never_was(rack):
    call_id = await dialed(rack)
    await rack.bank.hang_up(call_id)
    actions = (
        lambda target: rack.bank.answer(target, None),
        rack.bank.reject,
        lambda target: rack.bank.dtmf(target, "1"),
        lambda target: rack.bank.set_muted(target, True),
        lambda target: rack.bank.set_held(target, True),
        lambda target: rack.bank.attach(target, OFFER),
        lambda target: rack.bank.add_candidate(target, None),
    )
    for action in actions:
        with pytest.raises(WrongStateError):
            await action(call_id)
        with pytest.raises(NotFoundError):
            await action("call_none")
    with pytest.raises(NotFoundError):
        await rack.bank.hang_up("call_none")
    with pytest.raises(NotFoundError):
        await rack.bank.get_call("call_none")


async def test_an_action_whose_event_never_comes_returns_the_call_as_it_is(rack, monkeypatch):
    monkeypatch.setattr("modembank.bank.control.SETTLE_S", 0.05)
    call_id = await dialed(rack, answered=True)

    async def silent(_: AnyCommand) -> AnyReply:
        return Done()

    rack.on[SetMuted] = silent
    assert (await rack.bank.set_muted(call_id, True)).muted is False


async def test_a_host_that_is_away_is_told_to_the_caller(rack):
    call_id = await dialed(rack)
    rack.bus.serve(HOST_ID, rack.handle)()
    with pytest.raises(HostUnreachableError):
        await rack.bank.hang_up(call_id)
    rack.bus.publish(
        CallEnded(
            host_id=HOST_ID,
            at=datetime.now(UTC),
            call_id=call_id,
            sequence=5,
            status=CallStatus.FAILED,
            source=HangupSource.SYSTEM,
            cause=Cause.MODEM_LOST,
            q850=None,
            detail="",
            duration_s=0.0,
            quality=None,
        )
    )
    await rack.told()
    assert (await rack.bank.get_call(call_id)).hangup.cause is Cause.MODEM_LOST

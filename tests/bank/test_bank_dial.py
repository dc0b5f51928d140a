"""An outbound call from the wish to the host."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from modembank.bank.records import CallQuery, DialRequest, PageQuery
from modembank.bus.bus import refused
from modembank.bus.commands import AnyCommand, Dial, HangUp
from modembank.bus.vocabulary import CallStatus, Cause, HangupSource
from modembank.config import Settings
from modembank.errors import (
    EmergencyNumberError,
    HostUnreachableError,
    InvalidOfferError,
    NoSimAvailableError,
    NotRegisteredError,
)
from modembank.store.calls import get_call
from modembank.store.database import Database
from modembank.store.sims import all_sims

TO = "+447700900777"


async def test_fifty_dials_on_sixteen_sims_give_sixteen_calls_on_different_sims(full_rack):
    results = await asyncio.gather(
        *(full_rack.bank.dial(DialRequest(to=TO), actor="test") for _ in range(50)), return_exceptions=True
    )
    refusals = [result for result in results if isinstance(result, NoSimAvailableError)]
    calls = [result.call for result in results if not isinstance(result, BaseException)]
    assert (len(calls), len(refusals)) == (16, 34), Counter(type(result) for result in results)
    assert len({call.sim.id for call in calls}) == 16
    assert all(refusal.removed == {"not_in_call": 16} for refusal in refusals)
    assert len({command.iccid for command in full_rack.host.asked(Dial)}) == 16
    assert len((await full_rack.bank.list_calls(CallQuery(limit=100))).data) == 16


async def test_two_banks_on_one_database_never_share_a_sim(full_rack, settings: Settings):
    """The claim is the database's, not the process's."""
    from modembank.bank.bank import Bank
    from modembank.bus.bus import InProcessBus
    from tests.support.scripted_host import ScriptedHost, modem

    other_database = Database(full_rack.url)
    await other_database.open()
    bus = InProcessBus()
    other = Bank(settings, other_database, bus)
    ScriptedHost(bus, [modem(number) for number in range(16)]).start()
    await other.start()
    await bus.drained()
    try:
        dials = [bank.dial(DialRequest(to=TO), actor="test") for bank in (full_rack.bank, other) for _ in range(12)]
        results = await asyncio.gather(*dials, return_exceptions=True)
    finally:
        await other.stop()
        await other_database.close()
    sims = [result.call.sim.id for result in results if not isinstance(result, BaseException)]
    assert len(sims) == len(set(sims)) == 16
    assert sum(isinstance(result, NoSimAvailableError) for result in results) == 8


async def test_row_and_claim_are_committed_before_the_host_hears_of_it(rack):
    """I9, seen through a connection of its own."""
    seen: list[tuple[str, str | None, int]] = []

    async def look(command: AnyCommand) -> None:
        assert isinstance(command, Dial)
        second = Database(rack.url)
        await second.open()
        async with second.read() as session:
            row = await get_call(session, command.call_id)
            sim = next(sim for sim in await all_sims(session) if sim.iccid == command.iccid)
            seen.append((row.status, sim.claimed_by, sim.claim_epoch))
        await second.close()

    rack.on[Dial] = look
    dialed = await rack.bank.dial(DialRequest(to=TO), actor="test")
    assert seen == [(CallStatus.QUEUED, dialed.call.id, 1)]
    [command] = rack.host.asked(Dial)
    assert command.epoch == 1


async def test_call_goes_from_queued_to_completed_with_modem_side_times(rack):
    dialed = await rack.bank.dial(DialRequest(to="07700 900777", timeout_s=30, metadata={"crm": "42"}), actor="test")
    call_id = dialed.call.id
    rack.host.ring(call_id)
    rack.host.pick_up(call_id)
    rack.host.end(call_id, HangupSource.CALLEE)
    await rack.told()
    call = await rack.bank.get_call(call_id)
    assert call.status is CallStatus.COMPLETED
    assert (call.to, call.timeout_s, call.metadata) == (TO, 30, {"crm": "42"})
    assert call.created_at <= call.dialing_at <= call.ringing_at <= call.answered_at <= call.ended_at
    assert call.duration_s == 1.5
    assert call.hangup.source is HangupSource.CALLEE
    assert call.hangup.q850 == 16
    assert call.why.winner == call.sim.id
    assert call.why.considered == 4
    sim = await rack.bank.get_sim(call.sim.id)
    assert sim.state == "ready"
    assert sim.call_id is None
    assert sim.last_used_at is not None


async def test_sims_are_used_in_turn(rack):
    used = []
    for _ in range(4):
        dialed = await rack.bank.dial(DialRequest(to=TO), actor="test")
        used.append(dialed.call.sim.id)
        await rack.bank.hang_up(dialed.call.id)
    assert len(set(used)) == 4
    again = await rack.bank.dial(DialRequest(to=TO), actor="test")
    assert again.call.sim.id == used[0]


async def test_a_named_sim_is_taken_by_id_iccid_or_number(rack):
    page = await rack.bank.list_sims(PageQuery(limit=3))
    by_id, by_iccid, by_number = page.data
    for name, sim in ((by_id.id, by_id), (by_iccid.iccid, by_iccid), (by_number.number, by_number)):
        dialed = await rack.bank.dial(DialRequest(to=TO, from_=name), actor="test")
        assert dialed.call.sim.id == sim.id
        assert dialed.call.from_ == sim.number
    with pytest.raises(NoSimAvailableError) as raised:
        await rack.bank.dial(DialRequest(to=TO, from_=by_id.id), actor="test")
    assert raised.value.removed == {"named": 3, "not_in_call": 1}


async def test_an_offer_is_answered(rack):
    dialed = await rack.bank.dial(DialRequest(to=TO, offer="v=0\r\nm=audio 9\r\n"), actor="test")
    assert "m=audio" in dialed.answer_sdp
    assert rack.host.asked(Dial)[0].media_first is True


@pytest.mark.parametrize(
    ("code", "error", "cause"),
    [
        ("invalid_offer", InvalidOfferError, Cause.MEDIA_FAILED),
        ("not_registered", NotRegisteredError, Cause.NOT_REGISTERED),
    ],
)
async def test_a_refused_dial_is_closed_at_once_and_its_error_names_the_call(rack, code, error, cause):
    async def refuse(_: AnyCommand):
        return refused(code, "not today")

    rack.on[Dial] = refuse
    with pytest.raises(error, match="not today") as raised:
        await rack.bank.dial(DialRequest(to=TO), actor="test")
    call = await rack.bank.get_call(raised.value.call_id)
    assert (call.status, call.hangup.cause, call.hangup.source) == ("failed", cause, "system")
    assert (await rack.bank.get_sim(call.sim.id)).call_id is None


async def test_a_host_that_does_not_answer_ends_the_call_and_is_told_to_release_it(rack, monkeypatch):
    monkeypatch.setattr("modembank.bank.dialling.DIAL_DEADLINE_S", 0.2)
    gate = rack.host.hold_back(Dial)
    with pytest.raises(HostUnreachableError) as raised:
        await rack.bank.dial(DialRequest(to=TO), actor="test")
    gate.set()
    call = await rack.bank.get_call(raised.value.call_id)
    assert call.hangup.cause is Cause.HOST_UNREACHABLE
    assert [command.call_id for command in rack.host.asked(HangUp)] == [call.id]


async def test_emergency_numbers_leave_no_record(rack):
    with pytest.raises(EmergencyNumberError):
        await rack.bank.dial(DialRequest(to="999"), actor="test")
    assert (await rack.bank.list_calls(CallQuery())).data == ()
    assert rack.host.asked(Dial) == []


async def test_lists_go_page_by_page_newest_first(rack):
    made = [(await rack.bank.dial(DialRequest(to=TO), actor="test")).call.id for _ in range(4)]
    first = await rack.bank.list_calls(CallQuery(limit=3))
    second = await rack.bank.list_calls(CallQuery(limit=3, cursor=first.next_cursor))
    assert sorted(call.id for call in first.data + second.data) == sorted(made)
    assert second.next_cursor is None
    assert [call.id for call in first.data] == sorted(made, reverse=True)[:3]
    await rack.bank.hang_up(made[0])
    ended = await rack.bank.list_calls(CallQuery(status=CallStatus.CANCELED))
    assert [call.id for call in ended.data] == [made[0]]
    sim_id = ended.data[0].sim.id
    assert len((await rack.bank.list_calls(CallQuery(sim_id=sim_id))).data) == 1

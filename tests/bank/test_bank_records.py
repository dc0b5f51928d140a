"""What hosts tell becomes records and events: once, in order, with a cause."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from modembank.bank.bank import Bank
from modembank.bank.records import CallQuery, DialRequest
from modembank.bus.bus import refused
from modembank.bus.commands import AnyCommand, AnyReply, Dial, HangUp
from modembank.bus.events import (
    CallEnded,
    CallMedia,
    CallRinging,
    HostStarted,
    HostStopped,
    LeftOverCall,
    MediaQuality,
    ModemChanged,
)
from modembank.bus.vocabulary import CallStatus, Cause, HangupSource, MediaState
from modembank.errors import ModembankError, NotFoundError, StoreError
from modembank.ids import new_id
from modembank.store.database import Database
from tests.support.databases import outage
from tests.support.rack import running
from tests.support.scripted_host import HOST_ID, modem

TO = "+447700900777"


def ended(call_id: str, cause: Cause = Cause.NORMAL_CLEARING, **changes) -> CallEnded:
    facts = {
        "host_id": HOST_ID,
        "at": datetime.now(UTC),
        "call_id": call_id,
        "sequence": 9,
        "status": CallStatus.COMPLETED,
        "source": HangupSource.CALLEE,
        "cause": cause,
        "q850": 16,
        "detail": "",
        "duration_s": 3.25,
        "quality": None,
    }
    return CallEnded(**(facts | changes))


async def dialed(rack) -> str:
    call_id = (await rack.bank.dial(DialRequest(to=TO), actor="test")).call.id
    await rack.told()
    return call_id


async def test_events_of_a_call_are_numbered_in_order(rack):
    call_id = await dialed(rack)
    rack.host.ring(call_id)
    rack.host.pick_up(call_id)
    rack.bus.publish(
        CallMedia(host_id=HOST_ID, at=datetime.now(UTC), call_id=call_id, sequence=7, state=MediaState.CONNECTED)
    )
    rack.host.end(call_id, HangupSource.CALLEE)
    await rack.told()
    events = await rack.call_events(call_id)
    assert [(event.sequence, event.type) for event in events] == [
        (1, "call.queued"),
        (2, "call.dialing"),
        (3, "call.ringing"),
        (4, "call.answered"),
        (5, "call.media"),
        (6, "call.ended"),
    ]
    assert [event.data["call"]["status"] for event in events] == [
        "queued",
        "dialing",
        "ringing",
        "in_progress",
        "in_progress",
        "completed",
    ]
    assert events[4].data["state"] == "connected"
    assert events[0].data["call"]["ringing_at"] is None


async def test_times_are_the_modems_not_the_recorders(rack):
    call_id = await dialed(rack)
    at = datetime.now(UTC) + timedelta(seconds=5, microseconds=7)
    rack.bus.publish(CallRinging(host_id=HOST_ID, at=at, call_id=call_id, sequence=2, evidence="+CLCC stat 3"))
    await rack.told()
    assert (await rack.bank.get_call(call_id)).ringing_at == at


async def test_a_call_ends_once(rack, caplog):
    """I6: the first end stays."""
    call_id = await dialed(rack)
    quality = MediaQuality(codec="PCMA", frames_to_far=10, jitter_ms=1.5, rtt_ms=20.0)
    rack.bus.publish(ended(call_id, Cause.USER_BUSY, status=CallStatus.BUSY, quality=quality))
    rack.bus.publish(ended(call_id, Cause.CONGESTION))
    rack.bus.publish(CallRinging(host_id=HOST_ID, at=datetime.now(UTC), call_id=call_id, sequence=2, evidence="late"))
    with caplog.at_level(logging.INFO):
        await rack.told()
    call = await rack.bank.get_call(call_id)
    assert (call.status, call.hangup.cause, call.duration_s, call.quality) == ("busy", "user_busy", 3.25, quality)
    assert call.ringing_at is None
    types = [event.type for event in await rack.call_events(call_id)]
    assert types.count("call.ended") == 1
    assert types[-1] == "call.ended"
    assert "a second time" in caplog.text


async def test_a_host_that_starts_again_ends_its_calls_as_server_restart(rack):
    first, second = await dialed(rack), await dialed(rack)
    rack.host.pick_up(first)
    rack.host.end(second, HangupSource.CALLEE, Cause.USER_BUSY)
    await rack.told()
    for _ in range(2):
        rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC)))
    await rack.told()
    call = await rack.bank.get_call(first)
    assert (call.status, call.hangup.cause, call.hangup.source) == ("failed", "server_restart", "system")
    assert call.duration_s > 0
    assert (await rack.bank.get_call(second)).hangup.cause is Cause.USER_BUSY
    assert [event.type for event in await rack.call_events(first)].count("call.ended") == 1
    assert (await rack.bank.get_sim(call.sim.id)).call_id is None


async def test_another_hosts_start_ends_nothing(rack):
    call_id = await dialed(rack)
    rack.bus.publish(HostStarted(host_id="host_other", at=datetime.now(UTC)))
    await rack.told()
    assert not (await rack.bank.get_call(call_id)).status.ended
    assert {host.id for host in await rack.bank.list_hosts()} == {HOST_ID, "host_other"}


async def test_a_call_that_began_after_the_start_survives_its_late_news(rack):
    """The news of a start may wait in the bus while a call is placed on the host that started."""
    call_id = await dialed(rack)
    rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC) - timedelta(seconds=60)))
    await rack.told()
    assert not (await rack.bank.get_call(call_id)).status.ended


async def test_a_host_that_stops_ends_what_it_left_open(rack):
    call_id = await dialed(rack)
    rack.bus.publish(HostStopped(host_id=HOST_ID, at=datetime.now(UTC)))
    await rack.told()
    assert (await rack.bank.get_call(call_id)).hangup.cause is Cause.HOST_UNREACHABLE
    [host] = await rack.bank.list_hosts()
    assert (host.connected, host.modems) == (False, 0)


async def test_a_killed_server_leaves_calls_that_the_next_one_closes(rack):
    """A new bank on the same database, as after SIGKILL: the host starts from scratch."""
    call_id = await dialed(rack)
    await rack.bank.stop()
    again = Bank(rack.settings, rack.database, rack.bus)
    await again.start()
    rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC)))
    await rack.told()
    call = await again.get_call(call_id)
    await again.stop()
    assert (call.status, call.hangup.cause) == ("failed", "server_restart")
    assert [event.type for event in await rack.call_events(call_id)][-1] == "call.ended"


async def test_left_over_calls_are_told(rack, caplog):
    stream = rack.bank.events.subscribe()
    rack.bus.publish(
        LeftOverCall(host_id=HOST_ID, at=datetime.now(UTC), usb_path="1-1.3", iccid=modem(3).iccid, count=2)
    )
    event = await anext(stream)
    await stream.aclose()
    assert (event.type, event.data["count"]) == ("modem.left_over_call", 2)
    assert "nobody owned" in caplog.text


async def test_an_incoming_call_on_a_sim_that_a_dial_has_gets_the_sim_when_that_ends(rack):
    outbound = await dialed(rack)
    held = (await rack.bank.get_call(outbound)).sim
    snapshot = next(one for one in rack.host.modems if one.iccid == held.iccid)
    inbound = new_id("call")
    rack.host.incoming(inbound, snapshot, "+447700900555")
    await rack.told()
    assert (await rack.bank.get_sim(held.id)).call_id == outbound
    rack.host.end(outbound, HangupSource.CALLEE, Cause.USER_BUSY)
    await rack.told()
    assert (await rack.bank.get_sim(held.id)).call_id == inbound
    rack.host.end(inbound, HangupSource.CALLER)
    await rack.told()
    assert (await rack.bank.get_sim(held.id)).call_id is None


async def test_a_sim_that_rings_before_its_modem_told_of_it_gets_a_row(rack):
    call_id = new_id("call")
    rack.host.incoming(call_id, modem(77), None)
    await rack.told()
    call = await rack.bank.get_call(call_id)
    assert call.sim.iccid == modem(77).iccid
    assert call.modem is None


async def test_events_wait_while_the_database_is_away(database_url, settings, monkeypatch):
    """Fault 19: live calls go on, facts are kept in order and written when it is back, new calls are refused."""
    monkeypatch.setattr("modembank.store.database.BUSY_TIMEOUT_MS", 50)
    database = Database(database_url)
    await database.open()
    async with running(database, settings, 2) as rack:
        call_id = await dialed(rack)
        with outage(database_url):
            rack.host.ring(call_id)
            rack.host.end(call_id, HangupSource.CALLEE)
            with pytest.raises(StoreError) as raised:
                await rack.bank.dial(DialRequest(to=TO), actor="test")
            assert raised.value.status == 503
            assert len(rack.host.asked(Dial)) == 1
        await rack.told()
        call = await rack.bank.get_call(call_id)
        assert call.ringing_at is not None
        assert call.status.ended
    await database.close()


@pytest.mark.parametrize("answered", [True, False])
async def test_a_live_call_is_hung_up_while_the_database_is_away(database_url, settings, monkeypatch, answered):
    monkeypatch.setattr("modembank.store.database.BUSY_TIMEOUT_MS", 50)
    database = Database(database_url)
    await database.open()
    async with running(database, settings, 2) as rack:
        _, secret = await rack.bank.keys.create_key("test", ("*",))
        await rack.bank.keys.verify(secret)
        call_id = await dialed(rack)
        if answered:
            rack.host.pick_up(call_id)
            await rack.told()
        with outage(database_url):
            await rack.bank.keys.verify(secret)
            call = await rack.bank.hang_up(call_id)
            assert (call.id, call_id in rack.host.calls) == (call_id, False)
            assert (await rack.bank.hang_up(call_id)).id == call_id
        await rack.told()
        ended = await rack.bank.get_call(call_id)
        assert ended.status is (CallStatus.COMPLETED if answered else CallStatus.CANCELED)
        assert ended.hangup.source is HangupSource.CALLER
    await database.close()


async def test_a_host_that_refuses_while_the_database_is_away_is_told_of(database_url, settings, monkeypatch):
    monkeypatch.setattr("modembank.store.database.BUSY_TIMEOUT_MS", 50)
    database = Database(database_url)
    await database.open()

    async def refuse(_: AnyCommand) -> AnyReply:
        return refused("modem", "the modem does not let go")

    async with running(database, settings, 2) as rack:
        call_id = await dialed(rack)
        rack.on[HangUp] = refuse
        with outage(database_url), pytest.raises(ModembankError) as raised:
            await rack.bank.hang_up(call_id)
        assert raised.value.status in {502, 503}
        with outage(database_url), pytest.raises((NotFoundError, StoreError)):
            await rack.bank.hang_up(new_id("call"))
    await database.close()


async def test_an_event_that_cannot_be_recorded_stops_nobody(rack, caplog):
    call_id = await dialed(rack)
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  # the zone is missing on purpose
    rack.bus.publish(ModemChanged(host_id=HOST_ID, at=naive, modem=modem(9)))
    rack.host.ring(call_id)
    await rack.told()
    assert "ModemChanged could not be recorded" in caplog.text
    assert (await rack.bank.get_call(call_id)).status is CallStatus.RINGING


async def test_calls_that_the_host_does_not_carry_are_closed_after_the_grace(rack):
    lost, kept = await dialed(rack), await dialed(rack)
    del rack.host.calls[lost]
    assert await rack.bank.reconcile() == ()  # too young
    assert await rack.bank.reconcile(timedelta(0)) == (lost,)
    assert (await rack.bank.get_call(lost)).hangup.cause is Cause.UNSPECIFIED
    assert not (await rack.bank.get_call(kept)).status.ended
    assert await rack.bank.reconcile(timedelta(0)) == ()


async def test_calls_of_a_host_that_does_not_answer_are_closed(rack):
    call_id = await dialed(rack)
    rack.bus.serve(HOST_ID, rack.handle)()
    assert await rack.bank.reconcile(timedelta(0)) == (call_id,)
    assert (await rack.bank.get_call(call_id)).hangup.cause is Cause.HOST_UNREACHABLE
    assert (await rack.bank.ready()).hosts == 0
    rack.bus.serve(HOST_ID, rack.handle)
    await rack.bank.reconcile()
    assert (await rack.bank.ready()).hosts == 1


async def test_a_call_that_is_over_here_is_ended_at_its_host(rack):
    """I2: the host lost our release, or began after we gave up."""
    call_id = await dialed(rack)
    rack.bus.publish(ended(call_id))
    await rack.told()
    assert call_id in rack.host.calls
    await rack.bank.reconcile()
    assert [command.call_id for command in rack.host.asked(HangUp)] == [call_id]
    assert call_id not in rack.host.calls


async def test_a_bank_that_starts_late_learns_of_the_modems(rack):
    await rack.bank.stop()
    late = Bank(rack.settings, rack.database, rack.bus)
    await late.start()
    rack.host.change(rack.host.modems[0], rssi_dbm=-60)
    await rack.told()
    assert (await late.ready()).modems_ready == 1
    await late.reconcile()
    assert (await late.ready()).modems_ready == 4
    await late.stop()


async def test_every_dialled_call_has_exactly_one_record_after_a_storm(full_rack):
    """I1 and I6 under load: dials, ends and restarts at once."""
    rack = full_rack

    async def one(number: int) -> str:
        call_id = (await rack.bank.dial(DialRequest(to=TO), actor="test")).call.id
        if number % 3 == 0:
            await rack.bank.hang_up(call_id)
        elif number % 3 == 1:
            rack.host.end(call_id, HangupSource.CALLEE, Cause.USER_BUSY)
        return call_id

    ids = await asyncio.gather(*(one(number) for number in range(16)))
    await rack.told()
    rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC)))
    await rack.told()
    calls = (await rack.bank.list_calls(CallQuery(limit=100))).data
    assert sorted(call.id for call in calls) == sorted(ids)
    assert all(call.hangup is not None and call.ended_at is not None for call in calls)
    for call_id in ids:
        assert [event.type for event in await rack.call_events(call_id)].count("call.ended") == 1

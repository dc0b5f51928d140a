"""The public event stream: order, resume, slow readers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from modembank.bank.events import EventStream
from modembank.bank.journal import Journal
from modembank.bank.records import DialRequest
from modembank.bank.wire import rfc3339
from modembank.store.database import Database

TO = "+447700900777"
NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)


async def emit(journal: Journal, *numbers: int) -> None:
    for number in numbers:
        async with journal.transaction() as transaction:
            transaction.emit("test", NOW, {"number": number})


async def read(subscription, count: int) -> list:
    async with asyncio.timeout(30):
        return [await anext(subscription) for _ in range(count)]


def numbers(events: list) -> list:
    return [event.data.get("number", event.type) for event in events]


@pytest.fixture
def stream(database: Database) -> EventStream:
    return EventStream(database, queue_limit=10)


@pytest.fixture
def journal(database: Database, stream: EventStream) -> Journal:
    return Journal(database, stream, kept=20)


async def test_every_subscriber_sees_everything_in_order(journal, stream):
    first, second = stream.subscribe(), stream.subscribe()
    await emit(journal, 1, 2, 3)
    assert numbers(await read(first, 3)) == numbers(await read(second, 3)) == [1, 2, 3]


async def test_concurrent_transactions_are_seen_in_the_order_of_their_commits(journal, stream):
    live = stream.subscribe()
    await emit(journal, 0)
    [start] = await read(live, 1)
    await asyncio.gather(*(emit(journal, number) for number in range(1, 9)))
    seen = numbers(await read(live, 8))
    assert sorted(seen) == list(range(1, 9))
    assert numbers(await read(stream.subscribe(start.id), 8)) == seen


async def test_a_returning_client_gets_what_it_missed_and_then_what_comes(journal, stream):
    live = stream.subscribe()
    await emit(journal, 1, 2)
    last = (await read(live, 1))[0]
    await live.aclose()
    await emit(journal, 3)
    again = stream.subscribe(last.id)
    await emit(journal, 4)
    assert numbers(await read(again, 3)) == [2, 3, 4]
    await emit(journal, 5)
    assert numbers(await read(again, 1)) == [5]


async def test_a_new_process_resumes_from_the_database(journal, stream, database):
    live = stream.subscribe()
    await emit(journal, 1, 2, 3)
    first = (await read(live, 1))[0]
    reborn = EventStream(database)
    await reborn.start()
    found = await read(reborn.subscribe(first.id), 2)
    assert numbers(found) == [2, 3]
    assert found[0].at == NOW


async def test_many_pages_of_the_past_are_read_without_gap(database, monkeypatch):
    monkeypatch.setattr("modembank.bank.events.PAGE", 3)
    stream = EventStream(database)
    journal = Journal(database, stream)
    live = stream.subscribe()
    await emit(journal, *range(11))
    first = (await read(live, 1))[0]
    again = stream.subscribe(first.id)
    await emit(journal, 11)
    assert numbers(await read(again, 11)) == list(range(1, 12))


@pytest.mark.parametrize("after", ["evt_00000000000000000000000000", "nonsense", "evt_1.5"])
async def test_an_unknown_position_begins_with_a_reset(journal, stream, after):
    subscription = stream.subscribe(after)
    await emit(journal, 1)
    [reset, event] = await read(subscription, 2)
    assert (reset.type, event.data["number"]) == ("stream.reset", 1)
    assert reset.data["reason"]


async def test_old_events_are_forgotten_and_a_client_from_then_is_reset(journal, stream):
    live = stream.subscribe()
    await emit(journal, 0)
    first = (await read(live, 1))[0]
    await emit(journal, *range(1, 50))
    assert (await read(stream.subscribe(first.id), 1))[0].type == "stream.reset"


async def test_a_slow_client_is_reset_and_nobody_waits_for_it(journal, stream):
    slow, quick = stream.subscribe(), stream.subscribe()
    seen = []
    for number in range(15):
        await emit(journal, number)
        seen += numbers(await read(quick, 1))
    assert seen == list(range(15))
    await emit(journal, 15)
    [reset] = await read(slow, 1)
    assert reset.type == "stream.reset"
    assert slow.dropped == stream.dropped == 16
    await emit(journal, 16)
    assert numbers(await read(slow, 1)) == [16]


async def test_a_slow_client_loses_level_meters_first(journal, stream):
    slow = stream.subscribe()
    await emit(journal, *range(6))
    stream.publish_levels(NOW, {"call_id": "call_1"})
    await emit(journal, 6)
    assert numbers(await read(slow, 7)) == list(range(7))
    assert slow.dropped == 1
    stream.publish_levels(NOW, {"call_id": "call_1"})
    assert (await read(slow, 1))[0].type == "call.levels"


async def test_one_can_resume_from_a_level_meter(journal, stream):
    live = stream.subscribe()
    await emit(journal, 1)
    stream.publish_levels(NOW, {"call_id": "call_1"})
    level = (await read(live, 2))[1]
    await emit(journal, 2)
    assert numbers(await read(stream.subscribe(level.id), 1)) == [2]


async def test_a_resumed_client_that_overflows_while_it_catches_up_is_reset(journal, stream):
    live = stream.subscribe()
    await emit(journal, 0)
    first = (await read(live, 1))[0]
    await live.aclose()
    again = stream.subscribe(first.id)
    await emit(journal, *range(1, 14))
    assert (await read(again, 1))[0].type == "stream.reset"


async def test_closing_ends_the_iteration_after_what_is_queued(journal, stream):
    subscription = stream.subscribe()
    await emit(journal, 1)
    stream.close()
    assert numbers([event async for event in subscription]) == [1]


async def test_an_abandoned_subscription_is_forgotten(journal, stream):
    subscription = stream.subscribe()
    assert len(stream._subscriptions) == 1
    await subscription.aclose()
    assert len(stream._subscriptions) == 0
    stream.subscribe()
    await emit(journal, 1)
    assert len(stream._subscriptions) == 0


async def test_a_failed_transaction_tells_of_nothing(journal, stream):
    live = stream.subscribe()
    with pytest.raises(ZeroDivisionError):
        async with journal.transaction() as transaction:
            transaction.emit("test", NOW, {"number": 1})
            raise ZeroDivisionError
    await emit(journal, 2)
    assert numbers(await read(live, 1)) == [2]


async def test_levels_of_a_call_pass_through_unstored(rack):
    call_id = (await rack.bank.dial(DialRequest(to=TO), actor="test")).call.id
    await rack.told()
    stream = rack.bank.events.subscribe()
    rack.host.level(call_id, -33.333)
    [event] = await read(stream, 1)
    assert event.data == {"call_id": call_id, "to_far_dbfs": -33.3, "from_far_dbfs": -33.3}
    assert "call.levels" not in [stored.type for stored in await rack.call_events(call_id)]


async def test_a_call_in_an_event_has_the_form_of_the_rest_contract(rack):
    stream = rack.bank.events.subscribe()
    dialed = await rack.bank.dial(DialRequest(to=TO, metadata={"a": "b"}), actor="test")
    await rack.bank.hang_up(dialed.call.id)
    [queued] = await read(stream, 1)
    call = queued.data["call"]
    assert set(call) == {
        *(
            "id",
            "direction",
            "status",
            "to",
            "from",
            "sim",
            "modem",
            "why",
            "early_media",
            "muted",
            "held",
            "media",
            "quiet",
        ),
        *("created_at", "dialing_at", "ringing_at", "early_media_at", "answered_at", "ended_at", "duration_s"),
        *("timeout_s", "max_duration_s", "metadata", "hangup", "quality", "quiet"),
    }
    assert call["created_at"] == rfc3339(dialed.call.created_at)
    assert call["created_at"].endswith("Z")
    assert call["from"] == dialed.call.sim.number
    assert set(call["sim"]) == {"id", "label", "number", "iccid"}
    assert set(call["modem"]) == {"id", "label", "usb_path"}
    assert call["why"]["filters"][0] == {"name": "named", "removed": 0}
    assert call["metadata"] == {"a": "b"}

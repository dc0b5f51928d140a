"""Fault 25: the same request twice is one call."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from modembank.bank.records import CallQuery, DialRequest, Idempotency
from modembank.bus.bus import refused
from modembank.bus.commands import AnyCommand, AnyReply, Dial
from modembank.errors import (
    IdempotencyMismatchError,
    IdempotencyRunningError,
    NoSimAvailableError,
    NotRegisteredError,
)
from modembank.store.idempotency import get_request

REQUEST = DialRequest(to="+447700900777", offer="m=audio")
KEY = Idempotency(key="k-1", api_key_id="key_a", body_hash="h1")


async def dial(rack, key: Idempotency = KEY):
    return await rack.bank.dial(REQUEST, actor="key_a", idempotency=key)


async def count(rack) -> int:
    return len((await rack.bank.list_calls(CallQuery())).data)


async def test_the_same_request_again_gives_the_same_call_and_answer(rack):
    first = await dial(rack)
    again = await dial(rack)
    assert (again.call.id, again.answer_sdp) == (first.call.id, first.answer_sdp)
    assert await count(rack) == len(rack.host.asked(Dial)) == 1


async def test_another_body_is_refused(rack):
    await dial(rack)
    with pytest.raises(IdempotencyMismatchError):
        await dial(rack, Idempotency(key="k-1", api_key_id="key_a", body_hash="h2"))
    assert await count(rack) == 1


async def test_another_api_key_has_its_own_keys(rack):
    first = await dial(rack)
    other = await dial(rack, Idempotency(key="k-1", api_key_id="key_b", body_hash="h2"))
    assert other.call.id != first.call.id


async def test_a_running_request_is_told(rack):
    gate = rack.host.hold_back(Dial)
    running = asyncio.create_task(dial(rack))
    async with asyncio.timeout(30):
        while not rack.host.asked(Dial):
            await asyncio.sleep(0.01)
    with pytest.raises(IdempotencyRunningError):
        await dial(rack)
    gate.set()
    assert (await dial_again(rack, running)).call.id == (await running).call.id


async def dial_again(rack, running):
    await running
    return await dial(rack)


async def test_twenty_at_once_are_one_call(rack):
    results = await asyncio.gather(*(dial(rack) for _ in range(20)), return_exceptions=True)
    calls = {result.call.id for result in results if not isinstance(result, BaseException)}
    rest = [result for result in results if isinstance(result, BaseException)]
    assert len(calls) == 1
    assert all(isinstance(error, IdempotencyRunningError) for error in rest)
    assert await count(rack) == len(rack.host.asked(Dial)) == 1


async def test_a_failure_is_repeated_not_tried_again(rack):
    async def refuse(_: AnyCommand) -> AnyReply:
        return refused("not_registered", "searching")

    rack.on[Dial] = refuse
    with pytest.raises(NotRegisteredError) as first:
        await dial(rack)
    del rack.on[Dial]
    with pytest.raises(NotRegisteredError, match="searching") as second:
        await dial(rack)
    assert first.value.call_id == second.value.call_id
    assert await count(rack) == 1


async def test_a_dial_that_found_no_sim_leaves_the_key_free(rack):
    taken = [(await rack.bank.dial(REQUEST, actor="x")).call.id for _ in range(4)]
    with pytest.raises(NoSimAvailableError):
        await dial(rack)
    await rack.bank.hang_up(taken[0])
    assert (await dial(rack)).call.id not in taken


async def test_a_request_that_a_crash_cut_off_counts_as_done_when_its_call_is_over(rack):
    first = await dial(rack)
    async with rack.database.write() as session:
        (await get_request(session, "key_a", "k-1")).state = "running"
    with pytest.raises(IdempotencyRunningError):
        await dial(rack)
    await rack.bank.hang_up(first.call.id)
    assert (await dial(rack)).call.id == first.call.id


async def test_keys_are_kept_for_a_day(rack):
    await dial(rack)
    await rack.bank.reconcile()
    async with rack.database.write() as session:
        row = await get_request(session, "key_a", "k-1")
        row.created_at = datetime.now(UTC) - timedelta(hours=24, minutes=1)
    await rack.bank.reconcile()
    async with rack.database.read() as session:
        assert await get_request(session, "key_a", "k-1") is None

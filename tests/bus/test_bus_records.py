"""Whatever crosses the seam survives its encoding, and a request never outlives its deadline."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.bus.bus import InProcessBus
from modembank.bus.codec import Record, decode_command, decode_event, encode
from modembank.bus.commands import AnyCommand, AnyReply, Done, HangUp, Snapshot
from modembank.bus.events import AnyEvent, CallLevels, HostStarted
from modembank.bus.vocabulary import Cause, HangupSource
from modembank.errors import HostUnreachableError

NAIVE_MIN, NAIVE_MAX = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone
AWARE = st.datetimes(timezones=st.just(UTC), min_value=NAIVE_MIN, max_value=NAIVE_MAX)


def _records() -> st.SearchStrategy[Record]:
    st.register_type_strategy(datetime, AWARE)
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
    st.register_type_strategy(float, finite)
    kinds = (*get_args(AnyCommand), *get_args(AnyReply), *get_args(AnyEvent))
    return st.one_of([st.builds(kind) if kind is Snapshot else st.from_type(kind) for kind in kinds])


@given(record=_records())
def test_every_record_survives_its_encoding(record: Record) -> None:
    assert decode_event(encode(record)) == record  # type: ignore[arg-type]  # one decoder per direction, one table


def test_a_name_that_is_no_record_is_refused() -> None:
    with pytest.raises(KeyError):
        decode_command(b'["Path",{}]')


async def test_a_command_for_an_absent_host_fails_at_once() -> None:
    with pytest.raises(HostUnreachableError, match="host_x"):
        await InProcessBus().request("host_x", Snapshot())


async def test_a_command_has_a_deadline() -> None:
    bus = InProcessBus()

    async def never(command: AnyCommand) -> AnyReply:
        await asyncio.sleep(3600)
        return Done()

    bus.serve("host_a", never)
    hang_up = HangUp(call_id="call_1", source=HangupSource.CALLER, cause=Cause.ORIGINATOR_CANCEL, deadline_s=0.05)
    with pytest.raises(HostUnreachableError, match=r"within 0\.05 s"):
        await bus.request("host_a", hang_up)


async def test_facts_arrive_in_order_and_meters_are_dropped_first() -> None:
    bus = InProcessBus()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(1000):
        bus.publish(CallLevels(host_id="h", at=at, call_id="c", sequence=0, to_far_dbfs=-20.0, from_far_dbfs=-20.0))
    bus.publish(HostStarted(host_id="h", at=at))
    seen: list[AnyEvent] = []

    async def note(event: AnyEvent) -> None:
        seen.append(event)

    consumer = asyncio.create_task(bus.consume(note))
    await bus.drained()
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)
    assert isinstance(seen[-1], HostStarted)
    assert len(seen) + bus.dropped == 1001
    assert bus.dropped > 700

"""The database itself: schema, transactions, times, outages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from modembank.errors import StoreError
from modembank.ids import new_id
from modembank.store import migrate
from modembank.store.audit import add_audit, newest_audit
from modembank.store.database import Database
from modembank.store.events import add_events, events_after, last_event_id, prune_events, seq_of
from modembank.store.models import EventRow, KeyRow, SimRow
from modembank.store.sims import all_sims, claim_sim, fresh_sim, release_sim, sim_by_iccid
from tests.support.databases import outage

NOW = datetime(2026, 11, 22, 15, 0, 0, 123456, tzinfo=UTC)


def sim(number: int) -> SimRow:
    return SimRow(id=f"sim_{number:03d}", iccid=f"8944{number:015d}", tags=[], first_seen_at=NOW, last_seen_at=NOW)


async def test_models_and_migrations_agree(empty_url):
    database = Database(empty_url)
    await database.open()
    before = await database.check()
    assert (before.current, before.ok) == (None, False)
    await database.upgrade()
    after = await database.check()
    assert after.differences == ()
    assert after.current == after.head
    assert after.ok
    await database.upgrade()
    await database.close()


async def test_a_difference_is_found(database):
    async with database.write() as session:
        await session.execute(text("ALTER TABLE sims ADD COLUMN surplus INTEGER"))
    state = await database.check()
    assert not state.ok
    assert "surplus" in state.differences[0]


async def test_the_schema_can_be_taken_down_again(database):
    def downgrade(connection) -> None:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    async with database._writer.begin() as connection:
        await connection.run_sync(downgrade)
    assert (await database.check()).current is None
    await database.upgrade()
    assert (await database.check()).ok


async def test_a_newer_database_is_refused(database):
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"9999.*newer"):
        await database.upgrade()
    assert not (await database.check()).ok


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql+asyncmy://x/y", "sqlite:///x.db", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"],
)
def test_other_urls_are_refused_in_one_sentence(url):
    with pytest.raises(StoreError, match=r"database\.url"):
        Database(url)


async def test_a_database_that_is_not_there_is_told():
    database = Database("postgresql+asyncpg://nobody@/nothing?host=/nonexistent")
    with pytest.raises(StoreError, match="cannot be reached"):
        await database.open()


async def test_a_closed_database_says_so(database_url):
    database = Database(database_url)
    with pytest.raises(StoreError, match="not open"):
        async with database.read():
            pass


async def test_sqlite_is_set_up_for_durability(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/new/folder/bank.db")
    await database.open()
    for opened in (database.read(), database.writing()):
        async with opened as session:
            found = [
                await session.scalar(text(f"PRAGMA {name}"))
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
            assert found == ["wal", 2, 1, 10_000]
    await database.close()


async def test_times_are_aware_utc_both_ways(database):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    async with database.write() as session:
        row = sim(1)
        row.last_used_at = elsewhere
        session.add(row)
    async with database.read() as session:
        found = await sim_by_iccid(session, row.iccid)
    assert found.last_used_at == NOW
    assert found.last_used_at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database):
    row = sim(1)
    row.last_seen_at = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="without a zone"):
        async with database.write() as session:
            session.add(row)


async def test_an_exception_undoes_everything(database):
    with pytest.raises(ZeroDivisionError):
        async with database.write() as session:
            session.add(sim(1))
            await session.flush()
            raise ZeroDivisionError
    async with database.read() as session:
        assert await all_sims(session) == []


async def test_readers_see_the_last_commit_while_a_writer_works(database):
    async with database.write() as writer:
        writer.add(sim(1))
        await writer.flush()
        async with asyncio.timeout(30), database.read() as reader:
            assert await all_sims(reader) == []


async def test_parallel_writers_all_get_their_turn(database):
    async def write(number: int) -> None:
        async with database.write() as session:
            session.add(sim(number))

    await asyncio.gather(*(write(number) for number in range(40)))
    async with database.read() as session:
        assert len(await all_sims(session)) == 40


async def test_twenty_claimers_of_one_sim_have_one_winner(database):
    async with database.write() as session:
        session.add(sim(1))

    async def claim(number: int) -> int | None:
        async with database.write() as session:
            return await claim_sim(session, "sim_001", f"call_{number}", NOW)

    epochs = await asyncio.gather(*(claim(number) for number in range(20)))
    assert [epoch for epoch in epochs if epoch is not None] == [1]
    winner = f"call_{epochs.index(1)}"
    async with database.write() as session:
        assert await release_sim(session, "call_other") is None
        assert (await fresh_sim(session, "sim_001")).claimed_by == winner
        assert await release_sim(session, winner) == "sim_001"
        assert await claim_sim(session, "sim_001", "call_new", NOW) == 2


async def test_a_call_has_at_most_one_sim(database):
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add_all([sim(1), sim(2)])
            await session.flush()
            await claim_sim(session, "sim_001", "call_1", NOW)
            await claim_sim(session, "sim_002", "call_1", NOW)


def an_event(number: int) -> EventRow:
    return EventRow(id=f"evt_{number}", type="test", at=NOW, sequence=0, data={"number": number, "of": [1, None]})


async def test_events_are_numbered_in_order_and_pruned_by_count(database):
    async with database.write() as session:
        await add_events(session, [an_event(number) for number in range(10)])
    async with database.write() as session:
        await prune_events(session, 4)
    async with database.read() as session:
        kept = await events_after(session, 0, 100)
        assert [row.id for row in kept] == ["evt_6", "evt_7", "evt_8", "evt_9"]
        assert kept[0].data == {"number": 6, "of": [1, None]}
        assert await seq_of(session, "evt_5") is None
        assert await last_event_id(session) == "evt_9"
        after = await seq_of(session, "evt_8")
        assert [row.id for row in await events_after(session, after, 100)] == ["evt_9"]


async def test_numbers_are_not_used_again_after_pruning(database):
    async with database.write() as session:
        await add_events(session, [an_event(1)])
    async with database.read() as session:
        first = await seq_of(session, "evt_1")
    async with database.write() as session:
        await prune_events(session, 0)
    async with database.write() as session:
        await add_events(session, [an_event(2)])
    async with database.read() as session:
        assert await seq_of(session, "evt_2") > first


async def test_the_order_of_commits_is_the_order_of_numbers_between_two_programs(database_url):
    """A reader who saw one event has seen all before it, also when two banks write to one database."""
    first, second = Database(database_url), Database(database_url)
    await first.open()
    await second.open()

    async def write_later() -> None:
        async with second.write() as session:
            await add_events(session, [an_event(2)])

    async with first.write() as session:
        await add_events(session, [an_event(1)])
        later = asyncio.create_task(write_later())
        done, _ = await asyncio.wait([later], timeout=1.0)
        assert not done, "an event was committed before one with a smaller number"
    await later
    async with first.read() as session:
        assert [row.id for row in await events_after(session, 0, 10)] == ["evt_1", "evt_2"]
    await first.close()
    await second.close()


async def test_the_audit_log_keeps_its_order(database):
    for detail in ("a", "b", "c"):
        async with database.write() as session:
            await add_audit(session, "key_1", "test", detail)
    async with database.read() as session:
        assert [row.detail for row in await newest_audit(session, 2)] == ["c", "b"]


async def test_an_outage_is_told_as_ours_and_ends(database_url, monkeypatch):
    monkeypatch.setattr("modembank.store.database.BUSY_TIMEOUT_MS", 50)
    database = Database(database_url)
    await database.open()
    await database.ping()
    with outage(database_url), pytest.raises(StoreError) as raised:
        async with database.write() as session:
            session.add(sim(1))
    assert raised.value.status == 503
    async with database.write() as session:
        session.add(sim(1))
    await database.close()


async def test_a_key_cannot_be_stored_twice(database):
    rows = [
        KeyRow(id=new_id("key"), prefix="p", secret_sha256="same", name="n", scopes=[], created_at=NOW)
        for _ in range(2)
    ]
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add_all(rows)

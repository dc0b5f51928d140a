"""Rows of the event stream. `seq` grows in the order of commits, so that a reader who has seen one has seen all
before it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select, text

from modembank.store.database import Session
from modembank.store.models import EventRow

# Any number that no other program uses on this database.
_ORDER_LOCK = 0x6D6F6465


async def add_events(session: Session, rows: Sequence[EventRow]) -> None:
    """Insert in this order. On PostgreSQL other processes that insert wait for our commit, else a reader could see
    `seq` 11 before 10."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER_LOCK})
    session.add_all(rows)  # one statement; the rows are numbered in this order
    await session.flush()


async def seq_of(session: Session, event_id: str) -> int | None:
    """Return the place of an event, None when it is not kept any more."""
    return await session.scalar(select(EventRow.seq).where(EventRow.id == event_id))


async def events_after(session: Session, seq: int, limit: int) -> Sequence[EventRow]:
    """Return at most `limit` events after `seq`, in order."""
    query = select(EventRow).where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)
    return (await session.scalars(query)).all()


async def last_event_id(session: Session) -> str | None:
    """Return the id of the newest event."""
    return await session.scalar(select(EventRow.id).order_by(EventRow.seq.desc()).limit(1))


async def prune_events(session: Session, kept: int) -> None:
    """Delete all but the newest `kept` events."""
    newest = await session.scalar(select(func.max(EventRow.seq)))
    if newest is not None:
        await session.execute(delete(EventRow).where(EventRow.seq <= newest - kept))

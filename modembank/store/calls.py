"""Rows of calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from modembank.store.database import Session
from modembank.store.models import CallRow


async def get_call(session: Session, call_id: str, *, lock: bool = False) -> CallRow | None:
    """Find a call by id; `lock` keeps others from changing it until the end of the transaction."""
    query = select(CallRow).where(CallRow.id == call_id)
    return await session.scalar(query.with_for_update(of=CallRow) if lock else query)


async def page_of_calls(
    session: Session,
    limit: int,
    before: str | None,
    status: str | None,
    direction: str | None,
    sim_id: str | None,
) -> Sequence[CallRow]:
    """At most `limit` calls older than the id `before`, newest first."""
    query = select(CallRow).order_by(CallRow.id.desc()).limit(limit)
    for column, value in ((CallRow.status, status), (CallRow.direction, direction), (CallRow.sim_id, sim_id)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(CallRow.id < before)
    return (await session.scalars(query)).all()


async def open_calls(
    session: Session, host_id: str | None = None, created_before: datetime | None = None
) -> Sequence[CallRow]:
    """Calls without an end, oldest first."""
    query = select(CallRow).where(CallRow.ended_at.is_(None)).order_by(CallRow.id)
    if host_id is not None:
        query = query.where(CallRow.host_id == host_id)
    if created_before is not None:
        query = query.where(CallRow.created_at < created_before)
    return (await session.scalars(query)).all()


async def open_call_on_sim(session: Session, sim_id: str) -> CallRow | None:
    """The oldest call without an end on this SIM."""
    query = select(CallRow).where(CallRow.ended_at.is_(None), CallRow.sim_id == sim_id).order_by(CallRow.id)
    return await session.scalar(query.limit(1))

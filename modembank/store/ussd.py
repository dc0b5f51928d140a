"""Rows of USSD sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from modembank.store.database import Session
from modembank.store.message_models import UssdRow

_OPEN = ("running", "waiting")


async def get_ussd(session: Session, ussd_id: str, *, lock: bool = False) -> UssdRow | None:
    """Find a session by id; `lock` keeps others from changing it until the end of the transaction."""
    query = select(UssdRow).where(UssdRow.id == ussd_id).execution_options(populate_existing=True)
    return await session.scalar(query.with_for_update(of=UssdRow) if lock else query)


async def page_of_ussd(session: Session, limit: int, before: str | None, sim_id: str | None) -> Sequence[UssdRow]:
    """At most `limit` sessions older than the id `before`, newest first."""
    query = select(UssdRow).order_by(UssdRow.id.desc()).limit(limit)
    if sim_id is not None:
        query = query.where(UssdRow.sim_id == sim_id)
    if before is not None:
        query = query.where(UssdRow.id < before)
    return (await session.scalars(query)).all()


async def open_ussd(
    session: Session, *, sim_id: str | None = None, before: datetime | None = None
) -> Sequence[UssdRow]:
    """Sessions without an end, of one SIM, or untouched since `before`."""
    query = select(UssdRow).where(UssdRow.status.in_(_OPEN)).order_by(UssdRow.id)
    if sim_id is not None:
        query = query.where(UssdRow.sim_id == sim_id)
    if before is not None:
        query = query.where(UssdRow.updated_at < before)
    return (await session.scalars(query)).all()

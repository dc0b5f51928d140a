"""Rows of SIMs, and the claim of a SIM by a call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from modembank.store.database import Session
from modembank.store.models import SimRow


async def all_sims(session: Session) -> Sequence[SimRow]:
    """Every SIM ever seen, read anew even in the middle of a transaction."""
    query = select(SimRow).order_by(SimRow.id).execution_options(populate_existing=True)
    return (await session.scalars(query)).all()


async def page_of_sims(session: Session, limit: int, after: str | None) -> Sequence[SimRow]:
    """At most `limit` SIMs after the id `after`, in the order they were first seen."""
    query = select(SimRow).order_by(SimRow.id).limit(limit)
    if after is not None:
        query = query.where(SimRow.id > after)
    return (await session.scalars(query)).all()


async def get_sim(session: Session, sim_id: str, *, lock: bool = False) -> SimRow | None:
    """Find a SIM by id; `lock` keeps others from changing it until the end of the transaction."""
    query = select(SimRow).where(SimRow.id == sim_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def sim_by_iccid(session: Session, iccid: str, *, lock: bool = False) -> SimRow | None:
    """Find a SIM by its card number."""
    query = select(SimRow).where(SimRow.iccid == iccid)
    return await session.scalar(query.with_for_update() if lock else query)


async def claim_sim(session: Session, sim_id: str, call_id: str, at: datetime) -> int | None:
    """Give a free SIM to a call in one conditional UPDATE (I1).

    Returns:
        The epoch of the claim; None when another call has the SIM.
    """
    statement = (
        update(SimRow)
        .where(SimRow.id == sim_id, SimRow.claimed_by.is_(None))
        .values(claimed_by=call_id, claim_epoch=SimRow.claim_epoch + 1, last_used_at=at)
        .returning(SimRow.claim_epoch)
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(statement)


async def release_sim(session: Session, call_id: str) -> str | None:
    """Free the SIM that this call has; harmless when it has none.

    Returns:
        The id of the SIM.
    """
    statement = (
        update(SimRow)
        .where(SimRow.claimed_by == call_id)
        .values(claimed_by=None)
        .returning(SimRow.id)
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(statement)


async def hold_pins(session: Session, before: str, after: str, note: str) -> None:
    """Change the state of every PIN that is in the state `before`."""
    statement = update(SimRow).where(SimRow.pin_state == before).values(pin_state=after, pin_note=note)
    await session.execute(statement.execution_options(synchronize_session=False))


async def fresh_sim(session: Session, sim_id: str) -> SimRow:
    """Read a SIM again after a claim or a release."""
    query = select(SimRow).where(SimRow.id == sim_id).execution_options(populate_existing=True)
    return (await session.scalars(query)).one()

"""Rows of the history of signal and registration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from modembank.store.database import Session
from modembank.store.models import RadioRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioFilter:
    """Which rows: of one modem or one SIM, from `since` on and before `until`, behind the row `after`."""

    modem_id: str | None = None
    sim_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0


async def add_radio(session: Session, rows: Sequence[RadioRow]) -> None:
    """Insert."""
    session.add_all(rows)
    await session.flush()


async def radio_rows(session: Session, wanted: RadioFilter, limit: int) -> Sequence[RadioRow]:
    """At most `limit` rows, oldest first."""
    query = select(RadioRow).where(RadioRow.seq > wanted.after).order_by(RadioRow.seq).limit(limit)
    if wanted.modem_id is not None:
        query = query.where(RadioRow.modem_id == wanted.modem_id)
    if wanted.sim_id is not None:
        query = query.where(RadioRow.sim_id == wanted.sim_id)
    if wanted.since is not None:
        query = query.where(RadioRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(RadioRow.at < wanted.until)
    return (await session.scalars(query)).all()


async def prune_radio(session: Session, kind: str, before: datetime) -> None:
    """Delete what is older."""
    statement = delete(RadioRow).where(RadioRow.kind == kind, RadioRow.at < before)
    await session.execute(statement.execution_options(synchronize_session=False))

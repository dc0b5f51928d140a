"""Rows of modems."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from modembank.store.database import Session
from modembank.store.models import ModemRow


async def all_modems(session: Session) -> Sequence[ModemRow]:
    """Every modem ever seen."""
    return (await session.scalars(select(ModemRow).order_by(ModemRow.id))).all()


async def page_of_modems(session: Session, limit: int, after: str | None) -> Sequence[ModemRow]:
    """At most `limit` modems after the id `after`, in the order they were first seen."""
    query = select(ModemRow).order_by(ModemRow.id).limit(limit)
    if after is not None:
        query = query.where(ModemRow.id > after)
    return (await session.scalars(query)).all()


async def get_modem(session: Session, modem_id: str, *, lock: bool = False) -> ModemRow | None:
    """Find a modem by id; `lock` keeps others from changing it until the end of the transaction."""
    query = select(ModemRow).where(ModemRow.id == modem_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def modems_at(session: Session, host_id: str, usb_path: str) -> Sequence[ModemRow]:
    """All modems ever seen in one place, the last seen first."""
    query = select(ModemRow).where(ModemRow.host_id == host_id, ModemRow.usb_path == usb_path)
    return (await session.scalars(query.order_by(ModemRow.last_seen_at.desc(), ModemRow.id.desc()))).all()

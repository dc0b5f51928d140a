"""Rows of API keys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from modembank.store.database import Session
from modembank.store.models import KeyRow


async def add_key(session: Session, row: KeyRow) -> None:
    """Insert a key."""
    session.add(row)
    await session.flush()


async def key_by_hash(session: Session, secret_sha256: str) -> KeyRow | None:
    """Find a key by the hash of its secret."""
    return await session.scalar(select(KeyRow).where(KeyRow.secret_sha256 == secret_sha256))


async def get_key(session: Session, key_id: str) -> KeyRow | None:
    """Find a key by id."""
    return await session.get(KeyRow, key_id)


async def all_keys(session: Session) -> Sequence[KeyRow]:
    """All keys, oldest first, revoked ones too."""
    return (await session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))).all()


async def count_keys(session: Session) -> int:
    """How many keys there ever were."""
    return await session.scalar(select(func.count()).select_from(KeyRow)) or 0

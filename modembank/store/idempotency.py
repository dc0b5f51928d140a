"""Rows of Idempotency-Keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from modembank.store.database import Session
from modembank.store.models import IdempotencyRow


async def begin_request(
    session: Session, *, api_key_id: str, key: str, body_hash: str, call_id: str, at: datetime
) -> bool:
    """Take the key for one call, in the call's transaction.

    Returns:
        False when the key is taken; a request that took it a moment ago has committed by then.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(IdempotencyRow)
        .values(api_key_id=api_key_id, key=key, body_hash=body_hash, state="running", call_id=call_id, created_at=at)
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.key)
    )
    return await session.scalar(statement) is not None


async def get_request(session: Session, api_key_id: str, key: str) -> IdempotencyRow | None:
    """Find what a key led to."""
    query = select(IdempotencyRow).where(IdempotencyRow.api_key_id == api_key_id, IdempotencyRow.key == key)
    return await session.scalar(query.execution_options(populate_existing=True))


async def forget_requests(session: Session, before: datetime) -> None:
    """Delete keys that are older than `before`."""
    await session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < before))

"""Rows of the audit log: only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from modembank.store.database import Session
from modembank.store.models import AuditRow


async def add_audit(session: Session, actor: str, action: str, detail: str) -> None:
    """Note who did what, in the transaction of the deed."""
    session.add(AuditRow(at=datetime.now(UTC), actor=actor, action=action, detail=detail))
    await session.flush()


async def newest_audit(session: Session, limit: int) -> Sequence[AuditRow]:
    """The newest rows, newest first."""
    return (await session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit))).all()

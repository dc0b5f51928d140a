"""Rows of messages and their parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select

from modembank.store.database import Session
from modembank.store.message_models import MessagePartRow, MessageRow

# Of an outgoing message, in the words of `PartState` and `MessageStatus` of the bank.
_OPEN = ("queued", "sending")


async def get_message(session: Session, message_id: str, *, lock: bool = False) -> MessageRow | None:
    """Find a message by id; `lock` keeps others from changing it until the end of the transaction."""
    query = select(MessageRow).where(MessageRow.id == message_id)
    return await session.scalar(query.with_for_update(of=MessageRow) if lock else query)


async def page_of_messages(
    session: Session,
    limit: int,
    before: str | None,
    *,
    status: str | None = None,
    direction: str | None = None,
    sim_id: str | None = None,
    number: str | None = None,
    created_after: datetime | None = None,
) -> Sequence[MessageRow]:
    """At most `limit` messages older than the id `before`, newest first; `number` is the other party's."""
    query = select(MessageRow).order_by(MessageRow.id.desc()).limit(limit)
    wanted = ((MessageRow.status, status), (MessageRow.direction, direction), (MessageRow.sim_id, sim_id))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if number is not None:
        inbound = MessageRow.direction == "inbound"
        query = query.where(
            (inbound & (MessageRow.from_number == number)) | (~inbound & (MessageRow.to_number == number))
        )
    if created_after is not None:
        query = query.where(MessageRow.created_at > created_after)
    if before is not None:
        query = query.where(MessageRow.id < before)
    return (await session.scalars(query)).all()


async def parts_of(session: Session, message_ids: Iterable[str]) -> Sequence[MessagePartRow]:
    """All parts of these messages, in their order."""
    query = select(MessagePartRow).where(MessagePartRow.message_id.in_(list(message_ids)))
    return (await session.scalars(query.order_by(MessagePartRow.message_id, MessagePartRow.number))).all()


# outgoing


async def sims_with_work(session: Session, now: datetime) -> Sequence[str]:
    """The SIMs that have a message to send now."""
    query = select(MessageRow.sim_id).where(MessageRow.status.in_(_OPEN), MessageRow.due_at <= now).distinct()
    return [sim_id for sim_id in (await session.scalars(query)).all() if sim_id is not None]


async def next_message(session: Session, sim_id: str, now: datetime) -> MessageRow | None:
    """What this SIM sends now: the one that is under way, else the oldest."""
    query = (
        select(MessageRow)
        .where(MessageRow.sim_id == sim_id, MessageRow.status.in_(_OPEN), MessageRow.due_at <= now)
        .order_by(MessageRow.status.desc(), MessageRow.id)
        .limit(1)
    )
    return await session.scalar(query.with_for_update(of=MessageRow))


async def interrupted_parts(session: Session) -> Sequence[MessagePartRow]:
    """Parts that were handed over when this program ended."""
    query = select(MessagePartRow).where(MessagePartRow.state == "sending").order_by(MessagePartRow.seq)
    return (await session.scalars(query)).all()


async def reported_parts(session: Session, sim_id: str, recipient: str, reference: int) -> Sequence[MessagePartRow]:
    """Outgoing parts of one SIM to one number that had this reference, newest first: references count to 255."""
    query = select(MessagePartRow).where(
        MessagePartRow.sim_id == sim_id, MessagePartRow.reference == reference, MessagePartRow.recipient == recipient
    )
    return (await session.scalars(query.order_by(MessagePartRow.seq.desc()).limit(8))).all()


async def doubtful_parts(session: Session, sim_id: str, recipient: str) -> Sequence[MessagePartRow]:
    """Outgoing parts of one SIM to one number that a report was asked for and whose reference is not known (yet),
    newest first."""
    query = (
        select(MessagePartRow)
        .join(MessageRow, MessageRow.id == MessagePartRow.message_id)
        .where(
            MessagePartRow.sim_id == sim_id,
            MessagePartRow.reference.is_(None),
            MessagePartRow.recipient == recipient,
            MessagePartRow.state.in_(("sending", "unknown")),
            MessageRow.delivery_report.is_(True),
        )
    )
    return (await session.scalars(query.order_by(MessagePartRow.seq.desc()).limit(8))).all()


# incoming


async def known_digests(session: Session, digests: Iterable[str]) -> set[str]:
    """Which of these came before."""
    query = select(MessagePartRow.digest).where(MessagePartRow.digest.in_(list(digests)))
    return {digest for digest in (await session.scalars(query)).all() if digest is not None}


async def long_messages(session: Session, sim_id: str, concat: str, since: datetime) -> Sequence[MessageRow]:
    """Long messages, whole or not, whose parts share this key."""
    query = select(MessageRow).where(
        MessageRow.sim_id == sim_id, MessageRow.concat == concat, MessageRow.created_at > since
    )
    return (await session.scalars(query.order_by(MessageRow.id))).all()


async def overdue_partials(session: Session, before: datetime) -> Sequence[MessageRow]:
    """Long messages that lack a part since `before`, and were not told of."""
    query = select(MessageRow).where(
        MessageRow.status == "partial", MessageRow.partial_told.is_(False), MessageRow.created_at < before
    )
    return (await session.scalars(query.order_by(MessageRow.id).limit(100))).all()

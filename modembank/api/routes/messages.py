"""Messages: send, look up, list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from modembank.api.content import show_message
from modembank.api.deps import READ_SMS, SEND_SMS, BankDep, Cursor, KeyDep, Limit, MessageId
from modembank.api.idempotency import REPLAYED_HEADER, IdempotencyKey, idempotency_of
from modembank.api.schemas.common import Page, Text
from modembank.api.schemas.messages import Message, MessageRequest
from modembank.bank import message_records as records
from modembank.bus.vocabulary import Direction
from modembank.sms.dcs import Encoding

router = APIRouter(prefix="/messages", tags=["messages"])


@router.post("", status_code=201, operation_id="send_message", dependencies=SEND_SMS, summary="Send a message")
async def send_message(
    body: MessageRequest, response: Response, bank: BankDep, key: KeyDep, idempotency_key: IdempotencyKey = None
) -> Message:
    """Choose a SIM and queue the message; it is on record when this returns.

    Follow it with `GET /v1/events`: `sms.sent` when the network has all of it, `sms.delivered` when the recipient has.
    """
    queued = await bank.messages.send(
        _to_record(body), actor=key.id, idempotency=idempotency_of(idempotency_key, key, body)
    )
    response.headers["Location"] = f"/v1/messages/{queued.message.id}"
    if queued.replayed:
        response.headers[REPLAYED_HEADER] = "true"
    return show_message(queued.message, key)


@router.get("", operation_id="list_messages", dependencies=READ_SMS, summary="List messages, newest first")
async def list_messages(
    bank: BankDep,
    key: KeyDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: records.MessageStatus | None = None,
    direction: Direction | None = None,
    sim_id: Annotated[Text | None, Query(max_length=64)] = None,
    number: Annotated[Text | None, Query(max_length=64, description="The other party's.")] = None,
    created_after: datetime | None = None,
) -> Page[Message]:
    """Page through all messages, in and out."""
    query = records.MessageQuery(
        limit=limit,
        cursor=cursor,
        status=status,
        direction=direction,
        sim_id=sim_id,
        number=number,
        created_after=_utc(created_after),
    )
    page = await bank.messages.list_messages(query)
    return Page(data=[show_message(message, key) for message in page.data], next_cursor=page.next_cursor)


@router.get("/{message_id}", operation_id="get_message", dependencies=READ_SMS, summary="Get a message")
async def get_message(message_id: MessageId, bank: BankDep, key: KeyDep) -> Message:
    """Return a message with the history of its status."""
    return show_message(await bank.messages.get(message_id), key)


def _to_record(body: MessageRequest) -> records.MessageRequest:
    return records.MessageRequest(
        to=body.to,
        text=body.text,
        from_=body.from_,
        pool=body.pool,
        flash=body.flash,
        delivery_report=body.delivery_report,
        validity_s=body.validity_s,
        encoding=None if body.encoding is None else Encoding(body.encoding),
        metadata=body.metadata,
    )


def _utc(value: datetime | None) -> datetime | None:
    """A time without a zone is UTC, as all of ours."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

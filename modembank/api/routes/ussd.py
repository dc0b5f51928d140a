"""USSD: one code and its answer, or a session with a menu."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from modembank.api.content import show_ussd
from modembank.api.deps import RUN_USSD, BankDep, Cursor, KeyDep, Limit, UssdId
from modembank.api.idempotency import REPLAYED_HEADER, IdempotencyKey, idempotency_of
from modembank.api.schemas.common import Page, Text
from modembank.api.schemas.messages import UssdAnswerRequest, UssdRequest, UssdSession
from modembank.bank import message_records as records

router = APIRouter(prefix="/ussd", tags=["ussd"])


@router.post("", status_code=201, operation_id="run_ussd", dependencies=RUN_USSD, summary="Send a USSD code")
async def run_ussd(
    body: UssdRequest, response: Response, bank: BankDep, key: KeyDep, idempotency_key: IdempotencyKey = None
) -> UssdSession:
    """Send a code that `ussd.codes` lists, and return what the network says; that may take half a minute.

    With the status `waiting` the network wants an answer: `POST …/actions/answer` within a minute, or it ends.
    """
    run = await bank.ussd.run(
        records.UssdRequest(code=body.code, from_=body.from_, pool=body.pool),
        actor=key.id,
        idempotency=idempotency_of(idempotency_key, key, body),
    )
    response.headers["Location"] = f"/v1/ussd/{run.session.id}"
    if run.replayed:
        response.headers[REPLAYED_HEADER] = "true"
    return show_ussd(run.session, key)


@router.get("", operation_id="list_ussd", dependencies=RUN_USSD, summary="List USSD sessions, newest first")
async def list_ussd(
    bank: BankDep,
    key: KeyDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    sim_id: Annotated[Text | None, Query(max_length=64)] = None,
) -> Page[UssdSession]:
    """Page through all sessions; a text that the network sent unasked is one of its own."""
    page = await bank.ussd.list_sessions(records.UssdQuery(limit=limit, cursor=cursor, sim_id=sim_id))
    return Page(data=[show_ussd(session, key) for session in page.data], next_cursor=page.next_cursor)


@router.get("/{ussd_id}", operation_id="get_ussd", dependencies=RUN_USSD, summary="Get a USSD session")
async def get_ussd(ussd_id: UssdId, bank: BankDep, key: KeyDep) -> UssdSession:
    """Return a session with all that was said."""
    return show_ussd(await bank.ussd.get(ussd_id), key)


@router.post("/{ussd_id}/actions/answer", operation_id="answer_ussd", dependencies=RUN_USSD, summary="Answer a menu")
async def answer_ussd(ussd_id: UssdId, body: UssdAnswerRequest, bank: BankDep, key: KeyDep) -> UssdSession:
    """Answer the network in a `waiting` session, and return what it says next."""
    return show_ussd(await bank.ussd.answer(ussd_id, body.text, actor=key.id), key)


@router.post("/{ussd_id}/actions/cancel", operation_id="cancel_ussd", dependencies=RUN_USSD, summary="End a session")
async def cancel_ussd(ussd_id: UssdId, bank: BankDep, key: KeyDep) -> UssdSession:
    """End a `waiting` session; one that is over stays as it is."""
    return show_ussd(await bank.ussd.cancel(ussd_id), key)

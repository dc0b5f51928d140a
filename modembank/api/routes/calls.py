"""Calls: dial, look up, list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from modembank.api.deps import CREATE_CALLS, READ_CALLS, BankDep, CallId, Cursor, KeyDep, Limit
from modembank.api.idempotency import REPLAYED_HEADER, IdempotencyKey, idempotency_of
from modembank.api.schemas.calls import Call, CallWithAnswer, DialRequest, SessionAnswer
from modembank.api.schemas.common import Page, Text
from modembank.bank import records
from modembank.bank.wire import to_json
from modembank.bus.vocabulary import CallStatus, Direction

router = APIRouter(tags=["calls"])


@router.post("/calls", status_code=201, operation_id="dial", dependencies=CREATE_CALLS, summary="Dial a number")
async def dial(
    body: DialRequest,
    response: Response,
    bank: BankDep,
    key: KeyDep,
    idempotency_key: IdempotencyKey = None,
) -> CallWithAnswer:
    """Choose a SIM, claim it, write the call's record and dial.

    Follow the call with `GET /v1/events`: `call.ringing` and `call.answered` are separate events.
    """
    idempotency = idempotency_of(idempotency_key, key, body)
    dialed = await bank.dial(_to_record(body), actor=key.id, idempotency=idempotency)
    response.headers["Location"] = f"/v1/calls/{dialed.call.id}"
    if dialed.replayed:
        response.headers[REPLAYED_HEADER] = "true"
    return with_answer(dialed)


@router.get("/calls", operation_id="list_calls", dependencies=READ_CALLS, summary="List calls, newest first")
async def list_calls(
    bank: BankDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: CallStatus | None = None,
    direction: Direction | None = None,
    sim_id: Annotated[Text | None, Query(max_length=64)] = None,
) -> Page[Call]:
    """Page through the record of all calls, live ones included."""
    query = records.CallQuery(limit=limit, cursor=cursor, status=status, direction=direction, sim_id=sim_id)
    page = await bank.list_calls(query)
    return Page(data=[show(call) for call in page.data], next_cursor=page.next_cursor)


@router.get("/calls/{call_id}", operation_id="get_call", dependencies=READ_CALLS, summary="Get a call")
async def get_call(call_id: CallId, bank: BankDep) -> Call:
    """Return a call, past or present."""
    return show(await bank.get_call(call_id))


def show(call: records.CallRecord) -> Call:
    """Return the call as the API shows it."""
    return Call.model_validate(to_json(call))


def with_answer(dialed: records.Dialed) -> CallWithAnswer:
    """Return the call as the API shows it, with the SDP answer if there is one."""
    webrtc = SessionAnswer(sdp=dialed.answer_sdp) if dialed.answer_sdp is not None else None
    return CallWithAnswer.model_validate({**to_json(dialed.call), "webrtc": webrtc})


def _to_record(body: DialRequest) -> records.DialRequest:
    return records.DialRequest(
        to=body.to,
        from_=body.from_,
        pool=body.pool,
        timeout_s=body.timeout_s,
        max_duration_s=body.max_duration_s,
        metadata=body.metadata,
        offer=body.webrtc.sdp if body.webrtc else None,
    )

"""What can be done to a call while it lives."""

from __future__ import annotations

from fastapi import APIRouter

from modembank.api.deps import CREATE_CALLS, BankDep, CallId
from modembank.api.routes.calls import show, with_answer
from modembank.api.schemas.calls import AnswerRequest, Call, CallWithAnswer, DtmfRequest

router = APIRouter(prefix="/calls/{call_id}/actions", tags=["calls"])


@router.post("/answer", operation_id="answer_call", dependencies=CREATE_CALLS, summary="Answer an incoming call")
async def answer(call_id: CallId, bank: BankDep, body: AnswerRequest | None = None) -> CallWithAnswer:
    """Pick up; with an offer the browser is joined first. The first answer wins, later ones get `wrong_state`."""
    offer = body.webrtc.sdp if body is not None and body.webrtc is not None else None
    return with_answer(await bank.answer(call_id, offer))


@router.post("/reject", operation_id="reject_call", dependencies=CREATE_CALLS, summary="Reject an incoming call")
async def reject(call_id: CallId, bank: BankDep) -> Call:
    """Turn an incoming call away without answering it."""
    return show(await bank.reject(call_id))


@router.post("/hangup", operation_id="hang_up_call", dependencies=CREATE_CALLS, summary="Hang up")
async def hang_up(call_id: CallId, bank: BankDep) -> Call:
    """End a call in any state; repeating it is harmless."""
    return show(await bank.hang_up(call_id))


@router.post("/dtmf", operation_id="send_dtmf", dependencies=CREATE_CALLS, summary="Send DTMF digits")
async def dtmf(call_id: CallId, body: DtmfRequest, bank: BankDep) -> Call:
    """Send digits to the GSM side, one after the other (AT+VTS)."""
    return show(await bank.dtmf(call_id, body.digits))


@router.post("/hold", operation_id="hold_call", dependencies=CREATE_CALLS, summary="Put on hold")
async def hold(call_id: CallId, bank: BankDep) -> Call:
    """Hold the GSM call."""
    return show(await bank.set_held(call_id, True))


@router.post("/unhold", operation_id="unhold_call", dependencies=CREATE_CALLS, summary="Resume from hold")
async def unhold(call_id: CallId, bank: BankDep) -> Call:
    """Take the GSM call off hold."""
    return show(await bank.set_held(call_id, False))


@router.post("/mute", operation_id="mute_call", dependencies=CREATE_CALLS, summary="Mute")
async def mute(call_id: CallId, bank: BankDep) -> Call:
    """Send silence to the GSM side instead of the far side's voice."""
    return show(await bank.set_muted(call_id, True))


@router.post("/unmute", operation_id="unmute_call", dependencies=CREATE_CALLS, summary="Unmute")
async def unmute(call_id: CallId, bank: BankDep) -> Call:
    """Let the far side's voice through again."""
    return show(await bank.set_muted(call_id, False))

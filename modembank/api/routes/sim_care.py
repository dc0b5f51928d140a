"""What a person does to a card: PIN, PUK, forwarding, operator."""

from __future__ import annotations

from fastapi import APIRouter

from modembank.api.deps import ADMIN_SIMS, BankDep, KeyDep, SimId
from modembank.api.routes.sims import show
from modembank.api.schemas.inventory import Sim
from modembank.api.schemas.sim_care import OperatorRequest, PinRequest, PukRequest

router = APIRouter(prefix="/sims/{sim_id}", tags=["sims"], dependencies=ADMIN_SIMS)


@router.put("/pin", operation_id="set_pin", summary="Keep a SIM's PIN")
async def set_pin(sim_id: SimId, body: PinRequest, bank: BankDep, key: KeyDep) -> Sim:
    """Keep the PIN, sealed, and try it once if the card asks for it now and has all three tries. It is never shown."""
    return show(await bank.pins.set_pin(sim_id, body.pin, actor=key.id))


@router.delete("/pin", operation_id="clear_pin", summary="Forget a SIM's PIN")
async def clear_pin(sim_id: SimId, bank: BankDep, key: KeyDep) -> Sim:
    """Forget the PIN that is kept; the card is not asked."""
    return show(await bank.pins.clear_pin(sim_id, actor=key.id))


@router.post("/actions/puk", operation_id="enter_puk", summary="Unblock a SIM with its PUK")
async def enter_puk(sim_id: SimId, body: PukRequest, bank: BankDep, key: KeyDep) -> Sim:
    """Give the card its PUK and a new PIN, once. Ten wrong ones end the card, so the tries left must be confirmed."""
    record = await bank.pins.enter_puk(
        sim_id, body.puk, body.pin, tries_left=body.tries_left, store=body.store, actor=key.id
    )
    return show(record)


@router.post("/actions/check_forwarding", operation_id="check_forwarding", summary="Ask for call forwarding")
async def check_forwarding(sim_id: SimId, bank: BankDep) -> Sim:
    """Ask the network now where it forwards this SIM's voice calls; takes seconds, and is refused during a call."""
    return show(await bank.sim_doctor.read_forwarding(sim_id))


@router.post("/actions/clear_forwarding", operation_id="clear_forwarding", summary="End call forwarding")
async def clear_forwarding(sim_id: SimId, bank: BankDep, key: KeyDep) -> Sim:
    """Erase every forwarding in the network, and ask again."""
    return show(await bank.sim_doctor.clear_forwarding(sim_id, actor=key.id))


@router.post("/actions/select_operator", operation_id="select_operator", summary="Choose the operator")
async def select_operator(sim_id: SimId, body: OperatorRequest, bank: BankDep, key: KeyDep) -> Sim:
    """Bind the modem to one operator (AT+COPS=1), or let it choose. The modem keeps that, also for other SIMs."""
    return show(await bank.sim_doctor.select_operator(sim_id, body.plmn, actor=key.id))

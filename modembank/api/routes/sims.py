"""SIM cards."""

from __future__ import annotations

from fastapi import APIRouter

from modembank.api.deps import ADMIN_SIMS, READ_SIMS, RUN_USSD, BankDep, KeyDep, PageDep, SimId
from modembank.api.schemas.common import Page
from modembank.api.schemas.inventory import Sim, SimPatch
from modembank.bank import records
from modembank.bank.sim_records import OperatorPatch
from modembank.bank.wire import to_json

router = APIRouter(prefix="/sims", tags=["sims"])


@router.get("", operation_id="list_sims", dependencies=READ_SIMS, summary="List SIMs")
async def list_sims(bank: BankDep, query: PageDep) -> Page[Sim]:
    """Page through all SIMs ever seen; `absent` ones are remembered."""
    page = await bank.list_sims(query)
    return Page(data=[show(sim) for sim in page.data], next_cursor=page.next_cursor)


@router.get("/{sim_id}", operation_id="get_sim", dependencies=READ_SIMS, summary="Get a SIM")
async def get_sim(sim_id: SimId, bank: BankDep) -> Sim:
    """Return one SIM."""
    return show(await bank.get_sim(sim_id))


@router.patch("/{sim_id}", operation_id="patch_sim", dependencies=ADMIN_SIMS, summary="Change a SIM")
async def patch_sim(sim_id: SimId, body: SimPatch, bank: BankDep, key: KeyDep) -> Sim:
    """Change label, tags, own number, notes, whether it may be used, and through which operators."""
    patch = records.SimPatch(
        label=body.label,
        tags=tuple(body.tags) if body.tags is not None else None,
        enabled=body.enabled,
        number=body.number,
        notes=body.notes,
        operators=_operators(body),
    )
    return show(await bank.patch_sim(sim_id, patch, actor=key.id))


@router.post("/{sim_id}/balance", operation_id="read_balance", dependencies=RUN_USSD, summary="Read a SIM's balance")
async def read_balance(sim_id: SimId, bank: BankDep, key: KeyDep) -> Sim:
    """Ask the operator by the USSD code of `balance.rules`, and return the SIM with its new balance."""
    return show(await bank.balances.read(sim_id, actor=key.id))


def _operators(body: SimPatch) -> OperatorPatch | None:
    if not body.model_fields_set & {"roaming", "allowed_operators", "forbidden_operators"}:
        return None
    return OperatorPatch(
        set_roaming="roaming" in body.model_fields_set,
        roaming=body.roaming,
        allowed=None if body.allowed_operators is None else tuple(body.allowed_operators),
        forbidden=None if body.forbidden_operators is None else tuple(body.forbidden_operators),
    )


def show(sim: records.SimRecord) -> Sim:
    """Return a SIM as the API shows it."""
    return Sim.model_validate(to_json(sim))

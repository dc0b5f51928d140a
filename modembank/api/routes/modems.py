"""Modems and hosts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from modembank.api.deps import ADMIN_SIMS, READ_SIMS, RUN_AT, BankDep, KeyDep, ModemId, PageDep, check_scope
from modembank.api.schemas.common import Page
from modembank.api.schemas.inventory import (
    AtAnswer,
    AtRequest,
    Host,
    Modem,
    ModemPatch,
    Trace,
    TraceLine,
)
from modembank.bank import records
from modembank.bank.scopes import Scope
from modembank.bank.wire import to_json

router = APIRouter(tags=["modems"])


@router.get("/modems", operation_id="list_modems", dependencies=READ_SIMS, summary="List modems")
async def list_modems(bank: BankDep, query: PageDep) -> Page[Modem]:
    """Page through all modems ever seen; `lost` ones are remembered."""
    page = await bank.list_modems(query)
    return Page(data=[_show(modem) for modem in page.data], next_cursor=page.next_cursor)


@router.get("/modems/{modem_id}", operation_id="get_modem", dependencies=READ_SIMS, summary="Get a modem")
async def get_modem(modem_id: ModemId, bank: BankDep) -> Modem:
    """Return one modem."""
    return _show(await bank.get_modem(modem_id))


@router.patch("/modems/{modem_id}", operation_id="patch_modem", dependencies=ADMIN_SIMS, summary="Change a modem")
async def patch_modem(modem_id: ModemId, body: ModemPatch, bank: BankDep, key: KeyDep) -> Modem:
    """Change label, tags, notes, or whether it may be used."""
    patch = records.ModemPatch(
        label=body.label,
        tags=tuple(body.tags) if body.tags is not None else None,
        enabled=body.enabled,
        notes=body.notes,
    )
    return _show(await bank.patch_modem(modem_id, patch, actor=key.id))


@router.post(
    "/modems/{modem_id}/actions/release",
    operation_id="release_modem",
    dependencies=ADMIN_SIMS,
    summary="End a quarantine",
)
async def release_modem(modem_id: ModemId, bank: BankDep, key: KeyDep) -> Modem:
    """Try a modem again that was left alone because nothing helped. `wrong_state` when it is not in quarantine."""
    return _show(await bank.release_modem(modem_id, actor=key.id))


@router.get("/modems/{modem_id}/trace", operation_id="get_trace", dependencies=READ_SIMS, summary="A modem's AT trace")
async def trace(
    modem_id: ModemId,
    bank: BankDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    transcript: Annotated[
        bool,
        Query(description="Put in other numbers, identities and texts of the same form, so that it still parses."),
    ] = False,
) -> Trace:
    """Return the newest lines on the wire, oldest first, numbers masked."""
    lines = await bank.modem_trace(modem_id, limit, transcript=transcript)
    return Trace(data=[TraceLine(at=line.at, out=line.out, text=line.text) for line in lines])


@router.post("/modems/{modem_id}/at", operation_id="run_at", dependencies=RUN_AT, summary="Run an AT command")
async def run_at(modem_id: ModemId, body: AtRequest, bank: BankDep, key: KeyDep) -> AtAnswer:
    """Run one console command; it is written to the audit log. Only harmless commands unless unrestricted."""
    if body.unrestricted:
        check_scope(key, Scope.RAW_AT)
    lines = await bank.run_at(modem_id, body.line, unrestricted=body.unrestricted, actor=key.id)
    return AtAnswer(lines=list(lines))


@router.get("/hosts", operation_id="list_hosts", dependencies=READ_SIMS, summary="List hosts")
async def list_hosts(bank: BankDep) -> Page[Host]:
    """Return the machines that hold modems."""
    hosts = await bank.list_hosts()
    return Page(data=[Host.model_validate(to_json(host)) for host in hosts], next_cursor=None)


def _show(modem: records.ModemRecord) -> Modem:
    return Modem.model_validate(to_json(modem))

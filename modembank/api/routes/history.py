"""Signal and registration over time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from modembank.api.deps import READ_SIMS, BankDep, ModemId, SimId
from modembank.api.schemas.common import Page
from modembank.api.schemas.history import RadioMoment
from modembank.bank import radio, records
from modembank.store.radio import RadioFilter

router = APIRouter(dependencies=READ_SIMS)


class Span:
    """Which part of a history, and how fine."""

    def __init__(
        self,
        since: Annotated[datetime | None, Query(alias="from", description="RFC 3339; UTC without a zone.")] = None,
        until: Annotated[datetime | None, Query(alias="to", description="RFC 3339; not included.")] = None,
        step_s: Annotated[float, Query(ge=0, le=86_400, description="Join samples to such steps; 0: each.")] = 0.0,
        limit: Annotated[int, Query(ge=1, le=2000)] = 500,
        cursor: Annotated[str | None, Query(max_length=32, description="`next_cursor` of the page before.")] = None,
    ) -> None:
        self.since = _utc(since)
        self.until = _utc(until)
        self.step_s, self.limit, self.cursor = step_s, limit, cursor


SpanDep = Annotated[Span, Depends()]


@router.get("/modems/{modem_id}/history", operation_id="modem_history", tags=["modems"], summary="A modem's signal")
async def modem_history(modem_id: ModemId, bank: BankDep, span: SpanDep) -> Page[RadioMoment]:
    """Signal samples and changes of registration of a modem, oldest first."""
    await bank.get_modem(modem_id)
    wanted = RadioFilter(modem_id=modem_id, since=span.since, until=span.until)
    return _show(await bank.radio.read(wanted, span.cursor, span.step_s, span.limit))


@router.get("/sims/{sim_id}/history", operation_id="sim_history", tags=["sims"], summary="A SIM's signal")
async def sim_history(sim_id: SimId, bank: BankDep, span: SpanDep) -> Page[RadioMoment]:
    """Signal samples and changes of registration of a SIM, in whichever modem it was, oldest first."""
    await bank.get_sim(sim_id)
    wanted = RadioFilter(sim_id=sim_id, since=span.since, until=span.until)
    return _show(await bank.radio.read(wanted, span.cursor, span.step_s, span.limit))


def _show(page: records.Page[radio.RadioMoment]) -> Page[RadioMoment]:
    return Page(data=[RadioMoment(**asdict(one)) for one in page.data], next_cursor=page.next_cursor)


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at

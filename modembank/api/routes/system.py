"""Health and facts about this server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from modembank import __version__
from modembank.api.deps import BankDep, KeyDep, SettingsDep
from modembank.api.schemas.system import EventLoop, Health, Info, LoopFacts, Readiness, ReadinessChecks

health = APIRouter(tags=["health"])
info = APIRouter(tags=["health"])


def _event_loop(request: Request) -> EventLoop | None:
    look = request.app.state.event_loop
    if look is None:
        return None
    lag: LoopFacts = look()
    return EventLoop(lag_ms=lag.last_ms, lag_p99_ms=lag.p99_ms, lag_max_ms=lag.max_ms, stalls=lag.stalls)


@health.get("/healthz", operation_id="healthz", summary="Liveness")
async def healthz() -> Health:
    """Answer without touching anything."""
    return Health()


@health.get(
    "/readyz",
    operation_id="readyz",
    summary="Readiness",
    responses={503: {"model": Readiness, "description": "Not now; `checks` says what is missing."}},
)
async def readyz(
    response: Response, bank: BankDep, event_loop: Annotated[EventLoop | None, Depends(_event_loop)]
) -> Readiness:
    """Check the database, the hosts and whether a modem is ready; tell how late the event loop runs."""
    state = await bank.ready()
    ok = state.database and state.hosts > 0 and state.modems_ready > 0
    if not ok:
        response.status_code = 503
    return Readiness(
        status="ok" if ok else "unavailable",
        checks=ReadinessChecks(database=state.database, hosts=state.hosts, modems_ready=state.modems_ready),
        event_loop=event_loop,
    )


@info.get("/info", operation_id="get_info", summary="What runs here")
async def get_info(settings: SettingsDep, key: KeyDep) -> Info:
    """Return the version, the bank's country, and what this key and the settings allow."""
    return Info(
        version=__version__,
        country=settings.country,
        scopes=list(key.scopes),
        max_message_parts=settings.messages.max_parts,
        ussd_codes=list(settings.ussd.codes),
        balance_plmns=[rule.plmn for rule in settings.balance.rules],
    )

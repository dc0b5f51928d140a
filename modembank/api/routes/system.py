"""Health and facts about this server."""

from __future__ import annotations

from fastapi import APIRouter, Response

from modembank import __version__
from modembank.api.deps import BankDep, KeyDep, SettingsDep
from modembank.api.schemas.system import Health, Info, Readiness, ReadinessChecks

health = APIRouter(tags=["health"])
info = APIRouter(tags=["health"])


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
async def readyz(response: Response, bank: BankDep) -> Readiness:
    """Check the database, the hosts and whether a modem is ready."""
    state = await bank.ready()
    ok = state.database and state.hosts > 0 and state.modems_ready > 0
    if not ok:
        response.status_code = 503
    return Readiness(
        status="ok" if ok else "unavailable",
        checks=ReadinessChecks(database=state.database, hosts=state.hosts, modems_ready=state.modems_ready),
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

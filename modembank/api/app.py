"""The HTTP application over one bank."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from modembank import __version__
from modembank.api.deps import require_key
from modembank.api.edge import REQUEST_ID_HEADER, Edge
from modembank.api.pages import Pages
from modembank.api.problem import MEDIA_TYPE, install_problem_handlers
from modembank.api.routes import call_actions, calls, events, modems, sims, system, webrtc
from modembank.api.schemas.problem import Problem
from modembank.api.streams import Streams
from modembank.api.tickets import Tickets
from modembank.bank.bank import Bank
from modembank.config import Settings

DESCRIPTION = (
    "Dial through SIM cards, follow every call, manage SIMs and modems. "
    "Send an API key as `Authorization: Bearer mbk_…`. Errors are `application/problem+json` with a stable `code`."
)
TAGS = [
    {"name": "calls", "description": "Dial, follow and control calls."},
    {"name": "webrtc", "description": "Join a browser to a call."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "sims", "description": "SIM cards."},
    {"name": "modems", "description": "Modems and the hosts that hold them."},
    {"name": "health", "description": "Is it alive, can it call?"},
]


def create_app(bank: Bank, settings: Settings, pages: Pages | None = None) -> FastAPI:
    """Return the application; the caller starts and stops the bank."""
    app = FastAPI(
        title="modembank",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.bank = bank
    app.state.settings = settings
    app.state.tickets = Tickets()
    app.state.streams = Streams(bank)
    install_problem_handlers(app)
    app.include_router(system.health)
    app.include_router(_v1())
    app.router.default = pages or Pages()
    _add_cors(app, settings.http.allowed_origins)
    app.add_middleware(Edge)  # added last: the outermost
    return app


def _v1() -> APIRouter:
    problem = {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": "A problem; see its `code`."}
    with_key = APIRouter(dependencies=[Depends(require_key)])
    for module in (calls, call_actions, webrtc, sims, modems):
        with_key.include_router(module.router)
    with_key.include_router(system.info)
    with_key.include_router(events.tickets_router)
    router = APIRouter(prefix="/v1", responses={"4XX": problem, "5XX": problem})
    router.include_router(with_key)
    router.include_router(events.router)  # has its own ways to show a key
    return router


def _add_cors(app: FastAPI, origins: tuple[str, ...]) -> None:
    if not origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PATCH"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", REQUEST_ID_HEADER],
        expose_headers=["Location", "Retry-After", REQUEST_ID_HEADER, calls.REPLAYED_HEADER],
        max_age=600,
    )

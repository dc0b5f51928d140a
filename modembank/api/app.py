"""The HTTP application over one bank."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from modembank import __version__
from modembank.api.deps import require_key
from modembank.api.edge import REQUEST_ID_HEADER, Edge
from modembank.api.idempotency import REPLAYED_HEADER
from modembank.api.pages import Pages
from modembank.api.problem import MEDIA_TYPE, install_problem_handlers
from modembank.api.routes import (
    call_actions,
    calls,
    docs,
    events,
    history,
    messages,
    modems,
    sim_care,
    sims,
    system,
    ussd,
    webrtc,
)
from modembank.api.schemas.problem import Problem
from modembank.api.schemas.system import LoopFacts
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
    {"name": "messages", "description": "Send, follow and read short messages."},
    {"name": "ussd", "description": "Ask the network by USSD codes."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "sims", "description": "SIM cards."},
    {"name": "modems", "description": "Modems and the hosts that hold them."},
    {"name": "health", "description": "Is it alive, can it call?"},
]


def create_app(
    bank: Bank,
    settings: Settings,
    pages: Pages | None = None,
    event_loop: Callable[[], LoopFacts] | None = None,
) -> FastAPI:
    """Return the application; the caller starts and stops the bank. `event_loop` tells how late the loop runs."""
    app = FastAPI(
        title="modembank",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.bank = bank
    app.state.settings = settings
    app.state.event_loop = event_loop
    app.state.tickets = Tickets()
    app.state.streams = Streams(bank)
    install_problem_handlers(app)
    app.include_router(system.health)
    app.include_router(docs.router)
    _include_v1(app)
    app.router.default = pages or Pages()
    _add_cors(app, settings.http.allowed_origins)
    app.add_middleware(Edge)  # added last: the outermost
    return app


def _include_v1(app: FastAPI) -> None:
    problem = {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": "A problem; see its `code`."}
    responses: dict[int | str, dict[str, object]] = {"4XX": problem, "5XX": problem}
    with_key = [
        module.router for module in (calls, call_actions, webrtc, messages, ussd, sims, sim_care, modems, history)
    ]
    for router in (*with_key, system.info, events.tickets_router):
        app.include_router(router, prefix="/v1", dependencies=[Depends(require_key)], responses=responses)
    app.include_router(events.router, prefix="/v1", responses=responses)  # has its own ways to show a key


def _add_cors(app: FastAPI, origins: tuple[str, ...]) -> None:
    if not origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", REQUEST_ID_HEADER],
        expose_headers=["Location", "Retry-After", REQUEST_ID_HEADER, REPLAYED_HEADER],
        max_age=600,
    )

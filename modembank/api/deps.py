"""What routes ask for: the bank, the settings, the caller's key, well-formed ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.params import Depends as DependsParameter
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator
from starlette.requests import HTTPConnection

from modembank.api.schemas.common import Text
from modembank.api.streams import Streams
from modembank.api.tickets import Tickets
from modembank.bank.bank import Bank
from modembank.bank.records import KeyRecord, PageQuery
from modembank.bank.scopes import Scope, permits
from modembank.config import Settings
from modembank.errors import ForbiddenError, NotFoundError, UnauthorizedError

_bearer = HTTPBearer(auto_error=False, description="An API key, `mbk_…`; made with `modembank keys create`.")


def bank_of(connection: HTTPConnection) -> Bank:
    """Return the bank this app serves."""
    bank = connection.app.state.bank
    assert isinstance(bank, Bank)
    return bank


def settings_of(connection: HTTPConnection) -> Settings:
    """Return the settings this app runs with."""
    settings = connection.app.state.settings
    assert isinstance(settings, Settings)
    return settings


def streams_of(connection: HTTPConnection) -> Streams:
    """Return the open event streams of this app."""
    streams = connection.app.state.streams
    assert isinstance(streams, Streams)
    return streams


def tickets_of(connection: HTTPConnection) -> Tickets:
    """Return the outstanding event tickets of this app."""
    tickets = connection.app.state.tickets
    assert isinstance(tickets, Tickets)
    return tickets


BankDep = Annotated[Bank, Depends(bank_of)]
SettingsDep = Annotated[Settings, Depends(settings_of)]
StreamsDep = Annotated[Streams, Depends(streams_of)]
TicketsDep = Annotated[Tickets, Depends(tickets_of)]


async def require_key(
    bank: BankDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> KeyRecord:
    """Return the caller's API key.

    Raises:
        UnauthorizedError: none was sent, or it is not valid (any more).
    """
    if credentials is None:
        raise UnauthorizedError("Send an API key: Authorization: Bearer mbk_…")
    return await bank.keys.verify(credentials.credentials)


KeyDep = Annotated[KeyRecord, Depends(require_key)]


def check_scope(key: KeyRecord, *scopes: Scope) -> None:
    """Let a key pass that has one of these scopes, or all.

    Raises:
        ForbiddenError: it has none of them.
    """
    if not permits(key.scopes, *scopes):
        raise ForbiddenError(f"This API key lacks the scope {scopes[0]}; make one that has it: modembank keys create.")


def _needs(*scopes: Scope) -> DependsParameter:
    def check(key: KeyDep) -> None:
        check_scope(key, *scopes)

    needs: DependsParameter = Depends(check)
    return needs


# What a route asks of the key, as its `dependencies`.
READ_CALLS = [_needs(Scope.READ_CALLS)]
CREATE_CALLS = [_needs(Scope.CREATE_CALLS)]
READ_SIMS = [_needs(Scope.READ_SIMS)]
ADMIN_SIMS = [_needs(Scope.ADMIN_SIMS)]
RUN_AT = [_needs(Scope.RUN_AT, Scope.RAW_AT)]
SEND_SMS = [_needs(Scope.SEND_SMS)]
READ_SMS = [_needs(Scope.READ_SMS)]
RUN_USSD = [_needs(Scope.RUN_USSD)]
READ_EVENTS = [_needs(Scope.READ_EVENTS)]


def _id(prefix: str, noun: str) -> Callable[[str], str]:
    well_formed = re.compile(rf"{prefix}_[0-9A-HJKMNP-TV-Z]{{26}}")

    def check(value: str) -> str:
        if not well_formed.fullmatch(value):
            raise NotFoundError(f"There is no {noun} with this id; ids look like {prefix}_01KAHQ4Z2T5M9V8R3E7W6XNYCD.")
        return value

    return check


CallId = Annotated[str, Path(description="Id of a call."), AfterValidator(_id("call", "call"))]
SimId = Annotated[str, Path(description="Id of a SIM."), AfterValidator(_id("sim", "SIM"))]
MessageId = Annotated[str, Path(description="Id of a message."), AfterValidator(_id("msg", "message"))]
UssdId = Annotated[str, Path(description="Id of a USSD session."), AfterValidator(_id("ussd", "USSD session"))]
ModemId = Annotated[str, Path(description="Id of a modem."), AfterValidator(_id("modem", "modem"))]

Limit = Annotated[int, Query(ge=1, le=500, description="Most entries on a page.")]
Cursor = Annotated[Text | None, Query(max_length=256, description="`next_cursor` of the page before.")]


def page_query(limit: Limit = 50, cursor: Cursor = None) -> PageQuery:
    """Return which page the caller wants."""
    return PageQuery(limit=limit, cursor=cursor)


PageDep = Annotated[PageQuery, Depends(page_query)]

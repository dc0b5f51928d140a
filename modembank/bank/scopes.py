"""What an API key may do. The API asks for a scope on each route; a key is refused a scope that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from modembank.errors import RequestError


class Scope(StrEnum):
    """A permission of an API key."""

    ALL = "*"
    READ_CALLS = "calls:read"
    CREATE_CALLS = "calls:create"
    READ_SIMS = "sims:read"
    ADMIN_SIMS = "sims:admin"
    RUN_AT = "at:run"
    RAW_AT = "at:raw"
    READ_EVENTS = "events:read"
    SEND_SMS = "sms:send"
    READ_SMS = "sms:read"
    SMS_CONTENT = "sms:content"
    RUN_USSD = "ussd:run"


def permits(scopes: Iterable[str], *wanted: Scope) -> bool:
    """Whether a key with these scopes may do what any of `wanted` allows."""
    return not {Scope.ALL, *wanted}.isdisjoint(scopes)


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes without repetition.

    Raises:
        RequestError: one of them does not exist.
    """
    found = tuple(dict.fromkeys(scopes))
    known = ", ".join(Scope)
    for scope in found:
        if scope not in set(Scope):
            raise RequestError(f"there is no scope {scope!r}; scopes are {known}")
    return found

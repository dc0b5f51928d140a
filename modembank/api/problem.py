"""Every error leaves the API as `application/problem+json` with a stable code. Source: RFC 9457."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from modembank.api.schemas.common import utf8_text
from modembank.api.schemas.problem import FieldProblem, Problem
from modembank.errors import (
    BodyTooLargeError,
    ForbiddenError,
    MethodNotAllowedError,
    ModembankError,
    NoSimAvailableError,
    NotFoundError,
    RequestError,
    StoreError,
    UnauthorizedError,
    ValidationFailedError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# A SIM becomes free when a call ends and a host comes back after a restart: both are matters of seconds.
RETRY_AFTER_S = 5

_BY_STATUS: Mapping[int, type[RequestError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: BodyTooLargeError,
    422: ValidationFailedError,
}


# Where the docstring is written for those who read the code.
_TITLES: Mapping[type[ModembankError], str] = {
    ModembankError: "Something went wrong in modembank.",
    StoreError: "The database is not available.",
}


def title_of(kind: type[ModembankError]) -> str:
    """Return the one-line meaning of an error class: its short title, or the first line of its docstring."""
    if kind in _TITLES:
        return _TITLES[kind]
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]


def problem_response(
    connection: HTTPConnection,
    error: ModembankError,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer for one of our errors; those that are the server's fault do not show their text."""
    body = Problem(
        type=f"/docs#{error.code}",
        title=title_of(type(error)),
        status=error.status,
        detail=utf8_text(_detail(error)),
        instance=connection.url.path,
        code=error.code,
        request_id=request_id(connection),
        errors=list(errors) or None,
        call_id=error.call_id,
        removed=error.removed if isinstance(error, NoSimAvailableError) else None,
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers={**_headers_for(error), **(headers or {})},
    )


def _detail(error: ModembankError) -> str:
    """Return the error's sentence, unless it may tell of our insides."""
    if isinstance(error, StoreError):
        return "The database does not answer; the log says why, under the request id."
    if error.status == 500:
        return "Something went wrong here; the log says what, under the request id."
    return str(error)


def request_id(connection: HTTPConnection) -> str:
    """Return the id that the edge gave this request."""
    return str(connection.scope.get("request_id", ""))


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the app's routes a problem.

    Starlette sends what a handler returns; for a WebSocket handshake as its denial.
    """
    app.add_exception_handler(ModembankError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(WebSocketRequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


def _headers_for(error: ModembankError) -> dict[str, str]:
    if error.status == 401:
        return {"WWW-Authenticate": 'Bearer realm="modembank"'}
    if error.status == 503:
        return {"Retry-After": str(RETRY_AFTER_S)}
    return {}


async def _on_ours(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, ModembankError)
    if error.status >= 500 and not isinstance(error, NoSimAvailableError):
        log.warning("%s %s: %s: %s", request_id(connection), connection.url.path, error.code, error)
    return problem_response(connection, error)


async def _on_validation(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    places = [
        FieldProblem(
            location=utf8_text(".".join(str(part) for part in found["loc"])),
            message=utf8_text(found["msg"]),
            kind=found["type"],
        )
        for found in error.errors()
    ]
    failed = ValidationFailedError(f"{places[0].location}: {places[0].message}")
    return problem_response(connection, failed, errors=places)


async def _on_http(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code, RequestError if error.status_code < 500 else ModembankError)
    sentence = _sentence(connection, error)
    return problem_response(connection, kind(sentence), headers=error.headers)


def _sentence(connection: HTTPConnection, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"There is nothing at {connection.url.path}."
    if error.status_code == 405:
        return f"{connection.url.path} does not take {connection.scope['method']}."
    return error.detail

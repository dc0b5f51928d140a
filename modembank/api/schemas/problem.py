"""Errors on the wire. Source: RFC 9457."""

from __future__ import annotations

from pydantic import Field

from modembank.api.schemas.common import Answer


class FieldProblem(Answer):
    """One place of a request that does not follow the schema."""

    location: str = Field(description="Where, as a path.", examples=["body.timeout_s"])
    message: str
    kind: str = Field(description="The rule that was broken.", examples=["float_type"])


class Problem(Answer):
    """An error: `code` is stable and listed in the reference, `detail` is a sentence for people."""

    type: str = Field(description="Link to the code's description.", examples=["/docs#no_sim_available"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request.")
    code: str = Field(examples=["no_sim_available"])
    request_id: str
    errors: list[FieldProblem] | None = Field(None, description="With `validation_failed`: each place.")
    call_id: str | None = Field(None, description="The call whose record tells more, if one was made.")
    removed: dict[str, int] | None = Field(
        None, description="With `no_sim_available`: how many SIMs each filter removed."
    )

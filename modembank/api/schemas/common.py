"""Building blocks of requests and answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

# PostgreSQL text cannot hold U+0000, and no other C0 control code has a meaning in a label or a value.
_LAYOUT = frozenset("\t\n\r")


def _encodable(value: str) -> str:
    # JSON can spell half of a surrogate pair (RFC 8259 section 8.2); UTF-8 cannot (RFC 3629 section 3).
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("half of a surrogate pair is not allowed")
    return value


def _printable(value: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("control characters are not allowed")
    return value


def _printable_lines(value: str) -> str:
    if any((ord(char) < 32 and char not in _LAYOUT) or ord(char) == 127 for char in value):
        raise ValueError("control characters other than tab and line break are not allowed")
    return value


def _rfc3339(value: datetime) -> str:
    utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Encodable = Annotated[str, AfterValidator(_encodable)]
Text = Annotated[Encodable, AfterValidator(_printable)]
Lines = Annotated[Encodable, AfterValidator(_printable_lines)]
Label = Annotated[Text, Field(max_length=80, examples=["front left, slot 3"])]
Notes = Annotated[Lines, Field(max_length=2000)]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$", examples=["sales"])]
Timestamp = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str, when_used="json"),
    Field(description="RFC 3339 UTC with milliseconds.", examples=["2026-11-22T15:00:00.123Z"]),
]


def utf8_text(value: str) -> str:
    """Return the text with `?` for what UTF-8 cannot carry."""
    return value.encode("utf-8", "replace").decode()


class Request(BaseModel):
    """A request body: unknown names and wrong types are refused, never guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Answer(BaseModel):
    """An answer body."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, populate_by_name=True)


Item = TypeVar("Item", bound=BaseModel)


class Page(Answer, Generic[Item]):
    """One page of a list; hand `next_cursor` back as `cursor` for the next one."""

    data: list[Item]
    next_cursor: str | None = Field(description="Null on the last page.")

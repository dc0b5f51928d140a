"""Records to the JSON of the REST contract: `from_` becomes `from`, times RFC 3339 UTC with milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

from modembank.bank.message_records import MessageRecord, UssdRecord
from modembank.bank.records import (
    CallRecord,
    HealingRecord,
    HostRecord,
    JsonObject,
    JsonValue,
    KeyRecord,
    ModemRecord,
    SimRecord,
    Why,
)

WireRecord = (
    CallRecord | SimRecord | ModemRecord | HealingRecord | HostRecord | KeyRecord | Why | MessageRecord | UssdRecord
)


def rfc3339(at: datetime) -> str:
    """Return `2026-11-22T15:00:00.123Z`. Source: RFC 3339 section 5.6."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(record: WireRecord) -> JsonObject:
    """Return the record as a JSON object, nested records included."""
    return _object(record)


def _object(record: object) -> JsonObject:
    assert is_dataclass(record)
    return {field.name.rstrip("_"): _value(getattr(record, field.name)) for field in fields(record)}


def _value(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {_text(str(key)): _value(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_value(item) for item in value]
    return _object(value)


def _text(value: str) -> str:
    """Return plain text, of a StrEnum too, with `?` for what UTF-8 cannot carry: a modem may tell anything."""
    return value.encode("utf-8", "replace").decode()

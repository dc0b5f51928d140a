"""Records to JSON bytes and back, with the record's name as tag."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from modembank.bus.commands import AnyCommand, AnyReply
from modembank.bus.events import AnyEvent

Record = AnyCommand | AnyReply | AnyEvent

_TYPES: dict[str, type] = {kind.__name__: kind for kind in get_args(Record)}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES[name])


def encode(record: Record) -> bytes:
    """Return `["Name", {…}]` as JSON."""
    name = type(record).__name__
    return b'["%s",%s]' % (name.encode(), _adapter(name).dump_json(record))


def _decode(data: bytes) -> Any:  # the tag decides the type, the callers below narrow it
    name, fields = json.loads(data)
    return _adapter(name).validate_python(fields, strict=False)


def decode_command(data: bytes) -> AnyCommand:
    """Read a command.

    Raises:
        KeyError, ValueError: not one of our commands.
    """
    record: AnyCommand = _decode(data)
    return record


def decode_reply(data: bytes) -> AnyReply:
    """Read a reply; raises like `decode_command`."""
    record: AnyReply = _decode(data)
    return record


def decode_event(data: bytes) -> AnyEvent:
    """Read an event; raises like `decode_command`."""
    record: AnyEvent = _decode(data)
    return record

"""Prefixed identifiers: `call_01J…`; sortable by time of creation. Source: the ULID specification."""

from __future__ import annotations

from typing import Literal

from ulid import ULID

Prefix = Literal["call", "sim", "modem", "host", "evt", "cmd", "key", "req", "msg", "ussd"]


def new_id(prefix: Prefix) -> str:
    """Return a new identifier: the prefix, an underscore and a ULID of 26 characters."""
    return f"{prefix}_{ULID()}"

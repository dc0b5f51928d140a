"""The header that makes a repeated POST return what the first one made."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import Header

from modembank.api.schemas.common import Request
from modembank.bank.records import Idempotency, KeyRecord

REPLAYED_HEADER = "Idempotent-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Makes a repeated POST return what the first one made instead of making it again.",
    ),
]


def idempotency_of(key: str | None, api_key: KeyRecord, body: Request) -> Idempotency | None:
    """Return what the bank needs of the header; None without one."""
    if key is None:
        return None
    return Idempotency(key=key, api_key_id=api_key.id, body_hash=_hash(body))


def _hash(body: Request) -> str:
    """Hash what was asked for, not how it was spelled: order of names and white space do not count."""
    canonical = json.dumps(body.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(f"{type(body).__name__}\n{canonical}".encode()).hexdigest()

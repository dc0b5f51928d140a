"""API keys: 256 random bits, shown once, kept as SHA-256.

Source: OWASP ASVS 5.0.0 requirement 6.5.2 (a plain hash is enough for secrets of at least 112 bits).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from modembank.bank.records import KeyRecord
from modembank.bank.scopes import Scope, checked_scopes
from modembank.errors import NotFoundError, StoreError, UnauthorizedError
from modembank.ids import new_id
from modembank.store import keys as rows
from modembank.store.database import Database
from modembank.store.models import KeyRow

# Writing "last used" on every request would cost a disk flush each.
LAST_USED_STEP = timedelta(minutes=1)
# While the database is away a key that was good this short a time ago stays good: a live call must be hung up.
KNOWN_S = 600.0
FIRST_KEY_NAME = "first key"
FIRST_KEY_SCOPES = (Scope.ALL.value,)


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """A key, and when the database last vouched for it."""

    key: KeyRecord
    seen_at: float


class KeyService:
    """Create, check, list and revoke API keys. Scope `*` means all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}

    async def create_key(self, name: str, scopes: tuple[str, ...]) -> tuple[KeyRecord, str]:
        """Return the new key and its secret `mbk_<prefix>_<random>`, which cannot be read again.

        Raises:
            RequestError: one of the scopes does not exist.
        """
        row, secret = _new_key(name, checked_scopes(scopes))
        async with self._database.write() as session:
            await rows.add_key(session, row)
        return _record(row), secret

    async def verify(self, secret: str) -> KeyRecord:
        """Return the key of this secret. The lookup goes by hash, so its timing tells nothing of the secret.

        Raises:
            UnauthorizedError: unknown or revoked.
            StoreError: the database is away, and the key was not seen within `KNOWN_S`.
        """
        hashed = _hash(secret)
        try:
            async with self._database.read() as session:
                row = await rows.key_by_hash(session, hashed)
        except StoreError:
            known = self._known.get(hashed)
            if known is None or time.monotonic() - known.seen_at > KNOWN_S:
                raise
            return known.key
        if row is None or row.revoked_at is not None:
            self._known.pop(hashed, None)
            raise UnauthorizedError("this API key is not known or was revoked; make one with: modembank keys")
        self._known[hashed] = _Known(_record(row), time.monotonic())
        now = datetime.now(UTC)
        if row.last_used_at is None or now - row.last_used_at > LAST_USED_STEP:
            await self._used(row.id, now)
        return _record(row)

    async def _used(self, key_id: str, now: datetime) -> None:
        try:
            async with self._database.write() as session:
                stored = await rows.get_key(session, key_id)
                if stored is not None:
                    stored.last_used_at = now
        except StoreError as error:
            log.warning("the last use of %s was not noted: %s", key_id, error)

    async def list_keys(self) -> tuple[KeyRecord, ...]:
        """All keys, oldest first, revoked ones too."""
        async with self._database.read() as session:
            return tuple(_record(row) for row in await rows.all_keys(session))

    async def revoke(self, key_id: str) -> KeyRecord:
        """End a key for good; repeating it is harmless.

        Raises:
            NotFoundError: no such key.
        """
        async with self._database.write() as session:
            row = await rows.get_key(session, key_id)
            if row is None:
                raise NotFoundError(f"there is no API key {key_id}")
            row.revoked_at = row.revoked_at or datetime.now(UTC)
        return _record(row)

    async def ensure_first_key(self) -> str | None:
        """Create a key when there never was one.

        Returns:
            Its secret, to be shown once; None when there are keys.
        """
        row, secret = _new_key(FIRST_KEY_NAME, FIRST_KEY_SCOPES)
        async with self._database.write() as session:
            if await rows.count_keys(session):
                return None
            await rows.add_key(session, row)
        return secret


def _new_key(name: str, scopes: tuple[str, ...]) -> tuple[KeyRow, str]:
    prefix = secrets.token_hex(4)
    secret = f"mbk_{prefix}_{secrets.token_urlsafe(32)}"
    row = KeyRow(
        id=new_id("key"),
        prefix=f"mbk_{prefix}",
        secret_sha256=_hash(secret),
        name=name,
        scopes=list(scopes),
        created_at=datetime.now(UTC),
    )
    return row, secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(row: KeyRow) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        prefix=row.prefix,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )

"""API keys."""

from __future__ import annotations

import re

import pytest

from modembank.bank.keys import KeyService
from modembank.errors import NotFoundError, RequestError, UnauthorizedError
from modembank.store.keys import all_keys


@pytest.fixture
def keys(database) -> KeyService:
    return KeyService(database)


async def test_a_key_is_shown_once_and_kept_as_a_hash(keys, database):
    record, secret = await keys.create_key("office", ("calls:create", "calls:read"))
    assert re.fullmatch(r"mbk_[0-9a-f]{8}_[\w-]{43}", secret)
    assert secret.startswith(record.prefix)
    async with database.read() as session:
        [row] = await all_keys(session)
    assert secret not in str(vars(row).values())
    assert len(row.secret_sha256) == 64
    verified = await keys.verify(secret)
    assert (verified.id, verified.scopes) == (record.id, ("calls:create", "calls:read"))


@pytest.mark.parametrize("secret", ["", "mbk_", "mbk_00000000_x", "é"])
async def test_other_secrets_are_refused(keys, secret):
    await keys.create_key("office", ())
    with pytest.raises(UnauthorizedError):
        await keys.verify(secret)


async def test_a_revoked_key_stays_listed_and_opens_nothing(keys):
    record, secret = await keys.create_key("office", ())
    first = await keys.revoke(record.id)
    assert (await keys.revoke(record.id)).revoked_at == first.revoked_at
    with pytest.raises(UnauthorizedError):
        await keys.verify(secret)
    [listed] = await keys.list_keys()
    assert listed.revoked_at is not None
    with pytest.raises(NotFoundError):
        await keys.revoke("key_none")


async def test_the_first_key_is_made_once(keys):
    secret = await keys.ensure_first_key()
    assert (await keys.verify(secret)).scopes == ("*",)
    assert await keys.ensure_first_key() is None
    [record] = await keys.list_keys()
    await keys.revoke(record.id)
    assert await keys.ensure_first_key() is None


async def test_use_is_noted(keys):
    record, secret = await keys.create_key("office", ())
    assert record.last_used_at is None
    await keys.verify(secret)
    [listed] = await keys.list_keys()
    assert listed.last_used_at is not None
    await keys.verify(secret)
    assert (await keys.list_keys())[0].last_used_at == listed.last_used_at


@pytest.mark.parametrize("scopes", [("calls:raed",), ("*", "everything"), ("",)])
async def test_a_scope_that_does_not_exist_is_refused_with_the_list(keys, scopes):
    with pytest.raises(RequestError, match="calls:read, calls:create, sims:read, sims:admin, at:run, at:raw"):
        await keys.create_key("office", scopes)
    assert await keys.list_keys() == ()

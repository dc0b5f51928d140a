"""`modembank keys`: API keys, made on the machine that holds the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.output import AsJson, JsonObject, print_json, print_table, text_of

if TYPE_CHECKING:
    from modembank.bank.keys import KeyService
    from modembank.bank.records import KeyRecord
    from modembank.store.database import Database

app = typer.Typer(help="API keys, and the key that PINs are sealed with, on this machine.", no_args_is_help=True)

Result = TypeVar("Result")

FULL_SCOPE = "*"
SCOPE_HELP = (
    "What it may do; repeat for more: calls:read, calls:create (dial and control), sims:read (SIMs, modems, hosts), "
    "sims:admin (change them), at:run, at:raw, events:read, *.  [default: *, everything]"
)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, for example 'office PBX'.")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help=SCOPE_HELP)] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key. It is shown once; only a hash is kept."""
    scopes = tuple(scope) if scope else (FULL_SCOPE,)
    record, secret = _with_keys(config, lambda keys: keys.create_key(name, scopes))
    if as_json:
        print_json({**_facts(record), "api_key": secret})
    else:
        print(secret)


@app.command("list")
def list_keys(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List API keys, revoked ones too. The keys themselves cannot be shown again."""
    records = _with_keys(config, lambda keys: keys.list_keys())
    if as_json:
        print_json({"data": [_facts(record) for record in records]})
        return
    columns = ("id", "name", "starts with", "scopes", "created", "last used", "revoked")
    rows = [[text_of(value) for value in _facts(record).values()] for record in records]
    print_table(columns, rows, empty="There is no API key yet; make one with `modembank keys create NAME`.")


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, from `modembank keys list`.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """End a key for good. Event streams it opened end within seconds."""
    record = _with_keys(config, lambda keys: keys.revoke(key_id))
    if as_json:
        print_json(_facts(record))
    else:
        print(f"{record.name} ({record.id}) is revoked")


@app.command("rotate-pins")
def rotate_pins(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Seal all PINs with a new key, and forget the old one. A server may run meanwhile."""
    name_config_file(config)
    from modembank.bank.pin_keys import rotate_pin_key
    from modembank.bank.vault import Vault
    from modembank.config import load_settings

    settings = load_settings()
    vault = Vault(settings.pin_key_file)
    count = asyncio.run(_with_database(settings.database_url, lambda database: rotate_pin_key(database, vault)))
    if as_json:
        print_json({"pins": count, "key_file": str(vault.path)})
    else:
        print(f"{count} PINs are sealed with a new key in {vault.path}")


def _with_keys(config: str | None, work: Callable[[KeyService], Awaitable[Result]]) -> Result:
    name_config_file(config)
    from modembank.bank.keys import KeyService
    from modembank.config import load_settings

    return asyncio.run(_with_database(load_settings().database_url, lambda database: work(KeyService(database))))


async def _with_database(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    from modembank.store.database import Database

    database = Database(url)
    await database.open()
    try:
        await database.upgrade()
        return await work(database)
    finally:
        await database.close()


def _facts(record: KeyRecord) -> JsonObject:
    return {
        "id": record.id,
        "name": record.name,
        "prefix": record.prefix,
        "scopes": list(record.scopes),
        "created_at": _time(record.created_at),
        "last_used_at": _time(record.last_used_at),
        "revoked_at": _time(record.revoked_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None

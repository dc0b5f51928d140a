"""`modembank db`: the schema of the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from modembank.store.migrate import SchemaState

app = typer.Typer(help="Bring the database to the newest schema, or check it.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Create the database, or bring it to the schema of this version. `serve` does it at every start."""
    state = asyncio.run(_state(config, upgrading=True))
    if as_json:
        print_json({"revision": state.current})
    else:
        print(f"the database is at revision {state.current}")


@app.command("check")
def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Check that the database has the schema of this version. Changes nothing; status 1 when it has not."""
    state = asyncio.run(_state(config, upgrading=False))
    if as_json:
        print_json(
            {
                "ok": state.ok,
                "revision": state.current,
                "newest": state.head,
                "differences": list(state.differences),
            }
        )
    else:
        print(describe(state))
    if not state.ok:
        raise typer.Exit(1)


def describe(state: SchemaState) -> str:
    """Return one sentence about a schema and what to do."""
    if state.ok:
        return f"the database is at the newest revision {state.head}"
    if state.current is None:
        return "the database has no tables yet; run `modembank db upgrade`"
    if state.current != state.head:
        return f"the database is at revision {state.current}, newest is {state.head}; run `modembank db upgrade`"
    return f"{len(state.differences)} tables differ from this version: {'; '.join(state.differences)}"


async def _state(config: str | None, *, upgrading: bool) -> SchemaState:
    name_config_file(config)
    from modembank.config import load_settings
    from modembank.store.database import Database

    database = Database(load_settings().database_url)
    await database.open()
    try:
        if upgrading:
            await database.upgrade()
        return await database.check()
    finally:
        await database.close()

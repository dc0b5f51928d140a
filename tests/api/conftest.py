"""The real app on a real port, over the real bank on SQLite; the host behind the bus is scripted."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from modembank.api.app import create_app
from modembank.api.pages import Pages
from modembank.api.server import ApiServer
from modembank.bank.bank import Bank
from modembank.bus.bus import InProcessBus
from modembank.config import HttpSettings, IceServer, MediaSettings, Settings
from modembank.store.database import Database
from tests.support.api import LIMIT_S, OTHER_ORIGIN, Api, eventually
from tests.support.scripted_host import ScriptedHost, modem


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once; tests work on copies."""
    path = tmp_path_factory.mktemp("database") / "modembank.db"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.open()
        await database.upgrade()
        await database.close()

    with asyncio.Runner() as runner:
        runner.run(make())
    return path


@pytest.fixture
def modem_count() -> int:
    return 4


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    """A page as the build leaves it."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>modembank</title>")
    (dist / "assets" / "index-abc123.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("not for the web")
    return Pages(dist)


@pytest.fixture
async def api(tmp_path: Path, empty_database: Path, modem_count: int, pages: Pages) -> AsyncIterator[Api]:
    shutil.copy(empty_database, tmp_path / "modembank.db")
    settings = Settings(
        data_dir=tmp_path,
        http=HttpSettings(port=0, allowed_origins=(OTHER_ORIGIN,)),
        media=MediaSettings(ice_servers=(IceServer(urls=("stun:stun.example:3478",)),)),
    )
    database = Database(settings.database_url)
    await database.open()
    bus = InProcessBus()
    bank = Bank(settings, database, bus)
    await bank.start()
    host = ScriptedHost(bus, [modem(number) for number in range(1, modem_count + 1)])
    host.start()
    _, key = await bank.keys.create_key("test", ("*",))
    server = ApiServer(create_app(bank, settings, pages), settings.http)
    ready = asyncio.Event()
    serving = asyncio.create_task(server.run(ready.set))
    await asyncio.wait_for(ready.wait(), LIMIT_S)
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=LIMIT_S, trust_env=False) as client:
            await eventually(lambda: bank.ready(), lambda state: state.modems_ready == modem_count)
            yield Api(server.url, key, client, bank, host, server, serving, settings)
    finally:
        server.stop()
        await asyncio.wait_for(serving, LIMIT_S)
        await bank.stop()
        await database.close()

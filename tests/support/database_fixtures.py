"""Fixtures that give a test a fresh database of either kind; import them in a conftest.py."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from modembank.store.database import Database
from tests.support.databases import drop_postgres_database, new_postgres_database, postgres_cluster

KINDS = ("sqlite", "postgresql")
_TEMPLATE = "template_bank"
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """A private cluster with one migrated database to copy from."""
    with postgres_cluster() as socket:
        asyncio.run(_migrated(asyncio.run(new_postgres_database(socket, _TEMPLATE))))
        yield socket


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


async def _migrated(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.upgrade()
    await database.close()


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    socket = request.getfixturevalue("postgres_socket")
    name = f"empty_{next(_numbers)}"
    yield asyncio.run(new_postgres_database(socket, name))
    asyncio.run(drop_postgres_database(socket, name))


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables."""
    if request.param == "sqlite":
        path = tmp_path / "bank.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    socket = request.getfixturevalue("postgres_socket")
    name = f"bank_{next(_numbers)}"
    yield asyncio.run(new_postgres_database(socket, name, template=_TEMPLATE))
    asyncio.run(drop_postgres_database(socket, name))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with all tables."""
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()

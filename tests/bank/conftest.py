"""A bank with its database and a scripted host, for every test of the bank."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from modembank.config import Settings
from modembank.store.database import Database
from tests.support.database_fixtures import database, database_url, postgres_socket, sqlite_template
from tests.support.rack import Rack, running

__all__ = ["database", "database_url", "postgres_socket", "sqlite_template"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
async def rack(database: Database, settings: Settings) -> AsyncIterator[Rack]:
    """4 ready modems with a SIM each; the bank knows them."""
    async with running(database, settings, 4) as made:
        yield made


@pytest.fixture
async def full_rack(database: Database, settings: Settings) -> AsyncIterator[Rack]:
    """The same with 16."""
    async with running(database, settings, 16) as made:
        yield made

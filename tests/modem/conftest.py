"""One emulator for all tests here; each test takes modems of its own, so that none disturbs another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count

import pytest
import pytest_asyncio

from tests.support.emulator import RunningEmulator, start_emulator

MODEMS = 72
PARTY_SPEED = 8.0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningEmulator]:
    """An emulator whose far parties are eight times as fast."""
    folder = tmp_path_factory.mktemp("bank")
    async with start_emulator(folder, modems=MODEMS, party_speed=PARTY_SPEED) as running:
        yield running


@pytest.fixture(scope="session")
def next_modem() -> Callable[[], int]:
    """Gives the index of a modem that no other test has."""
    return count().__next__

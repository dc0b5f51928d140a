"""One emulator for the tests of a file; each test takes modems of its own, so that none disturbs another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count

import pytest
import pytest_asyncio

from tests.support.emulator import RunningEmulator, start_emulator

MODEMS = 48
PARTY_SPEED = 4.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningEmulator]:
    """An emulator whose far parties are four times as fast."""
    folder = tmp_path_factory.mktemp("bank")
    async with start_emulator(folder, modems=MODEMS, party_speed=PARTY_SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def next_modem() -> Callable[[], int]:
    """Gives the index of a modem that no other test has."""
    return count().__next__

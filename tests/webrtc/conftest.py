"""Fixtures of the media tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from modembank.call.engine import EngineChoice
from modembank.call.media import MediaSettings
from modembank.media.records import RATE_HZ
from tests.support.media_call import Call


@pytest.fixture(params=[EngineChoice.NATIVE, EngineChoice.PYTHON])
def choice(request: pytest.FixtureRequest) -> EngineChoice:
    """Every test of the voice runs on both engines."""
    return EngineChoice(request.param)


@pytest.fixture
async def call_with(choice: EngineChoice) -> AsyncIterator[Callable[..., Awaitable[Call]]]:
    """Open calls; with `ticking=False` the modem's clock stands still."""
    calls: list[Call] = []

    async def make(settings: MediaSettings | None = None, *, ticking: bool = True, rate_hz: int = RATE_HZ) -> Call:
        call = Call(settings or MediaSettings(), choice, rate_hz)
        await call.open()
        calls.append(call)
        if ticking:
            call.modem.start()
        return call

    yield make
    for call in calls:
        await call.close()

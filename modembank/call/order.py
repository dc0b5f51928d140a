"""An outbound call as ordered, and the waiting that goes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An outbound call as ordered; times in seconds."""

    number: str
    timeout_s: float
    max_duration_s: float
    offer: str | None
    media_first: bool


async def within(work: Awaitable[object], seconds: float) -> bool:
    """Whether the work was done in time."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return False
    return True

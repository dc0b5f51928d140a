"""What holds for all tests."""

from __future__ import annotations

import asyncio

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Tell asyncio that there is no loop outside a test.

    looptime asks the policy for the current loop before synchronous tests too; without this, the policy makes one that
    nobody closes, and warnings are errors here.
    """
    asyncio.set_event_loop(None)

"""What holds for all tests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Here, since an option must be known before the folder that uses it is looked at."""
    parser.addoption(
        "--hil", type=Path, metavar="RACK.toml", help="run the tests marked hil on the real modems of this rack file"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell asyncio that there is no loop outside a test.

    looptime asks the policy for the current loop before synchronous tests too; without this, the policy makes one that
    nobody closes, and warnings are errors here.
    """
    asyncio.set_event_loop(None)

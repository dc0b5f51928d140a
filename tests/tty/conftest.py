"""Real ptys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.pty_port import Pty


@pytest.fixture
def pty_port() -> Iterator[Pty]:
    """One port."""
    port = Pty()
    yield port
    port.vanish()

"""How the parts of the driver reach the channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from modembank.at.command import AtCommand


class Ask(Protocol):
    """Runs one command on the modem's channel; raises what `AtChannel.run` raises."""

    async def __call__(self, command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        """Return the information text."""

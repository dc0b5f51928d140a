"""Runs a modem's driver, and again whenever the doctor says so; a driver that failed stays down until then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from modembank.bus.vocabulary import Trouble
from modembank.errors import (
    ModembankError,
    ModemFloodError,
    ModemSilentError,
    PortError,
    PortHangsError,
    PortLostError,
    PortMissingError,
)
from modembank.host.vitals import Fall

log = logging.getLogger(__name__)

# What each failure of the driver means; the rest is a modem that cannot be set up.
_TROUBLES: tuple[tuple[type[ModembankError], Trouble], ...] = (
    (PortHangsError, Trouble.PORT_HANGS),
    (ModemSilentError, Trouble.SILENT),
    (ModemFloodError, Trouble.NOISY),
    (PortLostError, Trouble.PORT_LOST),
    (PortMissingError, Trouble.PORT_LOST),
    (PortError, Trouble.PORT_REFUSED),
)


def trouble_of(error: ModembankError) -> Trouble:
    """Return what the driver's failure means for healing."""
    return next((trouble for kind, trouble in _TROUBLES if isinstance(error, kind)), Trouble.NOT_STARTING)


class Driver:
    """Starts a coroutine function over and over. `fall` says why the last one failed, None while it runs."""

    def __init__(self, name: str, start: Callable[[], Coroutine[None, None, None]]) -> None:
        self._name = name
        self._start = start
        self._may_run = asyncio.Event()
        self._may_run.set()
        self._running: asyncio.Task[None] | None = None
        self.fall: Fall | None = None

    async def wait(self) -> None:
        """Wait until it may run."""
        await self._may_run.wait()

    async def run_once(self) -> Fall | None:
        """Run until the driver fails (and return why) or is stopped by `stop`."""
        self.fall = None
        self._running = asyncio.create_task(self._start(), name=f"driver:{self._name}")
        try:
            await asyncio.wait({self._running})
        finally:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._running.cancelled():
            return None
        error = self._running.exception()
        self._may_run.clear()
        if isinstance(error, ModembankError):
            trouble, detail = trouble_of(error), str(error)
        else:  # supervisor: one broken modem must not take the host down
            log.error("modem %s: unexpected failure", self._name, exc_info=error)
            trouble, detail = Trouble.NOT_STARTING, f"internal error: {error!r}"
        log.warning("modem %s failed: %s", self._name, detail)
        self.fall = Fall(trouble, asyncio.get_running_loop().time(), detail)
        return self.fall

    async def stop(self) -> None:
        """End the driver, in good order; it stays down."""
        self._may_run.clear()
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait({self._running})
        self.fall = None

    def let_run(self) -> None:
        """It may run (again)."""
        self._may_run.set()

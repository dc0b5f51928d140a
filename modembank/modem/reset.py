"""The two resets that a modem does itself: its radio off and on, and a restart of all of it.

Source: 3GPP TS 27.007 section 8.2 (+CFUN).
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from modembank.at import command as at
from modembank.errors import AtResultError, AtTimeoutError
from modembank.modem.ask import Ask
from modembank.modem.timings import ModemTimings
from modembank.tty.transport import TransportOpener

_UNHEARD = b"\x1b\rAT+CFUN=1,1\r"  # ESC ends a prompt, the first CR half a line
_HEARING_S = 1.0  # a close throws away what a slow modem has not taken yet


async def cycle_radio(ask: Ask, timings: ModemTimings) -> None:
    """Minimum functionality, then full. Raises AtTimeoutError, AtResultError, PortLostError: it may be off now."""
    with contextlib.suppress(AtResultError, AtTimeoutError):  # not all have 0; switching on is what counts
        await ask(at.MINIMUM)
    await asyncio.sleep(timings.radio_off_s)
    await ask(at.RADIO_ON)


async def restart(ask: Ask) -> None:
    """Ask for a restart; the port goes away seconds later. Raises AtResultError, PortLostError."""
    with contextlib.suppress(AtTimeoutError):  # some are gone before they could say OK
        await ask(at.RESTART)


async def restart_unheard(opener: TransportOpener, path: Path) -> None:
    """Write the restart to a modem that cannot answer: it may hear all the same. Raises PortError."""
    transport = await opener(path, _Deaf())
    try:
        transport.write(_UNHEARD)
        await asyncio.sleep(_HEARING_S)
    finally:
        transport.close()


class _Deaf:
    """Listens to a port whose modem has nothing to say."""

    def data_received(self, data: bytes) -> None:
        """Not looked at."""

    def connection_lost(self, error: Exception | None) -> None:
        """That is what was asked for."""

"""The ladder that ends a call for sure. Source: 3GPP TS 27.007 sections 6.5 (+CHUP), 7.13 (+CHLD), 8.2 (+CFUN)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from modembank.at import command as at
from modembank.at.calls import CurrentCall
from modembank.at.command import AtCommand
from modembank.errors import AtResultError, AtTimeoutError
from modembank.modem.ask import Ask
from modembank.modem.timings import ModemTimings

_log = logging.getLogger(__name__)

Gone = Callable[[], Awaitable[bool]]
ListCalls = Callable[[], Awaitable[tuple[CurrentCall, ...]]]


async def release(ask: Ask, first: AtCommand, gone: Gone, list_calls: ListCalls | None, timings: ModemTimings) -> bool:
    """Climb until `gone`: the family's own command, +CHLD=1x for each call, radio off and on.

    Without `list_calls` the second rung is left out: there are modems that hang on it.
    Returns False when even the radio was not obeyed in time: without its radio the modem can carry no call, but
    nothing has confirmed the end. Raises PortLostError, AtError.
    """
    if await _try(ask, (first,), gone, timings):
        return True
    if list_calls is not None:
        _log.warning("a call outlived %s; it is released by its index", first.text)
        by_index = tuple(at.release_call(call.index) for call in await list_calls())
        if await _try(ask, by_index, gone, timings):
            return True
    _log.error("a call outlived every release; the radio is switched off and on")
    await _send(ask, at.RADIO_OFF)
    await asyncio.sleep(timings.radio_off_s)
    return await _try(ask, (at.RADIO_ON,), gone, timings)


async def _try(ask: Ask, commands: tuple[AtCommand, ...], gone: Gone, timings: ModemTimings) -> bool:
    for command in commands:
        await _send(ask, command)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timings.hang_up_s):
            while not await gone():  # noqa: ASYNC110  # the modem has no event for it
                await asyncio.sleep(timings.absent_s)
            return True
    return False


async def _send(ask: Ask, command: AtCommand) -> None:
    """A refused release is no reason to stop: the call may be gone already."""
    with contextlib.suppress(AtResultError, AtTimeoutError):
        await ask(command)

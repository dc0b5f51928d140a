"""Calls into the kernel that may hang for ever, made in threads that may be left behind.

A USB serial port can block in open and close beyond every timeout; executor threads would be waited for at
exit, daemon threads are not.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from modembank.errors import PortHangsError

_T = TypeVar("_T")

PROVE_S = 5.0  # an honest port opens within milliseconds


async def run_abandonable(call: Callable[[], _T], timeout_s: float, discard: Callable[[_T], None] | None = None) -> _T:
    """Run `call` in its own daemon thread; leave the thread behind when the time is up.

    `discard` gets a result that came too late, in that thread, so that nothing leaks.

    Raises: TimeoutError, and whatever `call` raises.
    """
    future: concurrent.futures.Future[_T] = concurrent.futures.Future()

    def work() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  # handed over to the awaiting task
            future.set_exception(error)

    threading.Thread(target=work, name="tty-open", daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(asyncio.wrap_future(future))
    except (TimeoutError, asyncio.CancelledError):
        if discard is not None:
            future.add_done_callback(lambda late: late.exception() is None and discard(late.result()))
        raise


async def prove_port(path: Path, timeout_s: float = PROVE_S) -> None:
    """Make sure that opening `path` does not hang, before somebody opens it where all others would wait for it.

    Whatever else is wrong with it, the one who opens it finds out. Raises PortHangsError.
    """
    try:
        probe = await run_abandonable(
            lambda: os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), timeout_s, os.close
        )
    except TimeoutError:
        raise PortHangsError(f"{path} did not open within {timeout_s:g} s; unplug the modem and plug it in") from None
    except OSError:
        return
    threading.Thread(target=os.close, args=(probe,), name="tty-close", daemon=True).start()

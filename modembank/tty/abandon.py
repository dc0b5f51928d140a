"""Calls into the kernel that may hang for ever, made in threads that may be left behind.

A USB serial port can block in open and close beyond every timeout; executor threads would be waited for at
exit, daemon threads are not.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


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

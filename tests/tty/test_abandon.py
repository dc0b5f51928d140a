"""A call that hangs in the kernel blocks nobody."""

from __future__ import annotations

import threading

import pytest

from modembank.tty.abandon import run_abandonable


async def test_the_result_and_the_error_of_a_call() -> None:
    assert await run_abandonable(lambda: 7, 10) == 7
    with pytest.raises(OSError, match="gone"):
        await run_abandonable(_fail, 10)


def _fail() -> int:
    raise OSError("gone")


async def test_a_hanging_call_is_left_behind_and_its_late_result_thrown_away() -> None:
    release, thrown_away = threading.Event(), threading.Event()
    discarded: list[int] = []

    def hang() -> int:
        release.wait(60)
        return 42

    def discard(result: int) -> None:
        discarded.append(result)
        thrown_away.set()

    with pytest.raises(TimeoutError):
        await run_abandonable(hang, 0.05, discard)
    release.set()
    assert thrown_away.wait(20)
    assert discarded == [42]

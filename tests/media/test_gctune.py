"""The collector's settings after start."""

from __future__ import annotations

import gc

from modembank.media.gctune import settle_gc


def test_what_was_alive_is_not_walked_again() -> None:
    before = gc.get_threshold()
    try:
        settle_gc()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)

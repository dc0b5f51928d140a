"""Keeps the history of signal and registration: a sample of each modem a step, changes as they come, none for ever."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from modembank.bank.inventory import Inventory
from modembank.bank.radio import RadioKind, RadioMoment, moments, sample
from modembank.bank.records import Page
from modembank.config import SimSettings
from modembank.errors import RequestError, StoreError
from modembank.store.database import Database
from modembank.store.radio import RadioFilter, add_radio, prune_radio, radio_rows

log = logging.getLogger(__name__)

# What one page may read: a month of one modem at the usual step is 8640 rows.
MOST_ROWS = 10_000


class RadioHistory:
    """Samples all modems at one rate, so that a modem that chatters costs no more than a quiet one."""

    def __init__(self, settings: SimSettings, database: Database, inventory: Inventory) -> None:
        self._settings = settings
        self._database = database
        self._inventory = inventory

    async def run(self) -> None:
        """Sample until cancelled; while the database is away samples are left out."""
        while True:
            await asyncio.sleep(self._settings.history_step_s)
            try:
                await self.sample(datetime.now(UTC))
            except StoreError as error:
                log.warning("the signal was not sampled: %s", error)
            except Exception:  # supervisor: one bad row must not end the history of all modems
                log.exception("the signal was not sampled")

    async def sample(self, now: datetime) -> None:
        """Write one sample of each modem that has a SIM, and forget what is too old. Raises StoreError."""
        rows = [sample(live, now) for live in self._inventory.everything() if live.sim is not None]
        async with self._database.write() as session:
            await add_radio(session, rows)
            oldest = now - timedelta(days=self._settings.history_days)
            for kind in RadioKind:
                await prune_radio(session, kind, oldest)

    async def read(self, wanted: RadioFilter, cursor: str | None, step_s: float, limit: int) -> Page[RadioMoment]:
        """One page, oldest first. Raises RequestError: the cursor is none of ours."""
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise RequestError("the cursor is not one that this list gave")
        place = RadioFilter(
            modem_id=wanted.modem_id,
            sim_id=wanted.sim_id,
            since=wanted.since,
            until=wanted.until,
            after=int(cursor or 0),
        )
        async with self._database.read() as session:
            rows = await radio_rows(session, place, MOST_ROWS + 1)
        more = len(rows) > MOST_ROWS
        found, used = moments(rows[:MOST_ROWS], step_s, limit)
        end = used == len(rows[:MOST_ROWS]) and not more
        return Page(data=tuple(found), next_cursor=None if end else str(rows[used - 1].seq))

"""What is left on a SIM: the operator's USSD code, and where its answer tells the amount."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.message_records import UssdRequest, UssdStatus
from modembank.bank.records import SimRecord
from modembank.bank.ussd import UssdService
from modembank.bank.ussd_codes import read_amount, rule_for
from modembank.bank.views import sim_record
from modembank.bank.wire import rfc3339
from modembank.bus.vocabulary import ModemState
from modembank.config import BalanceRule, BalanceSettings
from modembank.errors import ModembankError, NotFoundError
from modembank.store import sims as sim_rows
from modembank.store.database import Database
from modembank.store.models import SimRow

log = logging.getLogger(__name__)

LOOK_S = 60.0  # how late a refresh may be
# A SIM whose balance could not be read is asked again after this.
AGAIN = timedelta(hours=1)
ACTOR = "balance"


class Balances:
    """Reads balances on demand and, when the settings say so, again and again."""

    def __init__(
        self, settings: BalanceSettings, database: Database, journal: Journal, inventory: Inventory, ussd: UssdService
    ) -> None:
        self._settings = settings
        self._database = database
        self._journal = journal
        self._inventory = inventory
        self._ussd = ussd
        self._tried: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look after all balances, if a period is set."""
        if self._settings.refresh_h:
            self._task = asyncio.create_task(self._refresh_regularly(), name="bank-balances")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def read(self, sim_id: str, *, actor: str) -> SimRecord:
        """Ask the operator, and write the amount to the SIM.

        Raises:
            NotFoundError: no such SIM, or its operator has no rule.
            BalanceUnknownError: the answer does not fit the rule.
            NoSimAvailableError, WrongStateError, UssdTimeoutError and others: like `UssdService.run`.
        """
        async with self._database.read() as session:
            sim = await sim_rows.get_sim(session, sim_id)
        if sim is None:
            raise NotFoundError(f"there is no SIM {sim_id}")
        rule = self._rule(sim)
        if rule is None:
            raise NotFoundError("balance.rules has no rule for the operator of this SIM")
        run = await self._ussd.run_allowed(UssdRequest(code=rule.code, from_=sim_id), actor=actor)
        if run.session.status is UssdStatus.WAITING:
            with contextlib.suppress(ModembankError):  # it ends by itself when nobody answers
                await self._ussd.cancel(run.session.id)
        amount = read_amount(run.session.text or "", rule)
        now = datetime.now(UTC)
        async with self._journal.transaction() as transaction:
            row = await sim_rows.get_sim(transaction.session, sim_id, lock=True)
            assert row is not None, "SIMs are never deleted"
            row.balance = {"amount": str(amount), "unit": rule.unit, "at": rfc3339(now)}
            live = self._inventory.holder(row.iccid)
            transaction.emit_sim(now, row, live)
        return sim_record(row, live)

    def _rule(self, sim: SimRow) -> BalanceRule | None:
        live = self._inventory.holder(sim.iccid)
        return rule_for(self._settings.rules, sim.imsi, live.snapshot.plmn if live else None)

    async def _refresh_regularly(self) -> None:
        while True:
            try:
                await self._refresh()
            except ModembankError as error:
                log.warning("balances were not looked at: %s", error)
            except Exception:
                log.exception("balances were not looked at")
            await asyncio.sleep(LOOK_S)

    async def _refresh(self) -> None:
        """One SIM after the other: nobody is in a hurry."""
        async with self._database.read() as session:
            sims = await sim_rows.all_sims(session)
        for sim in sims:
            now = datetime.now(UTC)
            if not self._due(sim, now):
                continue
            self._tried[sim.id] = now
            try:
                await self.read(sim.id, actor=ACTOR)
            except ModembankError as error:
                log.info("the balance of SIM %s could not be read: %s", sim.id, error)

    def _due(self, sim: SimRow, now: datetime) -> bool:
        live = self._inventory.holder(sim.iccid)
        if live is None or live.snapshot.state is not ModemState.READY or not sim.enabled or self._rule(sim) is None:
            return False
        if sim.id in self._tried and now - self._tried[sim.id] < AGAIN:
            return False
        read_at = datetime.fromisoformat(str(sim.balance["at"])) if sim.balance else None
        return read_at is None or now - read_at >= timedelta(hours=self._settings.refresh_h)

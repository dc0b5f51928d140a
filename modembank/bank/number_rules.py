"""A SIM's own number by USSD: asked of its operator when neither a person nor the card told it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.message_records import UssdRequest, UssdStatus
from modembank.bank.policy import VOICE_REGISTRATIONS
from modembank.bank.sim_records import NumberSource
from modembank.bank.ussd import UssdService
from modembank.bank.ussd_codes import read_own_number, rule_for
from modembank.bus.vocabulary import ModemState
from modembank.config import NumberRule, Settings
from modembank.errors import ModembankError, NoSimAvailableError, SimNotReadyError, WrongStateError
from modembank.store import sims as sim_rows
from modembank.store.database import Database
from modembank.store.models import SimRow

log = logging.getLogger(__name__)

LOOK_S = 10.0  # how late a new SIM may be asked
# Numbers change when a contract does; a code that its operator does not answer is no better an hour later.
AGAIN = timedelta(days=7)
# The SIM was in use or not there: nothing was asked.
NOT_ASKED_AGAIN = timedelta(minutes=10)
NOT_ASKED = (NoSimAvailableError, SimNotReadyError, WrongStateError)
# Abroad a code may cost money.
HOME = frozenset(name for name in VOICE_REGISTRATIONS if name.startswith("home"))
ACTOR = "own_number"


class NumberAsker:
    """Asks for the own numbers of SIMs, one after the other, each once and then at most weekly."""

    def __init__(
        self, settings: Settings, database: Database, journal: Journal, inventory: Inventory, ussd: UssdService
    ) -> None:
        self._rules = settings.sims.number_rules
        self._country = settings.country
        self._database = database
        self._journal = journal
        self._inventory = inventory
        self._ussd = ussd
        self._not_before: dict[str, datetime] = {}  # SIM ids that could not be asked

    async def run(self) -> None:
        """Look after own numbers until cancelled; without rules there is nothing to do."""
        while self._rules:
            try:
                await self._look()
            except ModembankError as error:
                log.warning("own numbers were not looked at: %s", error)
            except Exception:  # supervisor: one bad row must not end it for all SIMs
                log.exception("own numbers were not looked at")
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        async with self._database.read() as session:
            sims = await sim_rows.all_sims(session)
        for sim in sims:
            now = datetime.now(UTC)
            rule = self._rule(sim, now)
            if rule is None:
                continue
            try:
                number = await self._ask(sim.id, rule)
            except NOT_ASKED as error:
                self._not_before[sim.id] = now + NOT_ASKED_AGAIN
                log.info("SIM %s could not be asked for its number: %s", sim.id, error)
                continue
            except ModembankError as error:
                log.warning("the own number of SIM %s stays unknown: %s", sim.id, error)
                number = None
            await self._keep(sim.id, number, datetime.now(UTC))

    def _rule(self, sim: SimRow, now: datetime) -> NumberRule | None:
        """The rule by which to ask this SIM now."""
        live = self._inventory.holder(sim.iccid)
        if live is None or live.snapshot.state is not ModemState.READY or live.snapshot.registration not in HOME:
            return None
        asked_lately = sim.number_asked_at is not None and now - sim.number_asked_at < AGAIN
        if not sim.enabled or not _is_open(sim) or asked_lately or now < self._not_before.get(sim.id, now):
            return None
        return rule_for(self._rules, sim.imsi, live.snapshot.plmn)

    async def _ask(self, sim_id: str, rule: NumberRule) -> str:
        run = await self._ussd.run_allowed(UssdRequest(code=rule.code, from_=sim_id), actor=ACTOR)
        if run.session.status is UssdStatus.WAITING:
            with contextlib.suppress(ModembankError):  # it ends by itself when nobody answers
                await self._ussd.cancel(run.session.id)
        return read_own_number(run.session.text or "", rule, self._country)

    async def _keep(self, sim_id: str, number: str | None, at: datetime) -> None:
        """A number that a person or the card told meanwhile stays, and so does one that was not told again."""
        async with self._journal.transaction() as transaction:
            row = await sim_rows.get_sim(transaction.session, sim_id, lock=True)
            assert row is not None, "SIMs are never deleted"
            row.number_asked_at = at
            if number is None or not _is_open(row) or number == row.number:
                return
            row.number, row.number_source = number, NumberSource.USSD
            if row.suggested_number == number:
                row.suggested_number = row.suggested_by = None
            transaction.emit_sim(at, row, self._inventory.holder(row.iccid))
            transaction.after_commit.append(lambda: self._inventory.renamed_sim(row))


def _is_open(sim: SimRow) -> bool:
    """Whether neither a person nor the card told the number."""
    return sim.number is None or (not sim.number_by_person and sim.number_source == NumberSource.USSD)

"""SIMs and modems as front ends read and change them, and the console of one modem."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from modembank.at.console import check_console_line
from modembank.at.mask import mask
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.numbers import parse_dialable
from modembank.bank.records import ModemPatch, ModemRecord, Page, PageQuery, SimPatch, SimRecord
from modembank.bank.replies import error_from
from modembank.bank.sim_records import OperatorPatch
from modembank.bank.views import modem_record, sim_record
from modembank.bus.bus import Bus
from modembank.bus.commands import (
    AnyCommand,
    AnyReply,
    AtReply,
    ReadTrace,
    Refused,
    ReleaseModem,
    RunAt,
    Trace,
    TraceLine,
)
from modembank.config import Settings
from modembank.errors import HostError, NotFoundError
from modembank.store import modems as modem_rows
from modembank.store import sims as sim_rows
from modembank.store.audit import add_audit
from modembank.store.database import Database
from modembank.store.models import ModemRow, SimRow

RowT = TypeVar("RowT")

# `+COPS=?` by the unrestricted console scans for three minutes. Source: Quectel EC2x AT manual, section 6.1.
CONSOLE_DEADLINE_S = 200.0


class Catalogue:
    """Lists, single records, patches; every change and every console line is audited."""

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, journal: Journal, inventory: Inventory
    ) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory

    async def list_sims(self, query: PageQuery) -> Page[SimRecord]:
        """One page of SIMs in the order they were first seen."""
        async with self._database.read() as session:
            rows = await sim_rows.page_of_sims(session, query.limit + 1, query.cursor)
        records = tuple(self._sim(row) for row in rows[: query.limit])
        return Page(data=records, next_cursor=records[-1].id if len(rows) > query.limit else None)

    async def get_sim(self, sim_id: str) -> SimRecord:
        """One SIM. Raises NotFoundError."""
        async with self._database.read() as session:
            return self._sim(_found(await sim_rows.get_sim(session, sim_id), "SIM", sim_id))

    async def patch_sim(self, sim_id: str, patch: SimPatch, actor: str) -> SimRecord:
        """Change what a person may change of a SIM. Raises NotFoundError, InvalidNumberError."""
        number = patch.number
        if number:
            number = parse_dialable(number, self._settings.country, self._settings.calls).number
        async with self._journal.transaction() as transaction:
            row = _found(await sim_rows.get_sim(transaction.session, sim_id, lock=True), "SIM", sim_id)
            row.label = row.label if patch.label is None else patch.label
            row.tags = row.tags if patch.tags is None else list(patch.tags)
            row.enabled = row.enabled if patch.enabled is None else patch.enabled
            row.notes = row.notes if patch.notes is None else patch.notes
            if number is not None:
                row.number, row.number_by_person = number or None, bool(number)
                row.suggested_number = row.suggested_by = None
            if patch.operators is not None:
                _set_operators(row, patch.operators)
            transaction.emit_sim(datetime.now(UTC), row, self._inventory.holder(row.iccid))
            await add_audit(transaction.session, actor, "sim.patch", sim_id)
            transaction.after_commit.append(lambda: self._inventory.renamed_sim(row))
        return self._sim(row)

    async def list_modems(self, query: PageQuery) -> Page[ModemRecord]:
        """One page of modems in the order they were first seen."""
        async with self._database.read() as session:
            rows = await modem_rows.page_of_modems(session, query.limit + 1, query.cursor)
        records = tuple(self._modem(row) for row in rows[: query.limit])
        return Page(data=records, next_cursor=records[-1].id if len(rows) > query.limit else None)

    async def get_modem(self, modem_id: str) -> ModemRecord:
        """One modem. Raises NotFoundError."""
        return self._modem(await self._modem_row(modem_id))

    async def patch_modem(self, modem_id: str, patch: ModemPatch, actor: str) -> ModemRecord:
        """Change what a person may change of a modem. Raises NotFoundError."""
        async with self._journal.transaction() as transaction:
            row = _found(await modem_rows.get_modem(transaction.session, modem_id, lock=True), "modem", modem_id)
            row.label = row.label if patch.label is None else patch.label
            row.tags = row.tags if patch.tags is None else list(patch.tags)
            row.enabled = row.enabled if patch.enabled is None else patch.enabled
            row.notes = row.notes if patch.notes is None else patch.notes
            live, healing = self._inventory.of_modem(modem_id), self._inventory.healing(row.host_id, modem_id)
            transaction.emit_modem("modem.changed", datetime.now(UTC), row, live, healing)
            await add_audit(transaction.session, actor, "modem.patch", modem_id)
            transaction.after_commit.append(lambda: self._inventory.renamed_modem(row))
        return self._modem(row)

    async def release_modem(self, modem_id: str, actor: str) -> ModemRecord:
        """End a modem's quarantine. Raises NotFoundError, WrongStateError, HostError."""
        row = await self._modem_row(modem_id)
        await self._ask(row, ReleaseModem(usb_path=row.usb_path))
        async with self._database.write() as session:
            await add_audit(session, actor, "modem.release", modem_id)
        return self._modem(row)

    async def modem_trace(self, modem_id: str, limit: int, *, transcript: bool = False) -> tuple[TraceLine, ...]:
        """The newest lines of a modem's AT trace, masked or redacted, oldest first. Raises NotFoundError, HostError."""
        row = await self._modem_row(modem_id)
        reply = await self._ask(row, ReadTrace(usb_path=row.usb_path, limit=limit, transcript=transcript))
        if not isinstance(reply, Trace):
            raise HostError(f"host {row.host_id} gave no trace")
        return reply.lines

    async def run_at(self, modem_id: str, line: str, unrestricted: bool, actor: str) -> tuple[str, ...]:
        """Send one command to a modem and return its answer. Raises AtRefusedError, NotFoundError, HostError."""
        checked = check_console_line(line, unrestricted=unrestricted)
        row = await self._modem_row(modem_id)
        async with self._database.write() as session:
            await add_audit(session, actor, "modem.at", f"{modem_id} {mask(checked)}")
        command = RunAt(usb_path=row.usb_path, line=checked, unrestricted=unrestricted, deadline_s=CONSOLE_DEADLINE_S)
        reply = await self._ask(row, command)
        if not isinstance(reply, AtReply):
            raise HostError(f"host {row.host_id} gave no answer of the modem")
        return reply.lines

    async def _ask(self, row: ModemRow, command: AnyCommand) -> AnyReply:
        reply = await self._bus.request(row.host_id, command)
        if isinstance(reply, Refused):
            raise error_from(reply)
        return reply

    async def _modem_row(self, modem_id: str) -> ModemRow:
        async with self._database.read() as session:
            return _found(await modem_rows.get_modem(session, modem_id), "modem", modem_id)

    def _sim(self, row: SimRow) -> SimRecord:
        return sim_record(row, self._inventory.holder(row.iccid))

    def _modem(self, row: ModemRow) -> ModemRecord:
        return modem_record(row, self._inventory.of_modem(row.id), self._inventory.healing(row.host_id, row.id))


def _set_operators(row: SimRow, patch: OperatorPatch) -> None:
    row.roaming = patch.roaming if patch.set_roaming else row.roaming
    row.allowed_operators = row.allowed_operators if patch.allowed is None else list(patch.allowed)
    row.forbidden_operators = row.forbidden_operators if patch.forbidden is None else list(patch.forbidden)


def _found(row: RowT | None, kind: str, row_id: str) -> RowT:
    if row is None:
        raise NotFoundError(f"there is no {kind} {row_id}")
    return row

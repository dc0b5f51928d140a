"""Forwardings and operators of SIMs: what hosts tell of them, and what persons do about them.

A forwarding that nobody knows of is a fraud: calls to the SIM, and codes that are spoken to it, go elsewhere, and the
SIM pays for the way. So every change is an event, and one that is active an alarm.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, Transaction
from modembank.bank.records import SimRecord
from modembank.bank.replies import error_from
from modembank.bank.views import Live, sim_record
from modembank.bus.bus import Bus
from modembank.bus.commands import AnyReply, ClearForwarding, Forwardings, ReadForwarding, Refused, SelectOperator
from modembank.bus.events import ForwardedTo, SimForwarding
from modembank.errors import HostError, NotFoundError, WrongStateError
from modembank.store import sims as sim_rows
from modembank.store.audit import add_audit
from modembank.store.database import Database
from modembank.store.models import JsonData, SimRow

log = logging.getLogger(__name__)

# Four questions to the network, of at most 40 s each; clearing asks them after four commands.
READ_DEADLINE_S = 170.0
CLEAR_DEADLINE_S = 330.0
SELECT_DEADLINE_S = 190.0  # the modem scans all bands


async def record_forwarding(transaction: Transaction, inventory: Inventory, event: SimForwarding) -> None:
    """Write down what a network forwards, and tell when that changed."""
    row = await sim_rows.sim_by_iccid(transaction.session, event.iccid, lock=True)
    if row is None:
        log.warning("forwarding of a SIM that was never seen, in %s", event.usb_path)
        return
    told = _kept(event.active)
    changed = told != (row.forwarding or {})
    row.forwarding, row.forwarding_at = told, event.at
    live = inventory.holder(event.iccid)
    if not changed:
        return
    if told:
        log.warning("SIM %s: calls are forwarded elsewhere: %s", row.id, ", ".join(told))
    transaction.emit_sim_alarm("sim.forwarding", event.at, row, live, active=bool(told))


def _kept(active: tuple[ForwardedTo, ...]) -> dict[str, JsonData]:
    return {one.reason: one.number for one in active}


class SimDoctor:
    """What persons do about forwardings and operators; each deed is audited."""

    def __init__(self, database: Database, bus: Bus, journal: Journal, inventory: Inventory) -> None:
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory

    async def read_forwarding(self, sim_id: str) -> SimRecord:
        """Ask the network now. Raises NotFoundError, WrongStateError, HostError and the modem's errors."""
        row, live = await self._here(sim_id)
        command = ReadForwarding(usb_path=live.snapshot.usb_path, iccid=row.iccid, deadline_s=READ_DEADLINE_S)
        return await self._forwardings(sim_id, live, command)

    async def clear_forwarding(self, sim_id: str, actor: str) -> SimRecord:
        """Erase all forwardings; raises like `read_forwarding`."""
        row, live = await self._here(sim_id)
        await self._audit(actor, "sim.forwarding.clear", sim_id)
        command = ClearForwarding(usb_path=live.snapshot.usb_path, iccid=row.iccid, deadline_s=CLEAR_DEADLINE_S)
        return await self._forwardings(sim_id, live, command)

    async def select_operator(self, sim_id: str, plmn: str | None, actor: str) -> SimRecord:
        """Bind the modem to one operator, or let it choose; raises like `read_forwarding`, RequestError."""
        row, live = await self._here(sim_id)
        await self._audit(actor, "sim.operator", f"{sim_id} {plmn or 'automatic'}")
        place = live.snapshot.usb_path
        await self._ask(live, SelectOperator(usb_path=place, iccid=row.iccid, plmn=plmn, deadline_s=SELECT_DEADLINE_S))
        return await self._record(sim_id)

    async def _forwardings(self, sim_id: str, live: Live, command: ReadForwarding | ClearForwarding) -> SimRecord:
        """Write the answer down here and now: the host's event of it waits in the bus."""
        reply = await self._ask(live, command)
        if not isinstance(reply, Forwardings):
            raise HostError(f"host {live.host_id} did not tell of forwardings")
        event = SimForwarding(
            host_id=live.host_id,
            at=datetime.now(UTC),
            usb_path=command.usb_path,
            iccid=command.iccid,
            active=reply.active,
        )
        async with self._journal.transaction() as transaction:
            await record_forwarding(transaction, self._inventory, event)
        return await self._record(sim_id)

    async def _here(self, sim_id: str) -> tuple[SimRow, Live]:
        row = await self._row(sim_id)
        live = self._inventory.holder(row.iccid)
        if live is None:
            raise WrongStateError(f"SIM {sim_id} is in no modem now")
        return row, live

    async def _audit(self, actor: str, action: str, detail: str) -> None:
        async with self._database.write() as session:
            await add_audit(session, actor, action, detail)

    async def _ask(self, live: Live, command: ReadForwarding | ClearForwarding | SelectOperator) -> AnyReply:
        reply = await self._bus.request(live.host_id, command)
        if isinstance(reply, Refused):
            raise error_from(reply)
        return reply

    async def _row(self, sim_id: str) -> SimRow:
        async with self._database.read() as session:
            row = await sim_rows.get_sim(session, sim_id)
        if row is None:
            raise NotFoundError(f"there is no SIM {sim_id}")
        return row

    async def _record(self, sim_id: str) -> SimRecord:
        row = await self._row(sim_id)
        return sim_record(row, self._inventory.holder(row.iccid))

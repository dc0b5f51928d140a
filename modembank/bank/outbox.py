"""Outgoing messages: each SIM's queue in the database, its parts handed over one by one.

A part is committed as `sending` before it is handed over, and what became of it is committed before the next one. So a
crash at any moment leaves at most one part in doubt; it becomes `unknown` and is never sent again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, Transaction
from modembank.bank.message_records import MessageStatus, PartState
from modembank.bank.message_views import set_status
from modembank.bank.policy import MESSAGE_REGISTRATIONS
from modembank.bank.views import Live
from modembank.bus.bus import Bus
from modembank.bus.commands import Refused, SubmitPdu, Submitted
from modembank.bus.vocabulary import ModemState, SubmitOutcome
from modembank.config import MessageSettings
from modembank.errors import HostUnreachableError, StoreError
from modembank.sms.causes import cms_words, is_temporary
from modembank.store import messages as rows
from modembank.store.database import Database
from modembank.store.message_models import MessagePartRow, MessageRow

log = logging.getLogger(__name__)

# News wake the outbox; this is for what nobody tells, such as a pause that is over.
RESCAN_S = 1.0
# The driver waits 60 s for the network from the moment the PDU was written, and before that for a USSD exchange.
SUBMIT_DEADLINE_S = 150.0
# The modem was in a call, restarted, or gone: it is asked again soon, until `give_up_after_s`.
NOT_WRITTEN_S = 2.0
RETRY_STORE_S = (0.1, 0.5, 1.0, 2.0, 5.0)
_OPEN = (MessageStatus.QUEUED, MessageStatus.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part on its way."""

    part: int
    message_id: str
    sim_id: str
    host_id: str
    command: SubmitPdu


class Outbox:
    """Sends what is queued, one part at a time on each SIM, all SIMs side by side."""

    def __init__(
        self, settings: MessageSettings, database: Database, bus: Bus, journal: Journal, inventory: Inventory
    ) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self._sending: dict[str, asyncio.Task[None]] = {}  # one for each SIM at most
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def recover(self) -> None:
        """Before anything is sent: parts that were on their way when this program ended are in doubt.

        Raises:
            StoreError: the database is not there.
        """
        async with self._journal.transaction() as transaction:
            for part in await rows.interrupted_parts(transaction.session):
                reply = Submitted(outcome=SubmitOutcome.UNKNOWN, detail="the server ended before the network answered")
                await self._settle(transaction, part, reply)

    async def run(self) -> None:
        """Send until cancelled; what is on its way then is in doubt."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._start_queues()
                except StoreError as error:
                    log.warning("messages wait for the database: %s", error)
                try:
                    async with asyncio.timeout(RESCAN_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = list(self._sending.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_queues(self) -> None:
        async with self._database.read() as session:
            waiting = await rows.sims_with_work(session, datetime.now(UTC))
        for sim_id in waiting:
            if sim_id not in self._sending:
                task = asyncio.create_task(self._send_all(sim_id), name=f"outbox:{sim_id}")
                self._sending[sim_id] = task

    async def _send_all(self, sim_id: str) -> None:
        """Send what this SIM has to send now."""
        try:
            step = await self._advance(sim_id, None, None)
            while step is not None:
                reply = await self._submit(step)
                step = await self._advance(sim_id, step, reply)
        except StoreError as error:
            log.warning("messages wait for the database: %s", error)
        except Exception:
            log.exception("the messages of SIM %s could not be sent", sim_id)
        finally:
            del self._sending[sim_id]

    async def _advance(self, sim_id: str, done: Step | None, reply: Submitted | None) -> Step | None:
        """Write down what became of one part, and take the next, in one transaction.

        An outcome waits for the database as long as it takes: it must not be lost.
        """
        for attempt in count():
            try:
                async with self._journal.transaction() as transaction:
                    if done is not None and reply is not None:
                        part = await transaction.session.get(MessagePartRow, done.part)
                        if part is not None:
                            await self._settle(transaction, part, reply)
                            await transaction.session.flush()
                    return await self._take_next(transaction, sim_id)
            except StoreError as error:
                if done is None:
                    raise
                log.error("the outcome of a message waits for the database: %s", error)
                await asyncio.sleep(RETRY_STORE_S[min(attempt, len(RETRY_STORE_S) - 1)])
        raise AssertionError("count() ends never")

    async def _take_next(self, transaction: Transaction, sim_id: str) -> Step | None:
        now = datetime.now(UTC)
        while (row := await rows.next_message(transaction.session, sim_id, now)) is not None:
            if row.give_up_at is not None and row.give_up_at <= now:
                set_status(row, MessageStatus.FAILED, now, f"it could not be sent in time: {row.detail or 'SIM away'}")
                transaction.emit_message("sms.failed", now, row)
                await transaction.session.flush()
                continue
            parts = await rows.parts_of(transaction.session, [row.id])
            part = next((one for one in parts if one.state == PartState.QUEUED), None)
            live = self._ready(row)
            if part is None or live is None:
                return None
            part.state = PartState.SENDING
            row.modem_id = live.modem.id
            if row.status != MessageStatus.SENDING:
                set_status(row, MessageStatus.SENDING, now)
            return _step(row, part, live)
        return None

    def _ready(self, row: MessageRow) -> Live | None:
        """The modem that holds this message's SIM, when it can send now."""
        live = self._inventory.holder(row.sim.iccid) if row.sim is not None else None
        if live is None or not live.modem_enabled:
            return None
        snapshot = live.snapshot
        sms_only = snapshot.state is ModemState.SEARCHING and snapshot.registration in MESSAGE_REGISTRATIONS
        return live if snapshot.state is ModemState.READY or sms_only else None

    async def _submit(self, step: Step) -> Submitted:
        """Hand over. Whatever does not surely mean that nothing was sent counts as unknown."""
        try:
            reply = await self._bus.request(step.host_id, step.command)
        except HostUnreachableError as error:
            outcome = SubmitOutcome.UNKNOWN if error.handed_over else SubmitOutcome.NOT_WRITTEN
            return Submitted(outcome=outcome, detail=str(error))
        if isinstance(reply, Submitted):
            return reply
        if isinstance(reply, Refused) and reply.code != "duplicate_command":
            return Submitted(outcome=SubmitOutcome.NOT_WRITTEN, detail=reply.detail)
        return Submitted(outcome=SubmitOutcome.UNKNOWN, detail="the host gave no answer about this message")

    async def _settle(self, transaction: Transaction, part: MessagePartRow, reply: Submitted) -> None:
        row = await rows.get_message(transaction.session, part.message_id, lock=True)
        if row is None or part.state != PartState.SENDING:
            return  # a delivery report was quicker
        now = datetime.now(UTC)
        detail = reply.detail if reply.cms is None else f"{cms_words(reply.cms)} ({reply.detail})"
        if reply.outcome is SubmitOutcome.TAKEN:
            part.state, part.reference, part.taken_at = PartState.TAKEN, reply.reference, now
            _taken(transaction, row, now)
        elif reply.outcome is SubmitOutcome.UNKNOWN:
            part.state = PartState.UNKNOWN
            set_status(row, MessageStatus.UNKNOWN, now, detail)
            transaction.emit_message("sms.unknown", now, row)
        elif reply.outcome is SubmitOutcome.NOT_WRITTEN:
            part.state, row.detail = PartState.QUEUED, detail
            row.due_at = now + timedelta(seconds=NOT_WRITTEN_S)
        else:
            row.attempts += 1
            self._refused(transaction, row, part, reply.cms, detail)

    def _refused(
        self, transaction: Transaction, row: MessageRow, part: MessagePartRow, cms: int | None, detail: str
    ) -> None:
        now = datetime.now(UTC)
        row.cms = cms
        if cms is not None and is_temporary(cms) and row.attempts <= self._settings.retries:
            part.state, row.detail = PartState.QUEUED, detail
            row.due_at = now + timedelta(seconds=self._settings.retry_s * 2 ** (row.attempts - 1))
            return
        part.state = PartState.REFUSED
        set_status(row, MessageStatus.FAILED, now, detail)
        transaction.emit_message("sms.failed", now, row)


def _taken(transaction: Transaction, row: MessageRow, now: datetime) -> None:
    row.parts_done += 1
    row.cms, row.detail = None, ""
    if row.parts_done == row.parts and row.status in _OPEN:
        row.sent_at = now
        set_status(row, MessageStatus.SENT, now)
        transaction.emit_message("sms.sent", now, row)


def _step(row: MessageRow, part: MessagePartRow, live: Live) -> Step:
    command = SubmitPdu(
        usb_path=live.snapshot.usb_path,
        iccid=live.snapshot.iccid or "",
        pdu=part.pdu,
        length=part.length,
        deadline_s=SUBMIT_DEADLINE_S,
    )
    return Step(part=part.seq, message_id=row.id, sim_id=part.sim_id, host_id=live.host_id, command=command)

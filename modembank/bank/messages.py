"""Messages as front ends send, read and list them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from modembank.bank.idempotency import Replay, begin_request
from modembank.bank.inbox import Inbox
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.message_records import (
    MessageQuery,
    MessageRecord,
    MessageRequest,
    MessageStatus,
    PartState,
    Queued,
)
from modembank.bank.message_views import message_record, set_status
from modembank.bank.numbers import Dialable, caller_number, parse_dialable
from modembank.bank.outbox import Outbox
from modembank.bank.policy import MESSAGE_FILTERS, Choice, Wish, choose
from modembank.bank.records import Idempotency, Page
from modembank.bank.wire import to_json
from modembank.bus.bus import Bus
from modembank.bus.vocabulary import Direction
from modembank.config import Settings
from modembank.errors import NotFoundError, SmsFormatError, StoreError
from modembank.ids import new_id
from modembank.sms.dcs import MessageClass
from modembank.sms.octets import Pdu
from modembank.sms.segment import Segmented, segment
from modembank.sms.submit import compose, encode
from modembank.sms.validity import NO_VALIDITY, relative
from modembank.store import messages as rows
from modembank.store import sims as sim_rows
from modembank.store.audit import add_audit
from modembank.store.database import Database, Session
from modembank.store.message_models import MessagePartRow, MessageRow

log = logging.getLogger(__name__)

PARTIALS_S = 10.0  # how late a partial message may be told of
_REFERENCES = 256  # of long messages; 8 bits, which every phone understands


class Messages:
    """Queues messages and shows them; `inbox` takes those that come in."""

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, journal: Journal, inventory: Inventory
    ) -> None:
        self._settings = settings
        self._database = database
        self._journal = journal
        self._inventory = inventory
        self._outbox = Outbox(settings.messages, database, bus, journal, inventory)
        self.inbox = Inbox(settings, bus, journal, inventory)
        self._references = count(secrets.randbelow(_REFERENCES))
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Put in doubt what was on its way when this program ended; then send what is queued.

        Raises:
            StoreError: the database is not there.
        """
        await self._outbox.recover()
        self._tasks = (
            asyncio.create_task(self._outbox.run(), name="bank-outbox"),
            asyncio.create_task(self._tell_partials(), name="bank-partials"),
        )

    async def stop(self) -> None:
        """Send no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = ()
        await self.inbox.stop()

    async def send(self, request: MessageRequest, *, actor: str, idempotency: Idempotency | None = None) -> Queued:
        """Choose a SIM and queue a message; it is committed when this returns, and its progress comes as events.

        With the same Idempotency the first message is returned again.

        Raises:
            InvalidNumberError, DestinationRefusedError, EmergencyNumberError: nothing may be sent there.
            SmsFormatError: a text that needs too many parts, or that the wanted encoding lacks a character of.
            NoSimAvailableError: no SIM can send it.
            IdempotencyMismatchError, IdempotencyRunningError: about the key.
        """
        number = self._recipient(request.to)
        segmented, pdus = self._compose(request, number)
        message_id = new_id("msg")
        try:
            async with self._journal.transaction() as transaction:
                session = transaction.session
                if idempotency is not None:
                    await begin_request(transaction, idempotency, message_id)
                wish = Wish(sim=request.from_, tag=request.pool)
                choice = choose(await self._inventory.candidates(session), wish, MESSAGE_FILTERS, "message")
                row = self._row(message_id, request, number, segmented, choice)
                row.actor = actor
                await self._add(session, row, choice.sim_id, pdus)
                transaction.emit_message("sms.queued", row.created_at, row)
                await add_audit(session, actor, "sms.send", message_id)
                transaction.after_commit.append(self._outbox.wake)
        except Replay as replay:
            return Queued(message=await self.get(replay.row.call_id), replayed=True)
        return Queued(message=message_record(row))

    async def get(self, message_id: str) -> MessageRecord:
        """One message. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await rows.get_message(session, message_id)
        if row is None:
            raise NotFoundError(f"there is no message {message_id}")
        return message_record(row)

    async def list_messages(self, query: MessageQuery) -> Page[MessageRecord]:
        """One page of messages, newest first."""
        async with self._database.read() as session:
            found = await rows.page_of_messages(
                session,
                query.limit + 1,
                query.cursor,
                status=query.status,
                direction=query.direction,
                sim_id=query.sim_id,
                number=caller_number(query.number, self._settings.country),
                created_after=query.created_after,
            )
        records = tuple(message_record(row) for row in found[: query.limit])
        return Page(data=records, next_cursor=records[-1].id if len(found) > query.limit else None)

    def _recipient(self, to: str) -> Dialable:
        """Like a number to call, but other short codes, and an emergency number never: a text brings no help."""
        rules = self._settings.calls.model_copy(
            update={"short_codes": self._settings.messages.short_codes, "emergency_numbers": False}
        )
        return parse_dialable(to, self._settings.country, rules)

    def _compose(self, request: MessageRequest, number: Dialable) -> tuple[Segmented, list[Pdu]]:
        reference = next(self._references) % _REFERENCES
        segmented = segment(request.text, reference=reference, encoding=request.encoding)
        most = self._settings.messages.max_parts
        if len(segmented.parts) > most:
            raise SmsFormatError(f"the text needs {len(segmented.parts)} SMS; messages.max_parts allows {most}")
        validity = NO_VALIDITY if request.validity_s is None else relative(timedelta(seconds=request.validity_s))
        pdus = [
            encode(
                compose(
                    number.number,
                    part,
                    message_class=MessageClass.FLASH if request.flash else None,
                    validity=validity,
                    request_report=self._wants_report(request),
                )
            )
            for part in segmented.parts
        ]
        return segmented, pdus

    def _wants_report(self, request: MessageRequest) -> bool:
        wanted = request.delivery_report
        return self._settings.messages.delivery_reports if wanted is None else wanted

    def _row(
        self, message_id: str, request: MessageRequest, number: Dialable, segmented: Segmented, choice: Choice
    ) -> MessageRow:
        now = datetime.now(UTC)
        row = MessageRow(
            id=message_id,
            direction=Direction.OUTBOUND,
            to_number=number.number,
            sim_id=choice.sim_id,
            text=request.text,
            encoding=segmented.encoding.value,
            parts=len(segmented.parts),
            parts_done=0,
            flash=request.flash,
            delivery_report=self._wants_report(request),
            attempts=0,
            due_at=now,
            give_up_at=now + timedelta(seconds=self._settings.messages.give_up_after_s),
            created_at=now,
            why=to_json(choice.why),
            message_metadata=dict(request.metadata),
            history={},
            sequence=0,
        )
        set_status(row, MessageStatus.QUEUED, now)
        return row

    async def _add(self, session: Session, row: MessageRow, sim_id: str, pdus: Sequence[Pdu]) -> None:
        sim = await sim_rows.fresh_sim(session, sim_id)
        sim.last_used_at, row.from_number = row.created_at, sim.number
        session.add(row)
        await session.flush()
        session.add_all(
            MessagePartRow(
                message_id=row.id,
                sim_id=sim_id,
                number=number,
                state=PartState.QUEUED,
                pdu=pdu.hex,
                length=pdu.length,
                recipient=row.to_number,
            )
            for number, pdu in enumerate(pdus, 1)
        )
        await session.flush()
        await session.refresh(row, ["sim", "modem"])

    async def _tell_partials(self) -> None:
        pause_s = min(PARTIALS_S, self._settings.messages.partial_after_s)
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.inbox.tell_partials()
            except StoreError as error:
                log.warning("partial messages were not told of: %s", error)
            except Exception:
                log.exception("partial messages were not told of")

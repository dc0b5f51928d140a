"""Incoming messages: committed first, then the host is told that it may delete them (I3)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import UTC, datetime, timedelta

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, Transaction
from modembank.bank.message_records import MessageStatus, PartState
from modembank.bank.message_views import set_status, storable
from modembank.bank.numbers import caller_number
from modembank.bank.records import JsonObject
from modembank.bank.reports import Reports
from modembank.bus.bus import Bus
from modembank.bus.commands import ConfirmMessages
from modembank.bus.events import MessagesRead, MessageStoreFull, ModemSnapshot
from modembank.bus.vocabulary import Direction, ModemState
from modembank.config import Settings
from modembank.errors import HostError, SmsFormatError
from modembank.ids import new_id
from modembank.sms import deliver, status_report
from modembank.sms.assemble import TIME_TO_LIVE, Gathering, home_of, is_repeated, join, key_of
from modembank.sms.dcs import MessageClass
from modembank.sms.deliver import Deliver
from modembank.sms.status_report import StatusReport
from modembank.store import messages as rows
from modembank.store.message_models import MessagePartRow, MessageRow
from modembank.store.models import SimRow

log = logging.getLogger(__name__)

CONFIRM_DEADLINE_S = 10.0
# What a host is not told, it tells again.
MOST_CONFIRMATIONS = 500


class Inbox:
    """Commits messages and delivery reports; running one event again is harmless."""

    def __init__(self, settings: Settings, bus: Bus, journal: Journal, inventory: Inventory) -> None:
        self._settings = settings
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self._reports = Reports(settings.country)
        self._confirming: set[asyncio.Task[None]] = set()

    async def take(self, transaction: Transaction, event: MessagesRead) -> None:
        """Write down what was read; after the commit the host is told which of it."""
        sim = await self._sim(transaction, event)
        safe: list[str] = []
        for message in event.messages:
            report, part = _decode(message.pdu)
            if report is not None:
                if await self._reports.take(transaction, sim, report, event.at):
                    safe.append(message.digest)
                continue
            await self._take_message(transaction, event, sim, message.pdu, part)
            safe.append(message.digest)
        if event.stored and safe:
            command = ConfirmMessages(
                usb_path=event.usb_path, iccid=event.iccid, digests=tuple(safe), deadline_s=CONFIRM_DEADLINE_S
            )
            transaction.after_commit.append(lambda: self._confirm(event.host_id, command))

    def full(self, transaction: Transaction, event: MessageStoreFull) -> None:
        """Tell that a store is full."""
        data: JsonObject = {
            "host_id": event.host_id,
            "usb_path": event.usb_path,
            "iccid": event.iccid,
            "store": event.store,
            "used": event.used,
            "total": event.total,
        }
        transaction.emit("sms.storage_full", event.at, data)

    async def tell_partials(self) -> None:
        """Tell of long messages that have lacked a part for too long; they may still become whole.

        Raises:
            StoreError: the database is not there.
        """
        now = datetime.now(UTC)
        before = now - timedelta(seconds=self._settings.messages.partial_after_s)
        async with self._journal.transaction() as transaction:
            for row in await rows.overdue_partials(transaction.session, before):
                row.partial_told = True
                transaction.emit_message("sms.partial", now, row)

    async def stop(self) -> None:
        """Forget confirmations that are not answered."""
        for task in self._confirming:
            task.cancel()
        await asyncio.gather(*self._confirming, return_exceptions=True)

    async def _sim(self, transaction: Transaction, event: MessagesRead) -> SimRow:
        live = self._inventory.at(event.host_id, event.usb_path)
        snapshot = live.snapshot if live else None
        if snapshot is None or snapshot.iccid != event.iccid:
            snapshot = ModemSnapshot(usb_path=event.usb_path, dialect="", state=ModemState.STARTING, iccid=event.iccid)
        return await self._inventory.sim_row(transaction.session, snapshot, event.at)

    async def _take_message(
        self, transaction: Transaction, event: MessagesRead, sim: SimRow, pdu: str, part: Deliver | None
    ) -> None:
        session = transaction.session
        digest = _digest(event.iccid, pdu, part)
        if await rows.known_digests(session, [digest]):
            return
        key = key_of(part) if part is not None else None
        row, stored = await self._home(transaction, event, sim, part, key)
        if row is None:
            return
        number = _number(part)
        session.add(
            MessagePartRow(
                message_id=row.id,
                sim_id=sim.id,
                number=number,
                state=PartState.RECEIVED,
                pdu=pdu,
                length=len(pdu) // 2,
                digest=digest,
            )
        )
        parts = stored if part is None else {**stored, number: part}
        row.parts_done = max(len(parts), 1)
        if part is not None:
            joined = join(row.parts, parts)
            row.text = None if joined.text is None else storable(joined.text)
            row.octets = _octets(parts) if joined.text is None else None
        if row.parts_done == row.parts:
            set_status(row, MessageStatus.RECEIVED, event.at, row.detail)
            transaction.emit_message("sms.received", event.at, row)
        await session.flush()

    async def _home(
        self, transaction: Transaction, event: MessagesRead, sim: SimRow, part: Deliver | None, key: str | None
    ) -> tuple[MessageRow | None, dict[int, Deliver]]:
        """The message that a part belongs to with the parts that it has, or a new one; None for a repeated part."""
        session = transaction.session
        if part is not None and key is not None:
            candidates = await rows.long_messages(session, sim.id, key, event.at - TIME_TO_LIVE)
            stored: dict[str, dict[int, Deliver]] = {row.id: {} for row in candidates}
            for one in await rows.parts_of(session, stored):
                stored[one.message_id][one.number] = deliver.decode(one.pdu)
            known = [Gathering(row.id, row.parts, stored[row.id]) for row in candidates]
            if is_repeated(known, part):
                return None, {}
            home = home_of(known, part)
            if home is not None:
                return next(row for row in candidates if row.id == home.name), stored[home.name]
        row = self._row(event, sim, part, key)
        session.add(row)
        await session.flush()
        await session.refresh(row, ["sim", "modem"])
        return row, {}

    def _row(self, event: MessagesRead, sim: SimRow, part: Deliver | None, key: str | None) -> MessageRow:
        live = self._inventory.at(event.host_id, event.usb_path)
        concat = part.data.header.concat if part is not None else None
        sender = storable(part.sender.text) if part is not None else None
        row = MessageRow(
            id=new_id("msg"),
            direction=Direction.INBOUND,
            to_number=sim.number,
            from_number=caller_number(sender, self._settings.country),
            sim_id=sim.id,
            modem_id=live.modem.id if live else None,
            encoding=part.data.encoding.value if part is not None else "",
            parts=concat.total if concat is not None else 1,
            concat=key,
            flash=part is not None and part.coding.message_class is MessageClass.FLASH,
            created_at=event.at,
            network_at=part.sent.at if part is not None else None,
            message_metadata={},
            history={},
            sequence=0,
            detail="",
        )
        row.parts_done = 0
        if key is not None:
            set_status(row, MessageStatus.PARTIAL, event.at)
        else:
            set_status(row, MessageStatus.RECEIVED, event.at, "" if part is not None else "its PDU cannot be read")
            row.history = {}
        return row

    def _confirm(self, host_id: str, command: ConfirmMessages) -> None:
        if len(self._confirming) >= MOST_CONFIRMATIONS:
            log.warning("host %s takes confirmations too slowly; it will tell these messages again", host_id)
            return
        task = asyncio.create_task(self._send_confirmation(host_id, command), name="confirm-messages")
        self._confirming.add(task)
        task.add_done_callback(self._confirming.discard)

    async def _send_confirmation(self, host_id: str, command: ConfirmMessages) -> None:
        try:
            await self._bus.request(host_id, command)
        except HostError as error:
            log.info("host %s was not told which messages are safe: %s", host_id, error)


def _decode(pdu: str) -> tuple[StatusReport | None, Deliver | None]:
    """Read what the modem held; both are None for what follows no standard, which is kept all the same."""
    try:
        return None, deliver.decode(pdu)
    except SmsFormatError:
        try:
            return status_report.decode(pdu), None
        except SmsFormatError as error:
            log.warning("a message of %d octets cannot be read: %s", len(pdu) // 2, error)
            return None, None


def _digest(iccid: str, pdu: str, part: Deliver | None) -> str:
    """Name a message among all of a SIM: what the network repeats has the same name, whatever way it came.

    The service centre's address and "more messages to come" may differ between two deliveries of one message.
    """
    known = pdu if part is None else repr((part.sender, part.sent, part.pid, part.dcs, part.data))
    return hashlib.sha256(f"{iccid}\n{known}".encode()).hexdigest()


def _number(part: Deliver | None) -> int:
    concat = part.data.header.concat if part is not None else None
    return concat.sequence if concat is not None else 1


def _octets(parts: dict[int, Deliver]) -> str:
    return "".join(parts[number].data.payload.hex() for number in sorted(parts))

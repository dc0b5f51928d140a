"""One transaction: what changed, and the public events that tell of it. They are committed together, then handed out.

Events are inserted and published under one lock, so that every subscriber sees them in the order of `seq`. Rows are
flushed before it is taken: nobody waits for a row while holding it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from modembank.bank.events import EventStream, Stored, stream_event
from modembank.bank.message_views import message_record, ussd_record
from modembank.bank.records import CallRecord, HealingRecord, JsonObject, JsonValue
from modembank.bank.views import Live, call_record, modem_record, sim_record
from modembank.bank.wire import to_json
from modembank.ids import new_id
from modembank.store.database import Database, Session
from modembank.store.events import add_events, prune_events
from modembank.store.message_models import MessageRow, UssdRow
from modembank.store.models import CallRow, EventRow, ModemRow, SimRow

EVENTS_KEPT = 50_000  # days of a small bank, an hour of a very busy one
_PRUNE_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call as it was told of last, and the host that carries it."""

    host_id: str
    call: CallRecord


class Transaction:
    """A session, and the events that it will add at its end."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[EventRow] = []
        self.calls: dict[str, KnownCall] = {}
        self.after_commit: list[Callable[[], None]] = []

    def emit(self, kind: str, at: datetime, data: JsonObject, call_id: str | None = None, sequence: int = 0) -> None:
        """Tell of something."""
        self.events.append(EventRow(id=new_id("evt"), type=kind, at=at, call_id=call_id, sequence=sequence, data=data))

    def emit_call(self, kind: str, at: datetime, row: CallRow, **extras: JsonValue) -> None:
        """Tell of a call as its row is now."""
        row.sequence += 1
        call = call_record(row)
        self.calls[row.id] = KnownCall(row.host_id, call)
        self.emit(kind, at, {"call": to_json(call), **extras}, row.id, row.sequence)

    def emit_sim(self, at: datetime, row: SimRow, live: Live | None) -> None:
        """Tell of a SIM."""
        self.emit("sim.changed", at, {"sim": to_json(sim_record(row, live))})

    def emit_sim_alarm(self, kind: str, at: datetime, row: SimRow, live: Live | None, **extras: JsonValue) -> None:
        """Tell that somebody should look after a SIM."""
        self.emit(kind, at, {"sim": to_json(sim_record(row, live)), **extras})

    def emit_modem(
        self,
        kind: str,
        at: datetime,
        row: ModemRow,
        live: Live | None,
        healing: HealingRecord | None,
    ) -> None:
        """Tell of a modem."""
        self.emit(kind, at, {"modem": to_json(modem_record(row, live, healing))})

    def emit_message(self, kind: str, at: datetime, row: MessageRow) -> None:
        """Tell of a message as its row is now."""
        row.sequence += 1
        self.emit(kind, at, {"message": to_json(message_record(row))}, sequence=row.sequence)

    def emit_ussd(self, kind: str, at: datetime, row: UssdRow) -> None:
        """Tell of a USSD session as its row is now."""
        row.sequence += 1
        self.emit(kind, at, {"ussd": to_json(ussd_record(row))}, sequence=row.sequence)


class Journal:
    """Opens transactions, and wakes who waits for a call to change."""

    def __init__(self, database: Database, stream: EventStream, kept: int = EVENTS_KEPT) -> None:
        self._database = database
        self._stream = stream
        self._kept = kept
        self._emitting = asyncio.Lock()
        self._since_prune = 0
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._open: dict[str, KnownCall] = {}

    def last_known(self, call_id: str) -> KnownCall | None:
        """Return a live call as this bank last told of it, without the database; None when it never did."""
        return self._open.get(call_id)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit rows and events at the end of the block, then publish; an exception undoes all.

        Raises:
            StoreError: the database is not there.
        """
        async with self._database.writing() as session:
            transaction = Transaction(session)
            yield transaction
            await session.flush()
            async with self._emitting:
                await self._commit(transaction)

    async def _commit(self, transaction: Transaction) -> None:
        session, events = transaction.session, transaction.events
        if events:
            await add_events(session, events)
            self._since_prune += len(events)
            if self._since_prune >= min(_PRUNE_EVERY, self._kept):
                self._since_prune = 0
                await prune_events(session, self._kept)
        await session.commit()
        for act in transaction.after_commit:
            act()
        self._stream.publish([Stored(row.seq, stream_event(row)) for row in events])
        for call_id, known in transaction.calls.items():
            if known.call.status.ended:
                self._open.pop(call_id, None)
            else:
                self._open[call_id] = known
            for event in self._waiting.get(call_id, ()):
                event.set()

    @asynccontextmanager
    async def watch(self, call_id: str) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set whenever this call was changed."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(call_id, set())
        waiting.add(event)
        try:
            yield event
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(call_id, None)

"""USSD sessions: one at a time on each SIM, only codes that the settings allow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

from modembank.bank.idempotency import Replay, begin_request, end_request
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, Transaction
from modembank.bank.message_records import UssdQuery, UssdRecord, UssdRequest, UssdRun, UssdStatus
from modembank.bank.message_views import add_turn, ussd_record
from modembank.bank.policy import USSD_FILTERS, Filter, Wish, choose
from modembank.bank.records import Idempotency, Page
from modembank.bank.replies import error_from, error_of
from modembank.bank.ussd_codes import check_answer, check_code
from modembank.bank.views import Live
from modembank.bus.bus import Bus
from modembank.bus.commands import CancelUssd, Refused, RunUssd, UssdAnswer
from modembank.bus.events import UssdReceived
from modembank.bus.vocabulary import UssdOutcome
from modembank.config import Settings
from modembank.errors import (
    HostError,
    IdempotencyRunningError,
    ModembankError,
    NotFoundError,
    SimNotReadyError,
    StoreError,
    WrongStateError,
)
from modembank.ids import new_id
from modembank.store import sims as sim_rows
from modembank.store import ussd as rows
from modembank.store.audit import add_audit
from modembank.store.database import Database
from modembank.store.message_models import UssdRow

log = logging.getLogger(__name__)

# The driver waits 30 s for the network, and before that for a message that is on its way.
EXCHANGE_DEADLINE_S = 90.0
# The driver ends a session after 60 s without an answer; by then ours is over too.
TURN = timedelta(seconds=75)
SWEEP_S = 10.0
MOST_WAITING = 8  # requests for one SIM that wait for their turn

_ENDS = {
    UssdOutcome.DONE: UssdStatus.DONE,
    UssdOutcome.TERMINATED: UssdStatus.DONE,
    UssdOutcome.REPLY_WANTED: UssdStatus.WAITING,
}
_WORDS = {
    UssdOutcome.TERMINATED: "the network ended the session",
    UssdOutcome.OTHER_CLIENT: "another program of the modem answered",
    UssdOutcome.NOT_SUPPORTED: "the network does not support this",
    UssdOutcome.TIMEOUT: "the network did not answer in time",
}


class UssdService:
    """Runs sessions and keeps them."""

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, journal: Journal, inventory: Inventory
    ) -> None:
        self._codes = settings.ussd.codes
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one for each SIM
        self._waiting: dict[str, int] = defaultdict(int)
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """End what was open when this program ended: nobody knows the modem's side of it. Raises StoreError."""
        await self._end_all(None, UssdStatus.CANCELED, "the server was started again")
        self._sweeper = asyncio.create_task(self._sweep(), name="bank-ussd")

    async def stop(self) -> None:
        """Expire no more sessions."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    async def run(self, request: UssdRequest, *, actor: str, idempotency: Idempotency | None = None) -> UssdRun:
        """Send a code and return what the network says; `waiting` when it wants an answer.

        Raises:
            UssdRefusedError: the code is not allowed.
            NoSimAvailableError: no SIM can take it.
            WrongStateError: the SIM has an open session, or too many requests wait for it.
            UssdTimeoutError and others: the network did not answer, or the modem refused.
            IdempotencyMismatchError, IdempotencyRunningError: about the key.
        """
        check_code(request.code, self._codes)
        return await self.run_allowed(request, actor=actor, idempotency=idempotency)

    async def run_allowed(self, request: UssdRequest, *, actor: str, idempotency: Idempotency | None = None) -> UssdRun:
        """Like `run`, for a code that the settings allow in another way."""
        sim_id, live = await self._choose(request)
        async with self._turn(sim_id):
            try:
                row = await self._begin(sim_id, request.code, actor, idempotency)
            except Replay as replay:
                return await self._replay(replay)
            try:
                session = await self._exchange(row.id, live, request.code, answer=False)
            except ModembankError as error:
                if idempotency is not None:
                    await end_request(self._database, idempotency, error=error)
                raise
            if idempotency is not None:
                await end_request(self._database, idempotency)
            return UssdRun(session=session)

    async def answer(self, ussd_id: str, text: str, *, actor: str) -> UssdRecord:
        """Answer the network in a session. Raises NotFoundError, WrongStateError, UssdRefusedError and like `run`."""
        check_answer(text, self._codes)
        row = await self._row(ussd_id)
        async with self._turn(row.sim_id):
            async with self._journal.transaction() as transaction:
                locked = await rows.get_ussd(transaction.session, ussd_id, lock=True)
                if locked is None or locked.status != UssdStatus.WAITING:
                    raise WrongStateError("this USSD session waits for no answer")
                locked.status = UssdStatus.RUNNING
                add_turn(locked, datetime.now(UTC), text, out=True)
                await add_audit(transaction.session, actor, "ussd.answer", ussd_id)
            return await self._exchange(ussd_id, self._holder(row), text, answer=True)

    async def cancel(self, ussd_id: str) -> UssdRecord:
        """End a session; one that is over stays as it is. Raises NotFoundError, HostError."""
        row = await self._row(ussd_id)
        async with self._turn(row.sim_id):
            row = await self._row(ussd_id)
            if row.status != UssdStatus.WAITING:
                return ussd_record(row)
            live = self._holder(row)
            command = CancelUssd(usb_path=live.snapshot.usb_path, iccid=row.sim.iccid, deadline_s=EXCHANGE_DEADLINE_S)
            reply = await self._bus.request(live.host_id, command)
            if isinstance(reply, Refused):
                raise error_from(reply)
            return await self._end(ussd_id, UssdStatus.CANCELED, "")

    async def get(self, ussd_id: str) -> UssdRecord:
        """One session. Raises NotFoundError."""
        return ussd_record(await self._row(ussd_id))

    async def list_sessions(self, query: UssdQuery) -> Page[UssdRecord]:
        """One page of sessions, newest first."""
        async with self._database.read() as session:
            found = await rows.page_of_ussd(session, query.limit + 1, query.cursor, query.sim_id)
        records = tuple(ussd_record(row) for row in found[: query.limit])
        return Page(data=records, next_cursor=records[-1].id if len(found) > query.limit else None)

    async def received(self, transaction: Transaction, event: UssdReceived) -> None:
        """Write down a text that nobody asked for: a session of its own that is over."""
        sim = await sim_rows.sim_by_iccid(transaction.session, event.iccid)
        if sim is None:
            return
        row = _new_row(sim.id, "", event.at, "network")
        add_turn(row, event.at, event.text, out=False, raw=event.raw, dcs=event.dcs)
        row.status, row.ended_at = UssdStatus.DONE, event.at
        transaction.session.add(row)
        await transaction.session.flush()
        await transaction.session.refresh(row, ["sim"])
        transaction.emit_ussd("ussd.response", event.at, row)

    # inside

    async def _choose(self, request: UssdRequest) -> tuple[str, Live]:
        """A SIM without an open session, unless one is named."""
        async with self._database.read() as session:
            busy = {row.sim_id for row in await rows.open_ussd(session)} if request.from_ is None else set()
            candidates = await self._inventory.candidates(session)
        free: tuple[str, Filter] = ("no_ussd_session", lambda sim, _: sim.sim_id not in busy)
        choice = choose(candidates, Wish(sim=request.from_, tag=request.pool), (*USSD_FILTERS, free), "USSD code")
        sim = next(sim for sim in candidates if sim.sim_id == choice.sim_id)
        live = self._inventory.holder(sim.iccid)
        if live is None:
            raise SimNotReadyError("the SIM was taken out in this moment; try again")
        return choice.sim_id, live

    @contextlib.asynccontextmanager
    async def _turn(self, sim_id: str) -> AsyncIterator[None]:
        if self._waiting[sim_id] >= MOST_WAITING:
            raise WrongStateError("too many USSD requests wait for this SIM; try again later")
        self._waiting[sim_id] += 1
        try:
            async with self._turns[sim_id]:
                yield
        finally:
            self._waiting[sim_id] -= 1

    async def _begin(self, sim_id: str, code: str, actor: str, idempotency: Idempotency | None) -> UssdRow:
        now = datetime.now(UTC)
        async with self._journal.transaction() as transaction:
            session = transaction.session
            row = _new_row(sim_id, code, now, actor)
            if idempotency is not None:
                await begin_request(transaction, idempotency, row.id)
            if await rows.open_ussd(session, sim_id=sim_id):
                raise WrongStateError("a USSD session is open on this SIM: answer or cancel it first")
            add_turn(row, now, code, out=True)
            session.add(row)
            sim = await sim_rows.fresh_sim(session, sim_id)
            sim.last_used_at = now
            await add_audit(session, actor, "ussd.run", row.id)
        return row

    async def _replay(self, replay: Replay) -> UssdRun:
        if replay.row.state == "failed":
            raise error_of(replay.row.error_code or "", replay.row.error_detail or "")
        session = await self.get(replay.row.call_id)
        if session.status is UssdStatus.RUNNING:
            raise IdempotencyRunningError("the first request with this Idempotency-Key is still running")
        return UssdRun(session=session, replayed=True)

    async def _exchange(self, ussd_id: str, live: Live, text: str, *, answer: bool) -> UssdRecord:
        command = RunUssd(
            usb_path=live.snapshot.usb_path,
            iccid=live.snapshot.iccid or "",
            text=text,
            answer=answer,
            deadline_s=EXCHANGE_DEADLINE_S,
        )
        try:
            reply = await self._bus.request(live.host_id, command)
            if isinstance(reply, Refused):
                raise error_from(reply)
            if not isinstance(reply, UssdAnswer):
                raise HostError("the host gave no answer about this USSD code")
        except ModembankError as error:
            status = UssdStatus.EXPIRED if answer and isinstance(error, WrongStateError) else UssdStatus.FAILED
            await self._end(ussd_id, status, str(error))
            raise
        return await self._heard(ussd_id, reply)

    async def _heard(self, ussd_id: str, reply: UssdAnswer) -> UssdRecord:
        now = datetime.now(UTC)
        async with self._journal.transaction() as transaction:
            row = await rows.get_ussd(transaction.session, ussd_id, lock=True)
            assert row is not None, "sessions are never deleted"
            if reply.raw is not None:
                add_turn(row, now, reply.text, out=False, raw=reply.raw, dcs=reply.dcs)
            row.status, row.updated_at = _ENDS.get(reply.outcome, UssdStatus.FAILED), now
            row.detail = _WORDS.get(reply.outcome, "")
            row.ended_at = None if row.status == UssdStatus.WAITING else now
            transaction.emit_ussd("ussd.response", now, row)
        return ussd_record(row)

    async def _end(self, ussd_id: str, status: UssdStatus, detail: str) -> UssdRecord:
        async with self._journal.transaction() as transaction:
            row = await rows.get_ussd(transaction.session, ussd_id, lock=True)
            assert row is not None, "sessions are never deleted"
            _close(transaction, row, status, detail)
        return ussd_record(row)

    async def _end_all(self, before: datetime | None, status: UssdStatus, detail: str) -> None:
        async with self._journal.transaction() as transaction:
            for row in _unattended(await rows.open_ussd(transaction.session, before=before), self._turns):
                _close(transaction, row, status, detail)

    async def _sweep(self) -> None:
        """Sessions whose person does not answer are over at the modem, too."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self._end_all(datetime.now(UTC) - TURN, UssdStatus.EXPIRED, "nobody answered in time")
            except StoreError as error:
                log.warning("USSD sessions were not looked after: %s", error)
            except Exception:
                log.exception("USSD sessions were not looked after")

    async def _row(self, ussd_id: str) -> UssdRow:
        async with self._database.read() as session:
            row = await rows.get_ussd(session, ussd_id)
        if row is None:
            raise NotFoundError(f"there is no USSD session {ussd_id}")
        return row

    def _holder(self, row: UssdRow) -> Live:
        live = self._inventory.holder(row.sim.iccid)
        if live is None:
            raise SimNotReadyError("the SIM of this USSD session is in no modem any more")
        return live


def _new_row(sim_id: str, code: str, at: datetime, actor: str) -> UssdRow:
    return UssdRow(
        id=new_id("ussd"), sim_id=sim_id, code=code, status=UssdStatus.RUNNING, created_at=at, updated_at=at,
        dialogue={"turns": []}, detail="", sequence=0, actor=actor,
    )  # fmt: skip


def _close(transaction: Transaction, row: UssdRow, status: UssdStatus, detail: str) -> None:
    now = datetime.now(UTC)
    row.status, row.detail, row.ended_at, row.updated_at = status, detail, now, now
    transaction.emit_ussd("ussd.ended", now, row)


def _unattended(open_rows: Iterable[UssdRow], turns: dict[str, asyncio.Lock]) -> list[UssdRow]:
    """Those on which nothing happens right now."""
    return [row for row in open_rows if row.sim_id not in turns or not turns[row.sim_id].locked()]

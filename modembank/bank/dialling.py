"""An outbound call: number, policy, claim and record in one transaction, and only then the command (I9)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from modembank.bank.closing import Ending, close_call
from modembank.bank.idempotency import Replay, begin_request, end_request
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, Transaction
from modembank.bank.numbers import Dialable, parse_dialable
from modembank.bank.policy import Choice, Wish, choose
from modembank.bank.records import Dialed, DialRequest, Idempotency
from modembank.bank.replies import cause_of, error_from, error_of
from modembank.bank.views import Live, call_record
from modembank.bank.wire import to_json
from modembank.bus.bus import Bus
from modembank.bus.commands import Dial, HangUp, Refused, SdpAnswer
from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource
from modembank.config import Settings
from modembank.errors import (
    HostError,
    IdempotencyRunningError,
    ModembankError,
    NoSimAvailableError,
)
from modembank.ids import new_id
from modembank.store import calls as call_rows
from modembank.store import sims as sim_rows
from modembank.store.audit import add_audit
from modembank.store.database import Database
from modembank.store.models import CallRow, IdempotencyRow

# Enough for every SIM of a full bank to be lost to someone else once.
CLAIM_ATTEMPTS = 300
DIAL_DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be dialled, after all checks that need no SIM."""

    call_id: str
    request: DialRequest
    number: Dialable
    actor: str
    idempotency: Idempotency | None


class Dialler:
    """Places calls. `pending` tells which calls' commands have not been answered by their host yet."""

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, journal: Journal, inventory: Inventory
    ) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self.pending: dict[str, asyncio.Event] = {}

    async def dial(self, request: DialRequest, actor: str, idempotency: Idempotency | None) -> Dialed:
        """Place a call; returns when its host has taken it over, progress comes as events."""
        number = parse_dialable(request.to, self._settings.country, self._settings.calls)
        plan = Plan(call_id=new_id("call"), request=request, number=number, actor=actor, idempotency=idempotency)
        answered = self.pending[plan.call_id] = asyncio.Event()
        try:
            row = await self._reserve(plan)
            return await self._send(plan, row)
        except Replay as replay:
            return await self._replay(replay.row)
        finally:
            answered.set()
            del self.pending[plan.call_id]

    async def _reserve(self, plan: Plan) -> CallRow:
        async with self._journal.transaction() as transaction:
            if plan.idempotency is not None:
                await begin_request(transaction, plan.idempotency, plan.call_id)
            choice, epoch, live = await self._claim(transaction, plan)
            row = self._row(plan, choice, epoch, live)
            session = transaction.session
            session.add(row)
            await session.flush()
            await session.refresh(row, ["sim", "modem"])
            sim = await sim_rows.fresh_sim(session, choice.sim_id)
            row.from_number = sim.number
            transaction.emit_call("call.queued", row.created_at, row)
            transaction.emit_sim(row.created_at, sim, live)
            await add_audit(session, plan.actor, "call.dial", plan.call_id)
        return row

    async def _claim(self, transaction: Transaction, plan: Plan) -> tuple[Choice, int, Live]:
        """Choose and claim; a SIM lost to another call in between is chosen no more, as it shows in the next look."""
        wish = Wish(sim=plan.request.from_, tag=plan.request.pool, sound=plan.request.offer is not None)
        session = transaction.session
        for _ in range(CLAIM_ATTEMPTS):
            choice = choose(await self._inventory.candidates(session, plan.number.number), wish)
            epoch = await sim_rows.claim_sim(session, choice.sim_id, plan.call_id, datetime.now(UTC))
            sim = await sim_rows.fresh_sim(session, choice.sim_id)
            live = self._inventory.holder(sim.iccid)
            if epoch is not None and live is not None:
                return choice, epoch, live
            if epoch is not None:  # its modem was pulled out in this very moment
                await sim_rows.release_sim(session, plan.call_id)
        raise NoSimAvailableError("other calls took every SIM; try again", {})

    def _row(self, plan: Plan, choice: Choice, epoch: int, live: Live) -> CallRow:
        limits, request = self._settings.calls, plan.request
        return CallRow(
            id=plan.call_id,
            direction=Direction.OUTBOUND,
            status=CallStatus.QUEUED,
            to_number=plan.number.number,
            sim_id=choice.sim_id,
            modem_id=live.modem.id,
            host_id=live.host_id,
            usb_path=live.snapshot.usb_path,
            iccid=live.snapshot.iccid or "",
            claim_epoch=epoch,
            why=to_json(choice.why),
            created_at=datetime.now(UTC),
            timeout_s=request.timeout_s or limits.answer_timeout_s,
            max_duration_s=min(request.max_duration_s or limits.max_duration_s, limits.max_duration_s),
            call_metadata=dict(request.metadata),
            actor=plan.actor,
        )

    async def _send(self, plan: Plan, row: CallRow) -> Dialed:
        command = Dial(
            call_id=row.id,
            usb_path=row.usb_path,
            iccid=row.iccid,
            epoch=row.claim_epoch,
            number=plan.number.number,
            timeout_s=row.timeout_s,
            max_duration_s=row.max_duration_s,
            offer=plan.request.offer,
            media_first=plan.request.offer is not None and self._settings.calls.media_first,
            deadline_s=DIAL_DEADLINE_S,
        )
        try:
            reply = await self._bus.request(row.host_id, command)
        except HostError as error:
            await self._failed(plan, row, error)
            # The host may have begun before it went silent; a release that it did not need is harmless.
            await self._release(row)
            raise
        if isinstance(reply, Refused):
            refusal = error_from(reply)
            await self._failed(plan, row, refusal)
            raise refusal
        answer = reply.sdp if isinstance(reply, SdpAnswer) else None
        if plan.idempotency is not None:
            await end_request(self._database, plan.idempotency, answer=answer)
        async with self._database.read() as session:
            fresh = await call_rows.get_call(session, row.id)
        return Dialed(call=call_record(fresh or row), answer_sdp=answer)

    async def _failed(self, plan: Plan, row: CallRow, error: ModembankError) -> None:
        """Close a call that its host did not take, and tell the caller its id."""
        error.call_id = row.id
        ending = Ending(at=datetime.now(UTC), cause=cause_of(error.code), detail=str(error))
        async with self._journal.transaction() as transaction:
            locked = await call_rows.get_call(transaction.session, row.id, lock=True)
            if locked is not None:
                await close_call(transaction, self._inventory, locked, ending)
        if plan.idempotency is not None:
            await end_request(self._database, plan.idempotency, error=error)

    async def _release(self, row: CallRow) -> None:
        command = HangUp(call_id=row.id, source=HangupSource.SYSTEM, cause=Cause.HOST_UNREACHABLE, deadline_s=2.0)
        try:
            await self._bus.request(row.host_id, command)
        except HostError:
            return  # the regular comparison with the host's own list catches a call that runs on

    async def _replay(self, row: IdempotencyRow) -> Dialed:
        """Answer as the first time. A request that a crash cut off counts as done when its call is over."""
        async with self._database.read() as session:
            call = await call_rows.get_call(session, row.call_id)
        if call is None or (row.state == "running" and call.ended_at is None):
            raise IdempotencyRunningError("the first request with this Idempotency-Key is still running")
        if row.state == "failed":
            error = error_of(row.error_code or "", row.error_detail or "")
            error.call_id = row.call_id
            raise error
        return Dialed(call=call_record(call), answer_sdp=row.answer_sdp, replayed=True)

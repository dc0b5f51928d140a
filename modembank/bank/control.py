"""What a caller does with a call that exists: answer, reject, hang up, digits, mute, hold, attach."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from modembank.bank.closing import Ending, close_call
from modembank.bank.dialling import Dialler
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, KnownCall
from modembank.bank.records import CallRecord, Dialed
from modembank.bank.replies import error_from
from modembank.bank.views import call_record
from modembank.bus.bus import Bus
from modembank.bus.commands import (
    AddCandidate,
    Answer,
    AnyCommand,
    AnyReply,
    Attach,
    HangUp,
    Refused,
    SdpAnswer,
    SendDtmf,
    SetHeld,
    SetMuted,
)
from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource
from modembank.errors import HostError, NotFoundError, RequestError, StoreError, WrongStateError
from modembank.store import calls as call_rows
from modembank.store.database import Database
from modembank.store.models import CallRow

log = logging.getLogger(__name__)

# How long an action waits for the event that proves it; the action is done either way.
SETTLE_S = 2.0
MEDIA_DEADLINE_S = 15.0
# The host gives a modem 12 s to confirm a release before it closes the record without it.
RELEASE_DEADLINE_S = 15.0
DIGITS = re.compile(r"[0-9*#A-D]{1,64}", re.ASCII)


class Control:
    """Actions on calls. Each checks the state, asks the host, and returns the call after the host's event of it."""

    def __init__(self, database: Database, bus: Bus, journal: Journal, inventory: Inventory, dialler: Dialler) -> None:
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self._dialler = dialler
        self._answering: set[str] = set()

    async def answer(self, call_id: str, offer: str | None) -> Dialed:
        """Answer an incoming call; the first one who does wins."""
        row = await self._open_row(call_id)
        if row.direction != Direction.INBOUND or row.status != CallStatus.RINGING:
            raise WrongStateError(f"call {call_id} does not ring here; it is {row.direction} and {row.status}")
        if call_id in self._answering:
            raise WrongStateError(f"call {call_id} is being answered by someone else")
        self._answering.add(call_id)
        try:
            reply = await self._ask(
                row,
                Answer(call_id=call_id, max_duration_s=row.max_duration_s, offer=offer, deadline_s=MEDIA_DEADLINE_S),
            )
            if offer is None:
                call = await self._settled(call_id, lambda call: call.status is not CallStatus.RINGING)
            else:  # the host answers once media is up, and for that the client must have our SDP first
                call = call_record(await self._row(call_id))
        finally:
            self._answering.discard(call_id)
        return Dialed(call=call, answer_sdp=reply.sdp if isinstance(reply, SdpAnswer) else None)

    async def reject(self, call_id: str) -> CallRecord:
        """Refuse an incoming call."""
        row = await self._open_row(call_id)
        if row.direction != Direction.INBOUND or row.answered_at is not None:
            raise WrongStateError(f"call {call_id} cannot be rejected; it is {row.direction} and {row.status}")
        return await self._end(row, HangupSource.CALLEE, Cause.CALL_REJECTED, CallStatus.REJECTED)

    async def hang_up(self, call_id: str) -> CallRecord:
        """End a call in any state, on behalf of our side of it; on a call that has ended nothing happens.

        A call costs money for as long as it runs, so it is also ended while the database is away; then the result is
        the call as it was last told of, and its end is recorded when the database is back.
        """
        try:
            row = await self._row(call_id)
            if row.ended_at is not None:
                return call_record(row)
            return await self._end(row, *_our_end(Direction(row.direction), row.answered_at is not None))
        except StoreError:
            known = self._journal.last_known(call_id)
            if known is None:
                raise
            log.warning("call %s is hung up while the database is away", call_id)
            refusal = await self._release(known)
            if refusal is not None and refusal.code != NotFoundError.code:
                raise
            return known.call  # a host that has no such call any more has told of its end, and that waits too

    async def dtmf(self, call_id: str, digits: str) -> CallRecord:
        """Send digits towards the GSM side."""
        if not DIGITS.fullmatch(digits):
            raise RequestError("digits are 1 to 64 of 0-9 * # A-D")
        row = await self._open_row(call_id)
        if row.status != CallStatus.IN_PROGRESS and not row.early_media:
            raise WrongStateError(f"call {call_id} takes no digits before it is answered")
        await self._ask(row, SendDtmf(call_id=call_id, digits=digits, deadline_s=10.0 + len(digits)))
        return call_record(await self._row(call_id))

    async def set_muted(self, call_id: str, muted: bool) -> CallRecord:
        """Silence the far side, or let it through."""
        await self._ask(await self._open_row(call_id), SetMuted(call_id=call_id, muted=muted))
        return await self._settled(call_id, lambda call: call.muted is muted)

    async def set_held(self, call_id: str, held: bool) -> CallRecord:
        """Hold the call, or resume it."""
        row = await self._open_row(call_id)
        if row.status != CallStatus.IN_PROGRESS:
            raise WrongStateError(f"call {call_id} cannot be held; it is {row.status}")
        await self._ask(row, SetHeld(call_id=call_id, held=held))
        return await self._settled(call_id, lambda call: call.held is held)

    async def attach(self, call_id: str, offer: str) -> str:
        """Join a far side and return the SDP answer."""
        row = await self._open_row(call_id)
        reply = await self._ask(row, Attach(call_id=call_id, offer=offer, deadline_s=MEDIA_DEADLINE_S))
        if not isinstance(reply, SdpAnswer):
            raise HostError(f"host {row.host_id} took the offer but gave no answer")
        return reply.sdp

    async def add_candidate(
        self, call_id: str, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None
    ) -> None:
        """Pass one ICE candidate on."""
        row = await self._open_row(call_id)
        command = AddCandidate(call_id=call_id, candidate=candidate, sdp_mid=sdp_mid, sdp_m_line_index=sdp_m_line_index)
        await self._ask(row, command)

    async def _end(self, row: CallRow, source: HangupSource, cause: Cause, status: CallStatus) -> CallRecord:
        pending = self._dialler.pending.get(row.id)
        command = HangUp(call_id=row.id, source=source, cause=cause, deadline_s=RELEASE_DEADLINE_S)
        reply = await self._bus.request(row.host_id, command)
        call = await self._ended(row.id, reply)
        if pending is not None and not call.status.ended:
            # Our release overtook the dial command: the host knows the call once that one is answered.
            await pending.wait()
            reply = await self._bus.request(row.host_id, command)
            call = await self._ended(row.id, reply)
        if call.status.ended or not isinstance(reply, Refused):
            return call
        # The host has no such call and told of no end: nobody will but we.
        ending = Ending(at=datetime.now(UTC), cause=cause, status=status, source=source, detail=reply.detail)
        async with self._journal.transaction() as transaction:
            locked = await call_rows.get_call(transaction.session, row.id, lock=True)
            if locked is not None:
                await close_call(transaction, self._inventory, locked, ending)
        return call_record(await self._row(row.id))

    async def _release(self, known: KnownCall) -> Refused | None:
        """Have the host end a call without asking the database; returns the refusal, if it was one."""
        call = known.call
        source, cause, _ = _our_end(call.direction, call.answered_at is not None)
        command = HangUp(call_id=call.id, source=source, cause=cause, deadline_s=RELEASE_DEADLINE_S)
        pending = self._dialler.pending.get(call.id)
        reply = await self._bus.request(known.host_id, command)
        if isinstance(reply, Refused) and pending is not None:
            await pending.wait()  # our release overtook the dial command
            reply = await self._bus.request(known.host_id, command)
        return reply if isinstance(reply, Refused) else None

    async def _ended(self, call_id: str, reply: AnyReply) -> CallRecord:
        """Wait for the end that a release leads to, or that the host told of just before it refused the release."""
        if isinstance(reply, Refused) and reply.code != NotFoundError.code:
            raise error_from(reply)
        return await self._settled(call_id, lambda call: call.status.ended)

    async def _ask(self, row: CallRow, command: AnyCommand) -> AnyReply:
        reply = await self._bus.request(row.host_id, command)
        if isinstance(reply, Refused):
            error = error_from(reply)
            error.call_id = row.id
            raise error
        return reply

    async def _settled(self, call_id: str, done: Callable[[CallRecord], bool]) -> CallRecord:
        """Return the call once `done` holds, or as it is after `SETTLE_S`."""
        async with self._journal.watch(call_id) as changed:
            call = call_record(await self._row(call_id))
            try:
                async with asyncio.timeout(SETTLE_S):
                    while not done(call) and not call.status.ended:
                        await changed.wait()
                        changed.clear()
                        call = call_record(await self._row(call_id))
            except TimeoutError:
                return call
        return call

    async def _open_row(self, call_id: str) -> CallRow:
        row = await self._row(call_id)
        if row.ended_at is not None:
            raise WrongStateError(f"call {call_id} is over; it is {row.status}")
        return row

    async def _row(self, call_id: str) -> CallRow:
        async with self._database.read() as session:
            row = await call_rows.get_call(session, call_id)
        if row is None:
            raise NotFoundError(f"there is no call {call_id}")
        return row


def _our_end(direction: Direction, answered: bool) -> tuple[HangupSource, Cause, CallStatus]:
    """Return how a call ends that our side of it hangs up."""
    by = HangupSource.CALLER if direction is Direction.OUTBOUND else HangupSource.CALLEE
    if answered:
        return by, Cause.NORMAL_CLEARING, CallStatus.COMPLETED
    if direction is Direction.INBOUND:
        return by, Cause.CALL_REJECTED, CallStatus.REJECTED
    return by, Cause.ORIGINATOR_CANCEL, CallStatus.CANCELED

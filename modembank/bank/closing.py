"""How a call ends: once, with a cause, and its SIM is free again in the same transaction (I1, I6)."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Transaction
from modembank.bus.events import CallEnded, MediaQuality
from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource
from modembank.store import calls as call_rows
from modembank.store import sims as sim_rows
from modembank.store.models import CallRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended; `duration_s` None: counted from the answer to `at`."""

    at: datetime
    cause: Cause
    status: CallStatus = CallStatus.FAILED
    source: HangupSource = HangupSource.SYSTEM
    q850: int | None = None
    detail: str = ""
    duration_s: float | None = None
    quality: MediaQuality | None = None


def ending_of(event: CallEnded) -> Ending:
    """Return the end that a host told of."""
    return Ending(
        at=event.at,
        status=event.status if event.status.ended else CallStatus.FAILED,
        source=event.source,
        cause=event.cause,
        q850=event.q850,
        detail=event.detail,
        duration_s=event.duration_s,
        quality=event.quality,
    )


async def close_call(transaction: Transaction, inventory: Inventory, row: CallRow, ending: Ending) -> bool:
    """End a call whose row is locked.

    Returns:
        False when it had ended before; nothing is changed then.
    """
    if row.ended_at is not None:
        log.info("call %s ended a second time (%s); its record stays", row.id, ending.cause)
        return False
    row.ended_at = ending.at
    row.status = ending.status
    row.hangup_source, row.hangup_cause = ending.source, ending.cause
    row.hangup_q850, row.hangup_detail = ending.q850, ending.detail
    row.duration_s = _duration_s(row, ending)
    row.quality = asdict(ending.quality) if ending.quality else None
    transaction.emit_call("call.ended", ending.at, row)
    _learn_refusal(transaction, inventory, row)
    await _free_sim(transaction, inventory, row, ending.at)
    return True


def _learn_refusal(transaction: Transaction, inventory: Inventory, row: CallRow) -> None:
    """Remember which SIM's modem refuses which number, until an answered call says otherwise."""
    sim_id, number, blacklist = row.sim_id, row.to_number, inventory.blacklist
    if row.direction != Direction.OUTBOUND or sim_id is None or number is None:
        return
    if row.hangup_cause == Cause.NUMBER_BLACKLISTED:
        transaction.after_commit.append(lambda: blacklist.refused(sim_id, number))
    elif row.answered_at is not None:
        transaction.after_commit.append(lambda: blacklist.answered(sim_id, number))


def _duration_s(row: CallRow, ending: Ending) -> float:
    if ending.duration_s is not None:
        return ending.duration_s
    if row.answered_at is None:
        return 0.0
    return max(0.0, (ending.at - row.answered_at).total_seconds())


async def _free_sim(transaction: Transaction, inventory: Inventory, row: CallRow, at: datetime) -> None:
    session = transaction.session
    await session.flush()
    sim_id = await sim_rows.release_sim(session, row.id)
    if sim_id is None:
        return
    # A call that came in while this one held the SIM has it from now on.
    waiting = await call_rows.open_call_on_sim(session, sim_id)
    if waiting is not None:
        await sim_rows.claim_sim(session, sim_id, waiting.id, at)
    sim = await sim_rows.fresh_sim(session, sim_id)
    transaction.emit_sim(at, sim, inventory.holder(sim.iccid))

"""What a call between two of our own SIMs teaches: the caller id that the one shows is the other's number.

Only a suggestion: a stranger may call in the same moment, and a network may show a company's number for all its SIMs.
"""

from __future__ import annotations

from datetime import datetime

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Transaction
from modembank.bank.sim_records import NumberSource
from modembank.bus.vocabulary import Direction
from modembank.store import calls as call_rows
from modembank.store import sims as sim_rows
from modembank.store.models import SimRow


async def suggest_from_call(
    transaction: Transaction, inventory: Inventory, called: SimRow, caller: str | None, at: datetime
) -> None:
    """When exactly one SIM of ours is calling `called` now, suggest the caller id as its number."""
    if caller is None or called.number is None:
        return
    calling = [
        call
        for call in await call_rows.open_calls(transaction.session)
        if call.direction == Direction.OUTBOUND
        and call.to_number == called.number
        and call.dialing_at is not None
        and call.answered_at is None
    ]
    if len(calling) != 1 or calling[0].sim_id is None:
        return
    sim = await sim_rows.get_sim(transaction.session, calling[0].sim_id)
    if sim is None or caller in {sim.number, sim.suggested_number}:
        return
    sim.suggested_number, sim.suggested_by = caller, NumberSource.CALL
    transaction.emit_sim(at, sim, inventory.holder(sim.iccid))

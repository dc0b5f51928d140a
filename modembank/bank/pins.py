"""The PINs of cards: kept sealed, tried once when a card asks, never again after the card refused one.

What is about to be tried is committed before the host hears of it, so that a server that dies in between never tries
twice: `trying` that nobody carries out any more counts as `held`. A card that does not tell its ICCID before its PIN is
left alone: which PIN is its own would be a guess, and a guess burns a try.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from modembank.at.pin import is_pin
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.records import SimRecord
from modembank.bank.replies import error_from
from modembank.bank.sim_records import PinTrust
from modembank.bank.vault import Vault
from modembank.bank.views import Live, sim_record
from modembank.bus.bus import Bus
from modembank.bus.commands import EnterPin, EnterPuk, Refused
from modembank.bus.events import ModemSnapshot
from modembank.bus.vocabulary import ModemState
from modembank.errors import HostError, ModembankError, NotFoundError, PinWrongError, RequestError, WrongStateError
from modembank.store import sims as sim_rows
from modembank.store.audit import add_audit
from modembank.store.database import Database, Session
from modembank.store.models import SimRow

log = logging.getLogger(__name__)

# The counter is read twice and the card may be slow: 4 commands of at most 15 s.
CARD_DEADLINE_S = 60.0
BY_ITSELF = "modembank"


class PinKeeper:
    """Tries stored PINs, and carries out what persons do with PIN and PUK."""

    def __init__(self, vault: Vault, database: Database, bus: Bus, journal: Journal, inventory: Inventory) -> None:
        self._vault = vault
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self._running: dict[str, asyncio.Task[None]] = {}  # by ICCID; at most one for each card

    async def start(self) -> None:
        """A try that an earlier server did not end counts as made."""
        async with self._database.write() as session:
            await sim_rows.hold_pins(session, PinTrust.TRYING, PinTrust.HELD, "the server ended during a try")

    async def stop(self) -> None:
        """Let tries that run end, since their outcome must be written down."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def saw(self, host_id: str, snapshot: ModemSnapshot) -> None:
        """A modem told of itself: when its card asks for the PIN, try the stored one, beside the event stream."""
        iccid = snapshot.iccid
        if not _asks_pin(snapshot) or iccid is None or iccid in self._running:
            return
        live = self._inventory.at(host_id, snapshot.usb_path)
        if live is None or live.snapshot.iccid != iccid:
            return
        task = asyncio.create_task(self._try_by_itself(live, iccid), name=f"pin:{snapshot.usb_path}")
        self._running[iccid] = task
        task.add_done_callback(lambda _: self._running.pop(iccid, None))

    async def set_pin(self, sim_id: str, pin: str, actor: str) -> SimRecord:
        """Keep a PIN, and try it if the card asks for one now.

        Raises:
            NotFoundError, RequestError, VaultError.
        """
        if not is_pin(pin):
            raise RequestError("a PIN has 4 to 8 digits; nothing was stored")
        async with self._journal.transaction() as transaction:
            row = await _row(transaction.session, sim_id)
            row.pin_sealed = self._vault.seal(pin, row.iccid)
            row.pin_state, row.pin_note = PinTrust.STORED, ""
            await add_audit(transaction.session, actor, "sim.pin.set", sim_id)
            live = self._inventory.holder(row.iccid)
            transaction.emit_sim(datetime.now(UTC), row, live)
        if live is not None and _asks_pin(live.snapshot):
            await self._try(live, row.iccid, actor)
        return await self._record(sim_id)

    async def clear_pin(self, sim_id: str, actor: str) -> SimRecord:
        """Forget a PIN. Raises NotFoundError."""
        async with self._journal.transaction() as transaction:
            row = await _row(transaction.session, sim_id)
            row.pin_sealed, row.pin_state, row.pin_note = None, PinTrust.NONE, ""
            await add_audit(transaction.session, actor, "sim.pin.clear", sim_id)
            transaction.emit_sim(datetime.now(UTC), row, self._inventory.holder(row.iccid))
        return await self._record(sim_id)

    async def enter_puk(
        self, sim_id: str, puk: str, pin: str, tries_left: int | None, store: bool, actor: str
    ) -> SimRecord:
        """Unblock a card at a person's wish; the PIN that was stored is wrong from then on.

        Raises:
            NotFoundError, WrongStateError: no such SIM, or it asks for no PUK.
            PinWrongError, PinRefusedError: the card refused it, or nothing was tried.
            HostError: it may have been tried; look at the tries left.
        """
        async with self._journal.transaction() as transaction:
            row = await _row(transaction.session, sim_id)
            live = self._inventory.holder(row.iccid)
            if live is None or live.snapshot.lock != "puk":
                raise WrongStateError(f"SIM {sim_id} asks for no PUK")
            sealed = self._vault.seal(pin, row.iccid) if store else None
            await add_audit(transaction.session, actor, "sim.puk", sim_id)
        command = EnterPuk(
            usb_path=live.snapshot.usb_path,
            iccid=row.iccid,
            puk=puk,
            pin=pin,
            tries_left=tries_left,
            deadline_s=CARD_DEADLINE_S,
        )
        reply = await self._bus.request(live.host_id, command)
        if isinstance(reply, Refused):
            raise error_from(reply)
        async with self._journal.transaction() as transaction:
            row = await _row(transaction.session, sim_id)
            row.pin_sealed, row.pin_note = sealed, ""
            row.pin_state = PinTrust.STORED if sealed else PinTrust.NONE
            transaction.emit_sim(datetime.now(UTC), row, self._inventory.holder(row.iccid))
        return await self._record(sim_id)

    async def _try_by_itself(self, live: Live, iccid: str) -> None:
        try:
            await self._try(live, iccid, BY_ITSELF)
        except ModembankError as error:
            log.error("the PIN of the SIM in %s was not tried: %s", live.snapshot.usb_path, error)

    async def _try(self, live: Live, iccid: str, actor: str) -> None:
        """Hand the stored PIN to the card once, if it may be tried. Raises StoreError."""
        sealed = await self._begin(live, iccid, actor)
        if sealed is None:
            return
        state, note = await self._ask(live, iccid, sealed)
        async with self._journal.transaction() as transaction:
            row = await sim_rows.sim_by_iccid(transaction.session, iccid, lock=True)
            if row is None or row.pin_sealed != sealed:
                return  # a person changed the PIN meanwhile
            if row.pin_state != PinTrust.TRYING and state is not PinTrust.BAD:
                return  # the card was seen open, or taken out
            row.pin_state, row.pin_note = state, note
            now, live_now = datetime.now(UTC), self._inventory.holder(iccid)
            transaction.emit_sim(now, row, live_now)
            if state in {PinTrust.BAD, PinTrust.HELD}:
                log.warning("SIM %s stays locked: %s", row.id, note)
                transaction.emit_sim_alarm("sim.pin_refused", now, row, live_now, state=str(state), detail=note)

    async def _begin(self, live: Live, iccid: str, actor: str) -> str | None:
        """Commit that the PIN is about to be tried, and return it sealed; None when it may not be tried."""
        async with self._journal.transaction() as transaction:
            row = await sim_rows.sim_by_iccid(transaction.session, iccid, lock=True)
            if row is None or row.pin_sealed is None or row.pin_state != PinTrust.STORED:
                return None
            row.pin_state, row.pin_note = PinTrust.TRYING, ""
            await add_audit(transaction.session, actor, "sim.pin.try", row.id)
            transaction.emit_sim(datetime.now(UTC), row, live)
        return row.pin_sealed

    async def _ask(self, live: Live, iccid: str, sealed: str) -> tuple[PinTrust, str]:
        """What to make of the PIN after the host was asked to try it."""
        try:
            pin = self._vault.open(sealed, iccid)
            command = EnterPin(usb_path=live.snapshot.usb_path, iccid=iccid, pin=pin, deadline_s=CARD_DEADLINE_S)
            reply = await self._bus.request(live.host_id, command)
        except HostError as error:
            return PinTrust.HELD, f"what became of the try is not known: {error}"
        except ModembankError as error:
            return PinTrust.HELD, str(error)
        if not isinstance(reply, Refused):
            return PinTrust.STORED, ""
        if reply.code == PinWrongError.code:
            return PinTrust.BAD, f"{reply.detail}; set another PIN"
        if reply.code == WrongStateError.code:
            return PinTrust.STORED, ""  # it asks for none any more
        return PinTrust.HELD, reply.detail

    async def _record(self, sim_id: str) -> SimRecord:
        async with self._database.read() as session:
            row = await sim_rows.get_sim(session, sim_id)
        if row is None:
            raise NotFoundError(f"there is no SIM {sim_id}")
        return sim_record(row, self._inventory.holder(row.iccid))


def _asks_pin(snapshot: ModemSnapshot) -> bool:
    return snapshot.state is ModemState.SIM_LOCKED and snapshot.lock == "pin"


async def _row(session: Session, sim_id: str) -> SimRow:
    row = await sim_rows.get_sim(session, sim_id, lock=True)
    if row is None:
        raise NotFoundError(f"there is no SIM {sim_id}")
    return row

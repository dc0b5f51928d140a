"""The bank: one facade over policy, claims, records and the hosts behind the bus."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from itertools import count

from modembank.bank.balance import Balances
from modembank.bank.catalogue import Catalogue
from modembank.bank.control import Control
from modembank.bank.dialling import Dialler
from modembank.bank.events import EventStream
from modembank.bank.hosts import Hosts
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.keys import KeyService
from modembank.bank.messages import Messages
from modembank.bank.number_rules import NumberAsker
from modembank.bank.pins import PinKeeper
from modembank.bank.radio_history import RadioHistory
from modembank.bank.reconcile import GRACE, Reconciler
from modembank.bank.recorder import Recorder, levels_data
from modembank.bank.records import (
    CallQuery,
    CallRecord,
    Dialed,
    DialRequest,
    HostRecord,
    Idempotency,
    ModemPatch,
    ModemRecord,
    Page,
    PageQuery,
    Readiness,
    SimPatch,
    SimRecord,
)
from modembank.bank.sim_care import SimDoctor
from modembank.bank.ussd import UssdService
from modembank.bank.vault import Vault
from modembank.bank.views import call_record
from modembank.bus.bus import Bus
from modembank.bus.commands import TraceLine
from modembank.bus.events import AnyEvent, CallLevels, HostStopped, ModemChanged
from modembank.config import Settings
from modembank.errors import NotFoundError, StoreError
from modembank.store import calls as call_rows
from modembank.store.database import Database

log = logging.getLogger(__name__)

RECONCILE_S = 10.0  # I2: no call without a living owner for longer
# While the database is away events wait in the bus; it is asked again this often.
RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)


class Bank:
    """Everything a front end can ask for. Its errors are those of `errors.py`.

    Args:
        database: open and upgraded; the bank does not close it.
    """

    def __init__(self, settings: Settings, database: Database, bus: Bus) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self.events = EventStream(database)
        self.keys = KeyService(database)
        self._journal = Journal(database, self.events)
        self._inventory = Inventory(settings.country, settings.sims, settings.calls)
        self._hosts = Hosts(self._inventory)
        self.messages = Messages(settings, database, bus, self._journal, self._inventory)
        self.ussd = UssdService(settings, database, bus, self._journal, self._inventory)
        self.balances = Balances(settings.balance, database, self._journal, self._inventory, self.ussd)
        self._numbers = NumberAsker(settings, database, self._journal, self._inventory, self.ussd)
        self._recorder = Recorder(settings, self._journal, self._inventory, self._hosts, self.messages, self.ussd)
        self._dialler = Dialler(settings, database, bus, self._journal, self._inventory)
        self._control = Control(database, bus, self._journal, self._inventory, self._dialler)
        self._catalogue = Catalogue(settings, database, bus, self._journal, self._inventory)
        self._reconciler = Reconciler(database, bus, self._journal, self._inventory, self._hosts, self._recorder)
        self.pins = PinKeeper(Vault(settings.pin_key_file), database, bus, self._journal, self._inventory)
        self.radio = RadioHistory(settings.sims, database, self._inventory)
        self.sim_doctor = SimDoctor(database, bus, self._journal, self._inventory)
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Begin to record what hosts tell, and to compare calls with them."""
        await self.events.start()
        await self.messages.start()
        await self.ussd.start()
        await self.balances.start()
        await self.pins.start()
        self._tasks = (
            asyncio.create_task(self._bus.consume(self._record), name="bank-events"),
            asyncio.create_task(self._reconcile_regularly(), name="bank-reconcile"),
            asyncio.create_task(self.radio.run(), name="bank-radio"),
            asyncio.create_task(self._numbers.run(), name="bank-own-numbers"),
        )

    async def stop(self) -> None:
        """Stop recording; events not yet handled stay in the bus."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = ()
        await self.balances.stop()
        await self.messages.stop()
        await self.ussd.stop()
        await self.pins.stop()
        self.events.close()

    async def dial(self, request: DialRequest, *, actor: str, idempotency: Idempotency | None = None) -> Dialed:
        """Place a call; the record is committed before the host hears of it (I9).

        With the same Idempotency the first call is returned again, or its error raised again. An error that came
        after the record was written carries the `call_id`.

        Raises:
            InvalidNumberError, DestinationRefusedError, EmergencyNumberError: the number may not be dialled.
            NoSimAvailableError: no SIM can take the call; nothing was recorded.
            IdempotencyMismatchError, IdempotencyRunningError: about the key.
            HostError and others: the host did not take the call; its record is closed.
        """
        return await self._dialler.dial(request, actor, idempotency)

    async def answer(self, call_id: str, offer_sdp: str | None = None) -> Dialed:
        """Answer a ringing incoming call; the first one who does wins.

        Raises:
            NotFoundError, WrongStateError, HostError.
        """
        return await self._control.answer(call_id, offer_sdp)

    async def reject(self, call_id: str) -> CallRecord:
        """Refuse a ringing incoming call; raises like `answer`."""
        return await self._control.reject(call_id)

    async def hang_up(self, call_id: str) -> CallRecord:
        """End a call in any state; repeating it is harmless. Raises NotFoundError, HostError."""
        return await self._control.hang_up(call_id)

    async def dtmf(self, call_id: str, digits: str) -> CallRecord:
        """Send 1 to 64 digits 0-9 * # A-D; raises like `answer`, RequestError for other digits."""
        return await self._control.dtmf(call_id, digits)

    async def set_muted(self, call_id: str, muted: bool) -> CallRecord:
        """Silence the far side's voice, or let it through again; raises like `answer`."""
        return await self._control.set_muted(call_id, muted)

    async def set_held(self, call_id: str, held: bool) -> CallRecord:
        """Put a call on hold, or resume it; raises like `answer`."""
        return await self._control.set_held(call_id, held)

    async def attach(self, call_id: str, offer_sdp: str) -> str:
        """Join or re-join a far side; returns the SDP answer. Raises like `answer`, InvalidOfferError."""
        return await self._control.attach(call_id, offer_sdp)

    async def add_candidate(
        self,
        call_id: str,
        candidate: str | None,
        sdp_mid: str | None = None,
        sdp_m_line_index: int | None = None,
    ) -> None:
        """Pass on one trickled ICE candidate; None ends them. Raises like `answer`."""
        await self._control.add_candidate(call_id, candidate, sdp_mid, sdp_m_line_index)

    async def get_call(self, call_id: str) -> CallRecord:
        """One call. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await call_rows.get_call(session, call_id)
        if row is None:
            raise NotFoundError(f"there is no call {call_id}")
        return call_record(row)

    async def list_calls(self, query: CallQuery) -> Page[CallRecord]:
        """One page of calls, newest first."""
        async with self._database.read() as session:
            rows = await call_rows.page_of_calls(
                session, query.limit + 1, query.cursor, query.status, query.direction, query.sim_id
            )
        records = tuple(call_record(row) for row in rows[: query.limit])
        return Page(data=records, next_cursor=records[-1].id if len(rows) > query.limit else None)

    async def list_sims(self, query: PageQuery) -> Page[SimRecord]:
        """One page of SIMs in the order they were first seen."""
        return await self._catalogue.list_sims(query)

    async def get_sim(self, sim_id: str) -> SimRecord:
        """One SIM. Raises NotFoundError."""
        return await self._catalogue.get_sim(sim_id)

    async def patch_sim(self, sim_id: str, patch: SimPatch, *, actor: str) -> SimRecord:
        """Change a SIM. Raises NotFoundError, InvalidNumberError."""
        return await self._catalogue.patch_sim(sim_id, patch, actor)

    async def list_modems(self, query: PageQuery) -> Page[ModemRecord]:
        """One page of modems in the order they were first seen."""
        return await self._catalogue.list_modems(query)

    async def get_modem(self, modem_id: str) -> ModemRecord:
        """One modem. Raises NotFoundError."""
        return await self._catalogue.get_modem(modem_id)

    async def patch_modem(self, modem_id: str, patch: ModemPatch, *, actor: str) -> ModemRecord:
        """Change a modem. Raises NotFoundError."""
        return await self._catalogue.patch_modem(modem_id, patch, actor)

    async def release_modem(self, modem_id: str, *, actor: str) -> ModemRecord:
        """End a modem's quarantine: it is tried again. Raises NotFoundError, WrongStateError, HostError."""
        return await self._catalogue.release_modem(modem_id, actor)

    async def modem_trace(self, modem_id: str, limit: int = 200, *, transcript: bool = False) -> tuple[TraceLine, ...]:
        """The newest lines of a modem's AT trace, masked or redacted, oldest first. Raises NotFoundError, HostError."""
        return await self._catalogue.modem_trace(modem_id, limit, transcript=transcript)

    async def run_at(self, modem_id: str, line: str, *, unrestricted: bool, actor: str) -> tuple[str, ...]:
        """Send one audited command to a modem. Raises AtRefusedError, NotFoundError, HostError."""
        return await self._catalogue.run_at(modem_id, line, unrestricted, actor)

    async def list_hosts(self) -> tuple[HostRecord, ...]:
        """The hosts that were heard of since this bank started."""
        return self._hosts.records()

    async def ready(self) -> Readiness:
        """Whether this bank can carry a call; never raises."""
        try:
            await self._database.ping()
            database = True
        except StoreError:
            database = False
        return Readiness(database=database, hosts=self._hosts.connected(), modems_ready=self._inventory.ready())

    async def reconcile(self, grace: timedelta = GRACE) -> tuple[str, ...]:
        """Compare open calls with their hosts now; returns the ids of the calls that were closed."""
        return await self._reconciler.run(grace)

    async def _record(self, event: AnyEvent) -> None:
        """Record one event, however long the database is away; one that breaks us is logged and left out."""
        if isinstance(event, CallLevels):
            self.events.publish_levels(event.at, levels_data(event))
            return
        if not isinstance(event, HostStopped):
            self._hosts.told(event.host_id, datetime.now(UTC))
        for attempt in count():
            try:
                await self._recorder.handle(event)
            except StoreError as error:
                log.error("%s waits for the database: %s", type(event).__name__, error)
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            except Exception:
                log.exception("%s could not be recorded", type(event).__name__)
                return
            else:
                break
        if isinstance(event, ModemChanged):
            self.pins.saw(event.host_id, event.modem)

    async def _reconcile_regularly(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_S)
            try:
                await self._reconciler.run()
            except StoreError as error:
                log.warning("calls were not compared with their hosts: %s", error)
            except Exception:
                log.exception("calls were not compared with their hosts")

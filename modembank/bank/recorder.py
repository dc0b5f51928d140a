"""What hosts tell becomes rows and public events, in order, one transaction each."""

from __future__ import annotations

import logging

from modembank.bank.closing import Ending, close_call, ending_of
from modembank.bank.healing import record_healing, record_incident
from modembank.bank.hosts import Hosts
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal, Transaction
from modembank.bank.messages import Messages
from modembank.bank.numbers import caller_number
from modembank.bank.own_numbers import suggest_from_call
from modembank.bank.records import JsonValue
from modembank.bank.sim_care import record_forwarding
from modembank.bank.ussd import UssdService
from modembank.bank.wire import to_json
from modembank.bus.events import (
    AnyEvent,
    CallAnswered,
    CallDialing,
    CallDtmf,
    CallEarlyMedia,
    CallEnded,
    CallHeld,
    CallLevels,
    CallMedia,
    CallMuted,
    CallQuiet,
    CallRinging,
    HostIncident,
    HostStarted,
    HostStopped,
    IncomingCall,
    LeftOverCall,
    MessagesRead,
    MessageStoreFull,
    ModemChanged,
    ModemGone,
    ModemHealing,
    ModemSnapshot,
    SimForwarding,
    UssdReceived,
)
from modembank.bus.vocabulary import CallStatus, Cause, Direction, ModemState
from modembank.config import Settings
from modembank.store import calls as call_rows
from modembank.store import sims as sim_rows
from modembank.store.models import CallRow, SimRow

log = logging.getLogger(__name__)

Progress = (
    CallDialing
    | CallRinging
    | CallEarlyMedia
    | CallAnswered
    | CallDtmf
    | CallHeld
    | CallMuted
    | CallMedia
    | CallQuiet
    | CallEnded
)


class Recorder:
    """Handles one event after the other; running one again after a failed transaction is safe."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        inventory: Inventory,
        hosts: Hosts,
        messages: Messages,
        ussd: UssdService,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._inventory = inventory
        self._hosts = hosts
        self._messages = messages
        self._ussd = ussd

    async def handle(self, event: AnyEvent) -> None:
        """Record one event.

        Raises:
            StoreError: the database is not there; nothing was recorded.
        """
        async with self._journal.transaction() as transaction:
            match event:
                case HostStarted() | HostStopped():
                    await self._host(transaction, event)
                case ModemChanged():
                    await self._inventory.changed(transaction, event.host_id, event.modem, event.at)
                case ModemGone():
                    await self._inventory.gone(transaction, event.host_id, event.usb_path, event.at)
                case LeftOverCall():
                    self._left_over(transaction, event)
                case ModemHealing():
                    await record_healing(transaction, self._inventory, event)
                case HostIncident():
                    record_incident(transaction, event)
                case SimForwarding():
                    await record_forwarding(transaction, self._inventory, event)
                case IncomingCall():
                    await self._incoming(transaction, event)
                case MessagesRead():
                    await self._messages.inbox.take(transaction, event)
                case MessageStoreFull():
                    self._messages.inbox.full(transaction, event)
                case UssdReceived():
                    await self._ussd.received(transaction, event)
                case CallLevels():
                    raise AssertionError("level meters are not recorded")
                case _:
                    await self._progress(transaction, event)

    async def _host(self, transaction: Transaction, event: HostStarted | HostStopped) -> None:
        """A host that starts or stops carries no call: what is still open here is over."""
        started = isinstance(event, HostStarted)
        cause = Cause.SERVER_RESTART if started else Cause.HOST_UNREACHABLE
        ending = Ending(at=event.at, cause=cause, detail="the host started again" if started else "the host stopped")
        for row in await call_rows.open_calls(transaction.session, event.host_id, event.at):
            await self.close(transaction, row.id, ending)
        await self._inventory.host_gone(transaction, event.host_id, event.at)
        if started:
            record = self._hosts.told(event.host_id, event.at, started=True)
        else:
            record = self._hosts.silent(event.host_id, event.at, stopped=True)
        transaction.emit(
            "host.started" if started else "host.stopped",
            event.at,
            {"host": {**to_json(record), "modems": 0, "modems_ready": 0}},
        )

    async def close(self, transaction: Transaction, call_id: str, ending: Ending) -> bool:
        """End a call; False when it had ended before."""
        row = await call_rows.get_call(transaction.session, call_id, lock=True)
        return row is not None and await close_call(transaction, self._inventory, row, ending)

    def _left_over(self, transaction: Transaction, event: LeftOverCall) -> None:
        log.warning("modem %s on %s had %d calls nobody owned", event.usb_path, event.host_id, event.count)
        data: dict[str, JsonValue] = {
            "host_id": event.host_id,
            "usb_path": event.usb_path,
            "iccid": event.iccid,
            "count": event.count,
        }
        transaction.emit("modem.left_over_call", event.at, data)

    async def _incoming(self, transaction: Transaction, event: IncomingCall) -> None:
        session = transaction.session
        if await call_rows.get_call(session, event.call_id) is not None:
            return
        live = self._inventory.at(event.host_id, event.usb_path)
        snapshot = live.snapshot if live else None
        if snapshot is None or snapshot.iccid != event.iccid:
            snapshot = _unseen(event)
        sim = await self._inventory.sim_row(session, snapshot, event.at)
        row = self._incoming_row(event, sim, live.modem.id if live else None)
        session.add(row)
        await session.flush()
        epoch = await sim_rows.claim_sim(session, sim.id, row.id, event.at)
        if epoch is None:
            log.warning("call %s came in on a SIM that call %s has", row.id, sim.claimed_by)
        row.claim_epoch = epoch or 0
        await session.flush()
        await session.refresh(row, ["sim", "modem"])
        sim = await sim_rows.fresh_sim(session, sim.id)
        transaction.emit_call("call.ringing", event.at, row)
        transaction.emit_sim(event.at, sim, self._inventory.holder(sim.iccid))
        await suggest_from_call(transaction, self._inventory, sim, row.from_number, event.at)

    def _incoming_row(self, event: IncomingCall, sim: SimRow, modem_id: str | None) -> CallRow:
        limits = self._settings.calls
        return CallRow(
            id=event.call_id,
            direction=Direction.INBOUND,
            status=CallStatus.RINGING,
            to_number=sim.number,
            from_number=caller_number(event.number, self._settings.country),
            sim_id=sim.id,
            modem_id=modem_id,
            host_id=event.host_id,
            usb_path=event.usb_path,
            iccid=event.iccid,
            created_at=event.at,
            ringing_at=event.at,
            timeout_s=limits.answer_timeout_s,
            max_duration_s=limits.max_duration_s,
            call_metadata={},
        )

    async def _progress(self, transaction: Transaction, event: Progress) -> None:
        row = await call_rows.get_call(transaction.session, event.call_id, lock=True)
        if row is None:
            log.warning("%s of call %s, which has no record", type(event).__name__, event.call_id)
        elif isinstance(event, CallEnded):
            await close_call(transaction, self._inventory, row, ending_of(event))
        elif row.ended_at is not None:
            log.info("%s after the end of call %s", type(event).__name__, row.id)
        else:
            _advance(transaction, row, event)


def _unseen(event: IncomingCall) -> ModemSnapshot:
    """A modem that rings before it told of itself."""
    return ModemSnapshot(usb_path=event.usb_path, dialect="", state=ModemState.IN_CALL, iccid=event.iccid)


def _advance(transaction: Transaction, row: CallRow, event: Progress) -> None:
    """Write one step of progress; a step that was told before changes nothing."""
    match event:
        case CallDialing() if row.dialing_at is None:
            row.dialing_at = event.at
            _status(row, CallStatus.DIALING, CallStatus.QUEUED)
            transaction.emit_call("call.dialing", event.at, row)
        case CallRinging() if row.ringing_at is None:
            row.ringing_at = event.at
            _status(row, CallStatus.RINGING, CallStatus.QUEUED, CallStatus.DIALING)
            transaction.emit_call("call.ringing", event.at, row)
        case CallEarlyMedia() if row.early_media_at is None:
            row.early_media, row.early_media_at = True, event.at
            transaction.emit_call("call.early_media", event.at, row)
        case CallAnswered() if row.answered_at is None:
            row.answered_at = event.at
            row.status = CallStatus.IN_PROGRESS
            transaction.emit_call("call.answered", event.at, row)
        case CallDtmf():
            transaction.emit_call("call.dtmf", event.at, row, digit=event.digit, from_far=event.from_far)
        case CallHeld():
            row.held = event.held
            transaction.emit_call("call.held", event.at, row)
        case CallMuted():
            row.muted = event.muted
            transaction.emit_call("call.muted", event.at, row)
        case CallMedia():
            row.media = event.state
            transaction.emit_call("call.media", event.at, row, state=str(event.state))
        case CallQuiet():
            row.quiet = [str(one) for one in event.directions]
            transaction.emit_call("call.quiet", event.at, row)
        case _:
            log.info("%s of call %s was told before", type(event).__name__, row.id)


def _status(row: CallRow, status: CallStatus, *before: CallStatus) -> None:
    if row.status in before:
        row.status = status


def levels_data(event: CallLevels) -> dict[str, JsonValue]:
    """Return the data of a level meter."""
    return {
        "call_id": event.call_id,
        "to_far_dbfs": round(event.to_far_dbfs, 1),
        "from_far_dbfs": round(event.from_far_dbfs, 1),
    }

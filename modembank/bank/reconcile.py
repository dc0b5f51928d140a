"""Compare our open calls with what the hosts say they carry, so that no call lives on one side only (I2)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from modembank.bank.closing import Ending
from modembank.bank.hosts import Hosts
from modembank.bank.inventory import Inventory
from modembank.bank.journal import Journal
from modembank.bank.recorder import Recorder
from modembank.bus.bus import Bus
from modembank.bus.commands import HangUp, HostSnapshot, Snapshot
from modembank.bus.vocabulary import Cause, HangupSource
from modembank.errors import HostError
from modembank.store import calls as call_rows
from modembank.store import idempotency as request_rows
from modembank.store.database import Database

log = logging.getLogger(__name__)

# A younger call may still be on its way to the host.
GRACE = timedelta(seconds=10)
IDEMPOTENCY_KEPT = timedelta(hours=24)


class Reconciler:
    """One comparison at a time, started by the bank every few seconds."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        journal: Journal,
        inventory: Inventory,
        hosts: Hosts,
        recorder: Recorder,
    ) -> None:
        self._database = database
        self._bus = bus
        self._journal = journal
        self._inventory = inventory
        self._hosts = hosts
        self._recorder = recorder

    async def run(self, grace: timedelta = GRACE) -> tuple[str, ...]:
        """Close open calls older than `grace` that their host does not carry; end calls at hosts that are over here.

        Returns:
            The ids of the calls that were closed.

        Raises:
            StoreError: the database is not there.
        """
        now = datetime.now(UTC)
        async with self._database.read() as session:
            rows = await call_rows.open_calls(session, created_before=now - grace)
        suspects = {row.id: row.host_id for row in rows}
        closed: list[str] = []
        for host_id in sorted(self._hosts.expected() | set(suspects.values())):
            snapshot = await self._ask(host_id)
            carried = {call.call_id for call in snapshot.calls} if snapshot else set()
            lost = [call for call, host in suspects.items() if host == host_id and call not in carried]
            cause = Cause.UNSPECIFIED if snapshot else Cause.HOST_UNREACHABLE
            closed += [call for call in lost if await self._close(call, cause)]
            if snapshot:
                await self._take_modems(snapshot)
                await self._end_strangers(snapshot)
        async with self._database.write() as session:
            await request_rows.forget_requests(session, now - IDEMPOTENCY_KEPT)
        return tuple(closed)

    async def _ask(self, host_id: str) -> HostSnapshot | None:
        try:
            reply = await self._bus.request(host_id, Snapshot(deadline_s=5.0))
        except HostError as error:
            log.warning("host %s does not tell what it runs: %s", host_id, error)
            self._hosts.silent(host_id, datetime.now(UTC))
            return None
        if not isinstance(reply, HostSnapshot):
            return None
        self._hosts.told(host_id, datetime.now(UTC))
        return reply

    async def _close(self, call_id: str, cause: Cause) -> bool:
        detail = "its host does not answer" if cause is Cause.HOST_UNREACHABLE else "its host does not carry it"
        ending = Ending(at=datetime.now(UTC), cause=cause, detail=detail)
        async with self._journal.transaction() as transaction:
            ended = await self._recorder.close(transaction, call_id, ending)
        if ended:
            log.warning("call %s was closed: %s", call_id, detail)
        return ended

    async def _take_modems(self, snapshot: HostSnapshot) -> None:
        """Learn of modems whose events we missed, such as those from before this bank started."""
        for modem in snapshot.modems:
            if self._inventory.at(snapshot.host_id, modem.usb_path) is None:
                async with self._journal.transaction() as transaction:
                    await self._inventory.changed(transaction, snapshot.host_id, modem, datetime.now(UTC))

    async def _end_strangers(self, snapshot: HostSnapshot) -> None:
        """Release calls that a host still carries though their record is closed. One without any record may be an
        incoming call whose event is still queued; it is left alone."""
        for call in snapshot.calls:
            async with self._database.read() as session:
                row = await call_rows.get_call(session, call.call_id)
            if row is None or row.ended_at is None:
                continue
            log.warning("host %s still carried call %s, which is over", snapshot.host_id, call.call_id)
            command = HangUp(call_id=call.call_id, source=HangupSource.SYSTEM, cause=Cause.UNSPECIFIED)
            try:
                await self._bus.request(snapshot.host_id, command)
            except HostError as error:
                log.warning("call %s could not be released: %s", call.call_id, error)

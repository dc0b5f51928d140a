"""Which hosts were heard of since this bank started."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from modembank.bank.inventory import Inventory
from modembank.bank.records import HostRecord
from modembank.bus.vocabulary import ModemState


class Hosts:
    """The hosts, in the order they were first heard of."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._hosts: dict[str, HostRecord] = {}

    def told(self, host_id: str, at: datetime, *, connected: bool = True, started: bool = False) -> HostRecord:
        """Note that a host said something, or that it does not answer any more."""
        before = self._hosts.get(host_id)
        record = HostRecord(
            id=host_id,
            connected=connected,
            modems=0,
            modems_ready=0,
            started_at=at if started else (before.started_at if before else None),
            last_seen_at=at if connected or before is None else before.last_seen_at,
        )
        self._hosts[host_id] = record
        return record

    def ids(self) -> set[str]:
        """All hosts that should answer."""
        return {host.id for host in self._hosts.values() if host.connected}

    def records(self) -> tuple[HostRecord, ...]:
        """All hosts with what they run now."""
        return tuple(self._counted(host) for host in self._hosts.values())

    def _counted(self, host: HostRecord) -> HostRecord:
        modems = self._inventory.of_host(host.id)
        ready = sum(live.snapshot.state in (ModemState.READY, ModemState.IN_CALL) for live in modems)
        return replace(host, modems=len(modems), modems_ready=ready)

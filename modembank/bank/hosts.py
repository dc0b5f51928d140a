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
        self._stopped: set[str] = set()

    def told(self, host_id: str, at: datetime, *, started: bool = False) -> HostRecord:
        """Note that a host said something."""
        before = self._hosts.get(host_id)
        started_at = at if started else (before.started_at if before else None)
        self._stopped.discard(host_id)
        self._hosts[host_id] = HostRecord(
            id=host_id, connected=True, modems=0, modems_ready=0, started_at=started_at, last_seen_at=at
        )
        return self._hosts[host_id]

    def silent(self, host_id: str, at: datetime, *, stopped: bool = False) -> HostRecord:
        """Note that a host does not answer, or that it has stopped in good order and will not."""
        before = self._hosts.get(host_id) or self.told(host_id, at)
        if stopped:
            self._stopped.add(host_id)
        self._hosts[host_id] = replace(before, connected=False)
        return self._hosts[host_id]

    def expected(self) -> set[str]:
        """All hosts that should answer: those that did not stop."""
        return set(self._hosts) - self._stopped

    def connected(self) -> int:
        """How many hosts answered the last time."""
        return sum(host.connected for host in self._hosts.values())

    def records(self) -> tuple[HostRecord, ...]:
        """All hosts with what they run now."""
        return tuple(self._counted(host) for host in self._hosts.values())

    def _counted(self, host: HostRecord) -> HostRecord:
        modems = self._inventory.of_host(host.id)
        ready = sum(live.snapshot.state in (ModemState.READY, ModemState.IN_CALL) for live in modems)
        return replace(host, modems=len(modems), modems_ready=ready)

"""What hosts tell of ailing modems and failed hubs becomes public events; the newest word of each is kept to show."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from modembank.bank.inventory import Inventory
from modembank.bank.journal import Transaction
from modembank.bank.records import HealingRecord, JsonValue
from modembank.bank.views import modem_record
from modembank.bank.wire import to_json
from modembank.bus.events import HostIncident, ModemHealing
from modembank.bus.vocabulary import HealingPhase, IncidentPhase
from modembank.store import modems as modem_rows

log = logging.getLogger(__name__)

_KINDS: Mapping[HealingPhase, str] = {
    HealingPhase.TRYING: "modem.healing",
    HealingPhase.HEALED: "modem.healed",
    HealingPhase.QUARANTINED: "modem.quarantined",
    HealingPhase.RELEASED: "modem.released",
}


async def record_healing(transaction: Transaction, inventory: Inventory, event: ModemHealing) -> None:
    """Tell of a step; a modem that is well again has nothing to show any more."""
    live = inventory.at(event.host_id, event.usb_path)
    rows = await modem_rows.modems_at(transaction.session, event.host_id, event.usb_path)
    row = next((one for one in rows if live is not None and one.id == live.modem.id), rows[0] if rows else None)
    if row is None:
        log.warning("modem %s on %s is healed before it was seen", event.usb_path, event.host_id)
        return
    record = HealingRecord(
        phase=event.phase,
        trouble=event.trouble,
        step=event.step,
        detail=event.detail,
        since=event.since,
        until=event.until,
    )
    shown = None if event.phase is HealingPhase.HEALED else record
    modem_id = row.id
    transaction.after_commit.append(lambda: inventory.put_healing(event.host_id, modem_id, shown))
    data: dict[str, JsonValue] = {"modem": to_json(modem_record(row, live, shown)), "healing": to_json(record)}
    transaction.emit(_KINDS[event.phase], event.at, data)


def record_incident(transaction: Transaction, event: HostIncident) -> None:
    """Tell of a hub."""
    modems: list[JsonValue] = list(event.modems)
    missing: list[JsonValue] = list(event.missing)
    data: dict[str, JsonValue] = {
        "host_id": event.host_id,
        "hub": event.hub,
        "modems": modems,
        "missing": missing,
        "detail": event.detail,
    }
    kind = "host.incident" if event.phase is IncidentPhase.BEGAN else "host.incident_over"
    transaction.emit(kind, event.at, data)

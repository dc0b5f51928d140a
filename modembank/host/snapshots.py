"""From the driver's snapshot to the bus's."""

from __future__ import annotations

from dataclasses import replace

from modembank.bus.events import ModemSnapshot
from modembank.bus.vocabulary import ModemState
from modembank.modem.info import ModemInfo


def snapshot_of(info: ModemInfo, *, state: ModemState | None = None, detail: str | None = None) -> ModemSnapshot:
    """Return what crosses the seam; `state` and `detail` say what the host knows better."""
    return ModemSnapshot(
        usb_path=info.usb_path,
        dialect=info.dialect,
        state=state or info.state,
        state_detail=info.state_detail if detail is None else detail,
        slot=info.slot,
        manufacturer=info.manufacturer,
        model=info.model,
        revision=info.revision,
        imei=info.imei,
        iccid=info.iccid,
        imsi=info.imsi,
        number=info.number,
        registration=info.registration.name.lower(),
        operator=info.operator,
        plmn=info.plmn,
        access=info.access,
        rssi_dbm=info.rssi_dbm,
        voice=info.voice,
        at_port=info.at_port,
        audio_port=info.audio_port,
        lock=info.lock.lock if info.lock else None,
        pin_left=info.lock.pin_left if info.lock else None,
        puk_left=info.lock.puk_left if info.lock else None,
        denial=info.denial,
        asking=info.asking,
    )


def is_small_news(before: ModemSnapshot, now: ModemSnapshot) -> bool:
    """Whether only changed what nobody waits for: signal, access technology, the operator's name."""
    return before == replace(now, rssi_dbm=before.rssi_dbm, access=before.access, operator=before.operator)

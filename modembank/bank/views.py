"""Rows, and what is known live, as records."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.bank.records import (
    Balance,
    CallRecord,
    FilterCount,
    Hangup,
    HealingRecord,
    ModemRecord,
    ModemRef,
    SimRecord,
    SimRef,
    SimState,
    Why,
)
from modembank.bank.sim_records import NumberSource, PinTrust, SimForward, SimLock, StoredPin
from modembank.bus.events import MediaQuality, ModemSnapshot
from modembank.bus.vocabulary import AudioDirection, CallStatus, Cause, Direction, HangupSource, MediaState, ModemState
from modembank.store.models import CallRow, JsonData, ModemRow, SimRow

SIM_STATES = {
    ModemState.OPENING: SimState.STARTING,
    ModemState.STARTING: SimState.STARTING,
    ModemState.NO_SIM: SimState.ABSENT,
    ModemState.SIM_LOCKED: SimState.SIM_LOCKED,
    ModemState.SEARCHING: SimState.SEARCHING,
    ModemState.DENIED: SimState.DENIED,
    ModemState.READY: SimState.READY,
    ModemState.IN_CALL: SimState.IN_CALL,
    ModemState.FAILED: SimState.FAILED,
    ModemState.QUARANTINED: SimState.FAILED,
    ModemState.LOST: SimState.ABSENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A modem that a host runs now, and the inventory rows that it and its SIM have."""

    host_id: str
    snapshot: ModemSnapshot
    modem: ModemRef
    modem_enabled: bool
    sim: SimRef | None


def sim_ref(row: SimRow) -> SimRef:
    """Name a SIM."""
    return SimRef(id=row.id, label=row.label, number=row.number, iccid=row.iccid)


def modem_ref(row: ModemRow) -> ModemRef:
    """Name a modem."""
    return ModemRef(id=row.id, label=row.label, usb_path=row.usb_path)


def sim_record(row: SimRow, live: Live | None) -> SimRecord:
    """Return a SIM; `live` is the modem that holds it."""
    snapshot = live.snapshot if live else None
    return SimRecord(
        id=row.id,
        iccid=row.iccid,
        imsi=row.imsi,
        number=row.number,
        label=row.label,
        tags=tuple(row.tags),
        enabled=row.enabled,
        notes=row.notes,
        state=sim_state(snapshot, row.claimed_by is not None),
        state_detail=snapshot.state_detail if snapshot else "in no modem",
        lock=_lock(snapshot),
        pin=StoredPin(state=PinTrust(row.pin_state or PinTrust.NONE), note=row.pin_note or ""),
        number_source=_number_source(row),
        suggested_number=row.suggested_number,
        suggested_by=NumberSource(row.suggested_by) if row.suggested_by else None,
        roaming=row.roaming,
        allowed_operators=tuple(row.allowed_operators or ()),
        forbidden_operators=tuple(row.forbidden_operators or ()),
        forwarding=forwards(row.forwarding),
        forwarding_at=row.forwarding_at,
        operator=snapshot.operator if snapshot else None,
        plmn=snapshot.plmn if snapshot else None,
        registration=snapshot.registration if snapshot else "unknown",
        access=snapshot.access if snapshot else None,
        rssi_dbm=snapshot.rssi_dbm if snapshot else None,
        modem=live.modem if live else None,
        call_id=row.claimed_by,
        last_used_at=row.last_used_at,
        balance=_balance(row.balance),
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )


def _balance(data: dict[str, JsonData] | None) -> Balance | None:
    return None if data is None else Balance(**{name: str(value) for name, value in data.items()})


def sim_state(snapshot: ModemSnapshot | None, claimed: bool) -> SimState:
    """Return what a SIM can do: nothing without a modem, else what its modem can, unless a call has it."""
    if snapshot is None:
        return SimState.ABSENT
    state = SIM_STATES[snapshot.state]
    if state is SimState.SIM_LOCKED:
        return {"pin": SimState.SIM_PIN, "puk": SimState.SIM_PUK}.get(snapshot.lock or "", state)
    return SimState.IN_CALL if claimed and state is SimState.READY else state


def forwards(kept: dict[str, JsonData] | None) -> tuple[SimForward, ...] | None:
    """Return where a SIM's calls go as the network told last; None when it was never asked."""
    if kept is None:
        return None
    return tuple(
        SimForward(reason=reason, number=None if number is None else str(number)) for reason, number in kept.items()
    )


def _lock(snapshot: ModemSnapshot | None) -> SimLock | None:
    if snapshot is None or snapshot.lock is None:
        return None
    return SimLock(kind=snapshot.lock, pin_left=snapshot.pin_left, puk_left=snapshot.puk_left)


def _number_source(row: SimRow) -> NumberSource | None:
    if row.number is None:
        return None
    return NumberSource.PERSON if row.number_by_person else NumberSource(row.number_source or NumberSource.CARD)


def modem_record(row: ModemRow, live: Live | None, healing: HealingRecord | None) -> ModemRecord:
    """Return a modem; `live` None when it is not attached, `healing` None when nothing is being done about it."""
    snapshot = live.snapshot if live else None
    return ModemRecord(
        id=row.id,
        host_id=row.host_id,
        usb_path=row.usb_path,
        slot=row.slot,
        imei=row.imei,
        dialect=row.dialect,
        manufacturer=row.manufacturer,
        model=row.model,
        revision=row.revision,
        label=row.label,
        tags=tuple(row.tags),
        enabled=row.enabled,
        notes=row.notes,
        state=snapshot.state if snapshot else ModemState.LOST,
        state_detail=snapshot.state_detail if snapshot else "not attached",
        voice=snapshot.voice if snapshot else False,
        operator=snapshot.operator if snapshot else None,
        plmn=snapshot.plmn if snapshot else None,
        registration=snapshot.registration if snapshot else "unknown",
        access=snapshot.access if snapshot else None,
        rssi_dbm=snapshot.rssi_dbm if snapshot else None,
        sim=live.sim if live else None,
        at_port=row.at_port,
        audio_port=row.audio_port,
        healing=healing,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )


def call_record(row: CallRow) -> CallRecord:
    """Return a call."""
    return CallRecord(
        id=row.id,
        direction=Direction(row.direction),
        status=CallStatus(row.status),
        to=row.to_number,
        from_=row.from_number,
        sim=sim_ref(row.sim) if row.sim else None,
        modem=modem_ref(row.modem) if row.modem else None,
        why=why_of(row.why),
        early_media=row.early_media,
        muted=row.muted,
        held=row.held,
        media=MediaState(row.media),
        quiet=tuple(AudioDirection(one) for one in row.quiet),
        created_at=row.created_at,
        dialing_at=row.dialing_at,
        ringing_at=row.ringing_at,
        early_media_at=row.early_media_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        duration_s=row.duration_s,
        timeout_s=row.timeout_s,
        max_duration_s=row.max_duration_s,
        metadata=dict(row.call_metadata),
        hangup=_hangup(row),
        quality=_quality(row.quality),
    )


def _hangup(row: CallRow) -> Hangup | None:
    if row.hangup_source is None or row.hangup_cause is None:
        return None
    return Hangup(
        source=HangupSource(row.hangup_source),
        cause=Cause(row.hangup_cause),
        q850=row.hangup_q850,
        detail=row.hangup_detail or "",
    )


def why_of(data: dict[str, JsonData] | None) -> Why | None:
    """Read back how a SIM was chosen."""
    if data is None:
        return None
    filters = data["filters"]
    assert isinstance(filters, list)
    return Why(
        winner=str(data["winner"]),
        filters=tuple(_filter(item) for item in filters),
        ranking=str(data["ranking"]),
        considered=_int(data["considered"]),
    )


def _filter(data: JsonData) -> FilterCount:
    assert isinstance(data, dict)
    return FilterCount(name=str(data["name"]), removed=_int(data["removed"]))


def _quality(data: dict[str, JsonData] | None) -> MediaQuality | None:
    if data is None:
        return None
    codec, rtt_ms = data["codec"], data["rtt_ms"]
    return MediaQuality(
        codec=None if codec is None else str(codec),
        frames_to_far=_int(data["frames_to_far"]),
        frames_from_far=_int(data["frames_from_far"]),
        lost=_int(data["lost"]),
        late=_int(data["late"]),
        concealed=_int(data["concealed"]),
        dropped=_int(data["dropped"]),
        jitter_ms=_float(data["jitter_ms"]),
        rtt_ms=None if rtt_ms is None else _float(rtt_ms),
    )


def _int(value: JsonData) -> int:
    assert isinstance(value, int)
    return value


def _float(value: JsonData) -> float:
    assert isinstance(value, int | float)
    return float(value)

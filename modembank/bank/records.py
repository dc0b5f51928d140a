"""What the bank hands to its front ends: frozen records with the fields of the REST contract.

All datetimes are aware UTC. `bank/wire.py` turns a record into its JSON form. Source: design.md section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from modembank.bank.sim_records import NumberSource, OperatorPatch, SimForward, SimLock, StoredPin
from modembank.bus.events import MediaQuality
from modembank.bus.vocabulary import (
    AudioDirection,
    CallStatus,
    Cause,
    Direction,
    HangupSource,
    HealingPhase,
    HealingStep,
    MediaState,
    ModemState,
    Trouble,
)

RecordT = TypeVar("RecordT")

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]


class SimState(StrEnum):
    """What a SIM can do now; `absent` while no live modem holds it."""

    READY = "ready"
    IN_CALL = "in_call"
    SEARCHING = "searching"
    DENIED = "denied"
    SIM_PIN = "sim_pin"
    SIM_PUK = "sim_puk"
    SIM_LOCKED = "sim_locked"
    STARTING = "starting"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimRef:
    """A SIM, as other records name it."""

    id: str
    label: str
    number: str | None
    iccid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemRef:
    """A modem, as other records name it."""

    id: str
    label: str
    usb_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterCount:
    """How many SIMs one filter of the policy removed."""

    name: str
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """How a SIM was chosen: `considered` SIMs, the filters in order, then the ranking; `winner` is a SIM id."""

    winner: str
    filters: tuple[FilterCount, ...]
    ranking: str
    considered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """Who ended a call and why; `q850` is the cause number of ITU-T Q.850 when the network told one."""

    source: HangupSource
    cause: Cause
    q850: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call. `to` and `from_` are E.164, None when withheld or not known; `duration_s` is answer to end."""

    id: str
    direction: Direction
    status: CallStatus
    to: str | None
    from_: str | None
    sim: SimRef | None
    modem: ModemRef | None
    why: Why | None
    early_media: bool
    muted: bool
    held: bool
    media: MediaState
    quiet: tuple[AudioDirection, ...]
    created_at: datetime
    dialing_at: datetime | None
    ringing_at: datetime | None
    early_media_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_s: float
    timeout_s: float
    max_duration_s: float
    metadata: Mapping[str, str]
    hangup: Hangup | None
    quality: MediaQuality | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an operator said is left: a decimal number as text, its unit, and when (RFC 3339)."""

    amount: str
    unit: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimRecord:
    """A SIM; the row stays when the card is taken away."""

    id: str
    iccid: str
    imsi: str | None
    number: str | None
    label: str
    tags: tuple[str, ...]
    enabled: bool
    notes: str
    state: SimState
    state_detail: str
    lock: SimLock | None
    pin: StoredPin
    number_source: NumberSource | None
    suggested_number: str | None
    suggested_by: NumberSource | None
    roaming: bool | None
    allowed_operators: tuple[str, ...]
    forbidden_operators: tuple[str, ...]
    forwarding: tuple[SimForward, ...] | None
    forwarding_at: datetime | None
    operator: str | None
    plmn: str | None
    registration: str
    access: str | None
    rssi_dbm: int | None
    modem: ModemRef | None
    call_id: str | None
    last_used_at: datetime | None
    balance: Balance | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingRecord:
    """What is being done about a modem; `until` is when its quarantine ends by itself."""

    phase: HealingPhase
    trouble: Trouble
    step: HealingStep
    detail: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemRecord:
    """A modem; `lost` while it is not attached."""

    id: str
    host_id: str
    usb_path: str
    slot: str | None
    imei: str | None
    dialect: str
    manufacturer: str | None
    model: str | None
    revision: str | None
    label: str
    tags: tuple[str, ...]
    enabled: bool
    notes: str
    state: ModemState
    state_detail: str
    voice: bool
    operator: str | None
    plmn: str | None
    registration: str
    access: str | None
    rssi_dbm: int | None
    sim: SimRef | None
    at_port: str
    audio_port: str | None
    healing: HealingRecord | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """A host that was heard of since this bank started."""

    id: str
    connected: bool
    modems: int
    modems_ready: int
    started_at: datetime | None
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """An API key without its secret; `prefix` is the readable part of it."""

    id: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """Who did what, when."""

    at: datetime
    actor: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event of the public stream. `data` has its JSON form already; `sequence` counts per call from 1, else 0."""

    id: str
    type: str
    at: datetime
    sequence: int
    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[RecordT]):
    """One page of a list; `next_cursor` None on the last."""

    data: tuple[RecordT, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether this bank can carry a call now."""

    database: bool
    hosts: int
    modems_ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRequest:
    """A wish to call. `from_` names a SIM by id, ICCID or own number; `pool` is a tag; None takes the settings."""

    to: str
    from_: str | None = None
    pool: str | None = None
    timeout_s: float | None = None
    max_duration_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    offer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """An Idempotency-Key of one API key, with a hash of the request's body."""

    key: str
    api_key_id: str
    body_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialed:
    """A call and, when an offer came with the request, the host's SDP answer.

    `replayed`: the Idempotency-Key was used before, nothing was dialled again.
    """

    call: CallRecord
    answer_sdp: str | None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which page of a list: at most `limit` records after `cursor`."""

    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuery(PageQuery):
    """Which calls, newest first."""

    status: CallStatus | None = None
    direction: Direction | None = None
    sim_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimPatch:
    """What a person changes of a SIM; None leaves a field alone, an empty `number` forgets it."""

    label: str | None = None
    tags: tuple[str, ...] | None = None
    enabled: bool | None = None
    number: str | None = None
    notes: str | None = None
    operators: OperatorPatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemPatch:
    """What a person changes of a modem; None leaves a field alone."""

    label: str | None = None
    tags: tuple[str, ...] | None = None
    enabled: bool | None = None
    notes: str | None = None

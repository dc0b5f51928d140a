"""SIMs, modems and hosts as the API takes and shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modembank.api.schemas.calls import ModemRef, SimRef
from modembank.api.schemas.common import Answer, Encodable, Label, Notes, Request, Tag, Text, Timestamp
from modembank.bank.sim_records import NumberSource, PinTrust
from modembank.bus.vocabulary import HealingPhase, HealingStep, ModemState, Trouble

PlmnList = Annotated[list[Annotated[str, Field(pattern=r"^[0-9]{5,6}$")]], Field(max_length=32)]
TagList = Annotated[list[Tag], Field(max_length=32)]


class SimPatch(Request):
    """What may be changed of a SIM; absent names stay as they are."""

    label: Label | None = None
    tags: TagList | None = None
    enabled: bool | None = None
    number: Annotated[Text, Field(max_length=64)] | None = Field(
        None, description="The SIM's own number; an empty string forgets it."
    )
    notes: Notes | None = None
    roaming: bool | None = Field(None, description="May it call while roaming; null: as its tag's rule or the bank.")
    allowed_operators: PlmnList | None = Field(None, description="PLMNs it may call through; an empty list: any.")
    forbidden_operators: PlmnList | None = Field(None, description="PLMNs it may not call through.")


class ModemPatch(Request):
    """What may be changed of a modem; absent names stay as they are."""

    label: Label | None = None
    tags: TagList | None = None
    enabled: bool | None = None
    notes: Notes | None = None


class AtRequest(Request):
    """One console command."""

    line: Annotated[Encodable, Field(min_length=1, max_length=256, examples=["AT+CSQ"])]
    unrestricted: bool = Field(False, description="Skip the allow-list; needs a key with the scope at:raw.")


class Balance(Answer):
    """What the operator said is left on a SIM."""

    amount: str = Field(description="A decimal number.", examples=["12.34"])
    unit: str = Field(examples=["GBP"])
    at: Timestamp


class SimLock(Answer):
    """What a card asks for; tries are null where the modem does not tell them."""

    kind: str = Field(examples=["pin", "puk", "other"])
    pin_left: int | None
    puk_left: int | None


class StoredPin(Answer):
    """The PIN that is kept for a card; it is never shown."""

    state: PinTrust
    note: str


class SimForward(Answer):
    """Voice calls that the network sends elsewhere."""

    reason: str = Field(examples=["unconditional", "busy", "no_reply", "not_reachable"])
    number: str | None


class Sim(Answer):
    """A SIM card, in a modem or remembered."""

    id: str
    iccid: str
    imsi: str | None
    number: str | None
    label: str
    tags: list[str]
    enabled: bool
    notes: str
    state: str = Field(
        examples=[
            "ready",
            "in_call",
            "searching",
            "denied",
            "sim_pin",
            "sim_puk",
            "sim_locked",
            "starting",
            "failed",
            "absent",
        ]
    )
    state_detail: str
    lock: SimLock | None
    pin: StoredPin
    number_source: NumberSource | None
    suggested_number: str | None = Field(description="Told by a source that is not trusted enough; set it if true.")
    suggested_by: NumberSource | None
    roaming: bool | None
    allowed_operators: list[str]
    forbidden_operators: list[str]
    forwarding: list[SimForward] | None = Field(description="Null when the network was never asked.")
    forwarding_at: Timestamp | None
    operator: str | None
    plmn: str | None
    registration: str
    access: str | None
    rssi_dbm: int | None
    modem: ModemRef | None
    call_id: str | None
    last_used_at: Timestamp | None
    balance: Balance | None = Field(description="Null until it was read.")
    first_seen_at: Timestamp
    last_seen_at: Timestamp


class Healing(Answer):
    """What is being done about a modem that is not well; `until` is when a quarantine ends by itself."""

    phase: HealingPhase
    trouble: Trouble
    step: HealingStep
    detail: str
    since: Timestamp
    until: Timestamp | None


class Modem(Answer):
    """A modem, attached or remembered."""

    id: str
    host_id: str
    usb_path: str
    slot: str | None = Field(description="As the chassis file of its host names the place.")
    imei: str | None
    dialect: str
    manufacturer: str | None
    model: str | None
    revision: str | None
    label: str
    tags: list[str]
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
    healing: Healing | None
    first_seen_at: Timestamp
    last_seen_at: Timestamp


class TraceLine(Answer):
    """One line on the wire, masked; `out` is towards the modem."""

    at: str
    out: bool
    text: str


class Trace(Answer):
    """The newest lines of a modem's AT trace, oldest first."""

    data: list[TraceLine]


class AtAnswer(Answer):
    """Information text and final result code."""

    lines: list[str]


class Host(Answer):
    """A machine that holds modems."""

    id: str
    connected: bool
    modems: int
    modems_ready: int
    started_at: Timestamp | None
    last_seen_at: Timestamp

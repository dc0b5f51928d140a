"""What a host tells the bank. Facts, in the order they happened; each call numbers its own (`sequence` from 1).

`at` is the host's wall clock as an aware UTC datetime at the moment the modem's line was read, not when it was
handled. Durations are measured by the host's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modembank.bus.vocabulary import (
    AudioDirection,
    CallStatus,
    Cause,
    HangupSource,
    HealingPhase,
    HealingStep,
    IncidentPhase,
    MediaState,
    ModemState,
    Trouble,
    UssdOutcome,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemSnapshot:
    """A modem as it is now, its SIM included."""

    usb_path: str
    dialect: str
    state: ModemState
    state_detail: str = ""
    slot: str | None = None  # as the host's chassis file names the place
    manufacturer: str | None = None
    model: str | None = None
    revision: str | None = None
    imei: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    number: str | None = None  # own number as the SIM tells it, often absent
    registration: str = "unknown"  # 3GPP TS 27.007 section 10.1.20 in words
    operator: str | None = None
    plmn: str | None = None
    access: str | None = None  # access technology, for example "LTE"
    rssi_dbm: int | None = None
    voice: bool = False  # proven by set and read-back
    at_port: str = ""
    audio_port: str | None = None
    lock: str | None = None  # what the SIM asks for: pin, puk, or other for the modem's own locks
    pin_left: int | None = None  # tries, None where the modem does not tell
    puk_left: int | None = None
    denial: str | None = None  # why the network refuses the SIM, in words
    asking: bool = False  # the network owes it an answer: a call might have to wait for that


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedTo:
    """Voice calls that the network sends elsewhere; `number` None where it does not tell."""

    reason: str  # unconditional, busy, no_reply, not_reachable
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSnapshot:
    """A call that a host carries now."""

    call_id: str
    usb_path: str
    iccid: str
    status: CallStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaQuality:
    """Counters of a call's media at its end; frames are 20 ms."""

    codec: str | None = None
    frames_to_far: int = 0
    frames_from_far: int = 0
    lost: int = 0
    late: int = 0
    concealed: int = 0
    dropped: int = 0
    jitter_ms: float = 0.0
    rtt_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Common to all events of a host."""

    host_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStarted(Event):
    """The host runs from scratch: it carries none of the calls it had before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStopped(Event):
    """The host stopped in good order; all its calls have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemChanged(Event):
    """A modem is new, or something of it changed."""

    modem: ModemSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemGone(Event):
    """A modem is no longer attached; its inventory row stays."""

    usb_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOverCall(Event):
    """At start a modem had a call nobody owned; it was hung up (I2)."""

    usb_path: str
    iccid: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemHealing(Event):
    """A modem is being healed, is well again, or is left alone; `detail` says it in a sentence.

    The modem may be away from the bus meanwhile. `since` is when the trouble began, `until` when a quarantine ends.
    """

    usb_path: str
    phase: HealingPhase
    trouble: Trouble
    step: HealingStep
    detail: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostIncident(Event):
    """All or most modems of one hub went away together: one failure, told once, and once more when it is over.

    `hub` is the hub's USB path. `modems` are those that went, `missing` those that did not come back.
    """

    hub: str
    phase: IncidentPhase
    modems: tuple[str, ...]
    missing: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimForwarding(Event):
    """Where a SIM's voice calls are forwarded to, as its network tells; empty when nowhere."""

    usb_path: str
    iccid: str
    active: tuple[ForwardedTo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent(Event):
    """Common to all events of a call."""

    call_id: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall(CallEvent):
    """A modem rings. `number` is None when withheld or not known."""

    usb_path: str
    iccid: str
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDialing(CallEvent):
    """`ATD` was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRinging(CallEvent):
    """The remote phone rings (alerting)."""

    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEarlyMedia(CallEvent):
    """The network sends audio before the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(CallEvent):
    """The remote person picked up, or an incoming call was answered here."""

    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDtmf(CallEvent):
    """A digit. `from_far` tells the direction: far side to GSM, else GSM to far side."""

    digit: str
    from_far: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHeld(CallEvent):
    """The call was put on hold or resumed."""

    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMuted(CallEvent):
    """The far side was muted or unmuted."""

    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMedia(CallEvent):
    """The far side's media changed state."""

    state: MediaState


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuiet(CallEvent):
    """The directions that have carried no sound for `media.quiet_after_s`; told when they change."""

    directions: tuple[AudioDirection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLevels(CallEvent):
    """Level meters, about five a second, -90 to 0 dBFS. Never stored, dropped first when a client is slow."""

    to_far_dbfs: float
    from_far_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(CallEvent):
    """The GSM call is over; exactly once per call (I6)."""

    status: CallStatus
    source: HangupSource
    cause: Cause
    q850: int | None
    detail: str
    duration_s: float  # answer to end, 0 when never answered
    quality: MediaQuality | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """A message or delivery report as the modem holds it; `digest` names it when it is confirmed."""

    digest: str
    pdu: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRead(Event):
    """Messages were read and lie on the card still (I3). They are told again until they are confirmed.

    `stored` false: they came past the stores, and this is the only copy.
    """

    usb_path: str
    iccid: str
    messages: tuple[ReadMessage, ...]
    stored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStoreFull(Event):
    """A message store is full: the network holds back what else there is. Told once until there is room again."""

    usb_path: str
    iccid: str
    store: str
    used: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdReceived(Event):
    """The network sent a USSD string that nobody asked for, such as the price of a call."""

    usb_path: str
    iccid: str
    outcome: UssdOutcome
    text: str
    raw: str | None
    dcs: int | None


AnyEvent = (
    HostStarted
    | HostStopped
    | ModemChanged
    | ModemGone
    | LeftOverCall
    | ModemHealing
    | HostIncident
    | SimForwarding
    | IncomingCall
    | CallDialing
    | CallRinging
    | CallEarlyMedia
    | CallAnswered
    | CallDtmf
    | CallHeld
    | CallMuted
    | CallMedia
    | CallQuiet
    | CallLevels
    | CallEnded
    | MessagesRead
    | MessageStoreFull
    | UssdReceived
)

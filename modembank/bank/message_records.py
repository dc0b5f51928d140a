"""Messages and USSD sessions as the bank hands them to its front ends. Source: design.md section 6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from modembank.bank.records import ModemRef, PageQuery, SimRef, Why
from modembank.bus.vocabulary import Direction
from modembank.sms.dcs import Encoding


class MessageStatus(StrEnum):
    """The life of a message. Outgoing: queued → sending → sent → delivered or undelivered; or failed, or unknown.

    Incoming: received, or partial while parts of a long one are missing.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"  # the network has all of it
    DELIVERED = "delivered"  # the recipient has it
    UNDELIVERED = "undelivered"  # the network gave up
    FAILED = "failed"  # the network did not take it
    UNKNOWN = "unknown"  # handed over, and the network's answer was lost: never sent again by itself
    PARTIAL = "partial"
    RECEIVED = "received"


class PartState(StrEnum):
    """What became of one SMS of a message."""

    QUEUED = "queued"
    SENDING = "sending"  # committed before it is handed over; after a crash it is unknown
    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStep:
    """One change of a message's status."""

    at: datetime
    status: MessageStatus
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageParts:
    """Of `total` SMS, `done` are sent or received."""

    total: int
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A message, in or out.

    `text` is None for 8-bit data, whose octets are in `data` (hexadecimal), and for what cannot be read. `network_at`
    is the service centre's clock, which may be off. `cms` is the number of +CMS ERROR.
    """

    id: str
    direction: Direction
    status: MessageStatus
    to: str | None
    from_: str | None
    sim: SimRef | None
    modem: ModemRef | None
    text: str | None
    data: str | None
    encoding: str
    parts: MessageParts
    flash: bool
    delivery_report: bool
    attempts: int
    created_at: datetime
    network_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    cms: int | None
    detail: str
    why: Why | None
    metadata: Mapping[str, str]
    history: tuple[MessageStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """A wish to send. `from_` names a SIM by id, ICCID or own number; `pool` is a tag; None takes the settings."""

    to: str
    text: str
    from_: str | None = None
    pool: str | None = None
    flash: bool = False
    delivery_report: bool | None = None
    validity_s: float | None = None
    encoding: Encoding | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message, and whether its Idempotency-Key was used before."""

    message: MessageRecord
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuery(PageQuery):
    """Which messages, newest first; `number` is the other party's."""

    status: MessageStatus | None = None
    direction: Direction | None = None
    sim_id: str | None = None
    number: str | None = None
    created_after: datetime | None = None


class UssdStatus(StrEnum):
    """The life of a USSD session."""

    RUNNING = "running"  # the network is asked
    WAITING = "waiting"  # the network waits for an answer, about a minute
    DONE = "done"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdTurn:
    """What one side said; `out` is towards the network. `raw` is the modem's string as it came."""

    at: datetime
    out: bool
    text: str
    raw: str | None
    dcs: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdRecord:
    """A USSD session; `text` is what the network said last."""

    id: str
    status: UssdStatus
    code: str
    sim: SimRef
    text: str | None
    turns: tuple[UssdTurn, ...]
    detail: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdRequest:
    """A wish to send a code; like `MessageRequest` in its SIM."""

    code: str
    from_: str | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdRun:
    """A session, and whether its Idempotency-Key was used before."""

    session: UssdRecord
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdQuery(PageQuery):
    """Which sessions, newest first."""

    sim_id: str | None = None

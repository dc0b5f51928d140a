"""The tables. Text keys are our prefixed ids; rows of SIMs and modems are never deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from modembank.store.types import UtcDateTime

# Names that do not depend on the database, so that a migration can find a constraint again.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

JsonData = str | int | float | bool | None | list["JsonData"] | dict[str, "JsonData"]


class Base(DeclarativeBase):
    """Common to all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own convention
        datetime: UtcDateTime(),
        list[str]: JSON(),
        dict[str, str]: JSON(),
        dict[str, JsonData]: JSON(none_as_null=True),
        str: String(),
    }


class SimRow(Base):
    """A card, by ICCID. `claimed_by` is the call that has it (I1); `claim_epoch` grows with every claim."""

    __tablename__ = "sims"

    id: Mapped[str] = mapped_column(primary_key=True)
    iccid: Mapped[str] = mapped_column(unique=True)
    imsi: Mapped[str | None]
    number: Mapped[str | None]
    number_by_person: Mapped[bool] = mapped_column(default=False)
    label: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    enabled: Mapped[bool] = mapped_column(default=True)
    notes: Mapped[str] = mapped_column(default="")
    claimed_by: Mapped[str | None] = mapped_column(unique=True)
    claim_epoch: Mapped[int] = mapped_column(default=0)
    last_used_at: Mapped[datetime | None]
    balance: Mapped[dict[str, JsonData] | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    number_source: Mapped[str | None]
    number_asked_at: Mapped[datetime | None]  # when its network was asked for it by USSD
    suggested_number: Mapped[str | None]
    suggested_by: Mapped[str | None]
    pin_sealed: Mapped[str | None]  # bank/vault.py; opened only to be sent to the card
    pin_state: Mapped[str] = mapped_column(default="none")
    pin_note: Mapped[str] = mapped_column(default="")
    roaming: Mapped[bool | None]
    allowed_operators: Mapped[list[str]] = mapped_column(default=list)
    forbidden_operators: Mapped[list[str]] = mapped_column(default=list)
    forwarding: Mapped[dict[str, JsonData] | None]  # reason -> number; {} nowhere, null never asked
    forwarding_at: Mapped[datetime | None]


class RadioRow(Base):
    """One moment of a modem's radio: a sample of its signal, or a change of its registration."""

    __tablename__ = "radio_history"
    __table_args__ = (
        Index(None, "modem_id", "seq"),
        Index(None, "sim_id", "seq"),
        Index(None, "kind", "at"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    kind: Mapped[str]  # signal or registration
    modem_id: Mapped[str]
    sim_id: Mapped[str | None]
    rssi_dbm: Mapped[int | None]
    registration: Mapped[str]
    before: Mapped[str | None]
    operator: Mapped[str | None]
    plmn: Mapped[str | None]
    access: Mapped[str | None]
    cause: Mapped[str | None]


class ModemRow(Base):
    """A device, by host, USB path and IMEI (IMEIs repeat); the IMEI is unknown until it was read once."""

    __tablename__ = "modems"
    __table_args__ = (UniqueConstraint("host_id", "usb_path", "imei"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    host_id: Mapped[str]
    usb_path: Mapped[str]
    slot: Mapped[str | None]
    imei: Mapped[str | None]
    dialect: Mapped[str]
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    revision: Mapped[str | None]
    label: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    enabled: Mapped[bool] = mapped_column(default=True)
    notes: Mapped[str] = mapped_column(default="")
    at_port: Mapped[str] = mapped_column(default="")
    audio_port: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class CallRow(Base):
    """A call; `ended_at` is set exactly once, together with its cause (I6)."""

    __tablename__ = "calls"
    __table_args__ = (Index(None, "host_id", "ended_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    to_number: Mapped[str | None]
    from_number: Mapped[str | None]
    sim_id: Mapped[str | None] = mapped_column(ForeignKey("sims.id"), index=True)
    modem_id: Mapped[str | None] = mapped_column(ForeignKey("modems.id"))
    host_id: Mapped[str]
    usb_path: Mapped[str]
    iccid: Mapped[str]
    claim_epoch: Mapped[int] = mapped_column(default=0)
    why: Mapped[dict[str, JsonData] | None]
    early_media: Mapped[bool] = mapped_column(default=False)
    muted: Mapped[bool] = mapped_column(default=False)
    held: Mapped[bool] = mapped_column(default=False)
    media: Mapped[str] = mapped_column(default="new")
    quiet: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    dialing_at: Mapped[datetime | None]
    ringing_at: Mapped[datetime | None]
    early_media_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    duration_s: Mapped[float] = mapped_column(default=0.0)
    timeout_s: Mapped[float]
    max_duration_s: Mapped[float]
    call_metadata: Mapped[dict[str, str]] = mapped_column("metadata", default=dict)
    hangup_source: Mapped[str | None]
    hangup_cause: Mapped[str | None]
    hangup_q850: Mapped[int | None]
    hangup_detail: Mapped[str | None]
    quality: Mapped[dict[str, JsonData] | None]
    sequence: Mapped[int] = mapped_column(default=0)
    actor: Mapped[str] = mapped_column(default="")

    sim: Mapped[SimRow | None] = relationship(lazy="joined")
    modem: Mapped[ModemRow | None] = relationship(lazy="joined")


class EventRow(Base):
    """One event of the public stream; `seq` is the order of commits."""

    __tablename__ = "events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    # SQLite numbers INTEGER PRIMARY KEY only.
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    at: Mapped[datetime]
    call_id: Mapped[str | None] = mapped_column(index=True)
    sequence: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, JsonData]]


class KeyRow(Base):
    """An API key; only the SHA-256 of its secret is kept (ASVS 6.5.2: at least 112 random bits)."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str]
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotencyRow(Base):
    """What a request with an Idempotency-Key led to. `state` is running, done or failed.

    `call_id` is the id of what it made: a call, a message, a USSD session.
    """

    __tablename__ = "idempotency"

    api_key_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    state: Mapped[str]
    call_id: Mapped[str]
    answer_sdp: Mapped[str | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


class AuditRow(Base):
    """Who did what, when; rows are only ever added."""

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    detail: Mapped[str]

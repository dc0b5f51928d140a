"""The tables of messages and USSD sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column, relationship

from modembank.store.models import Base, JsonData, ModemRow, SimRow


class MessageRow(Base):
    """A message, in or out. `history` lists its statuses: `{"steps": [{"at", "status", "detail"}, …]}`.

    `concat` is what the parts of a long incoming message share; `due_at` is when an outgoing one is tried next.
    """

    __tablename__ = "messages"
    __table_args__ = (Index(None, "sim_id", "concat"), Index(None, "status", "due_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]
    status: Mapped[str]
    to_number: Mapped[str | None]
    from_number: Mapped[str | None]
    sim_id: Mapped[str | None] = mapped_column(ForeignKey("sims.id"))
    modem_id: Mapped[str | None] = mapped_column(ForeignKey("modems.id"))
    text: Mapped[str | None]
    octets: Mapped[str | None]
    encoding: Mapped[str]
    parts: Mapped[int]
    parts_done: Mapped[int] = mapped_column(default=0)
    concat: Mapped[str | None]
    partial_told: Mapped[bool] = mapped_column(default=False)
    flash: Mapped[bool] = mapped_column(default=False)
    delivery_report: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    give_up_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    network_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    cms: Mapped[int | None]
    detail: Mapped[str] = mapped_column(default="")
    why: Mapped[dict[str, JsonData] | None]
    message_metadata: Mapped[dict[str, str]] = mapped_column("metadata", default=dict)
    history: Mapped[dict[str, JsonData]] = mapped_column(default=dict)
    sequence: Mapped[int] = mapped_column(default=0)
    actor: Mapped[str] = mapped_column(default="")

    sim: Mapped[SimRow | None] = relationship(lazy="joined")
    modem: Mapped[ModemRow | None] = relationship(lazy="joined")


class MessagePartRow(Base):
    """One SMS of a message. `digest` names an incoming one among all that ever came to its SIM."""

    __tablename__ = "message_parts"
    __table_args__ = (Index(None, "sim_id", "reference"), {"sqlite_autoincrement": True})

    # SQLite numbers INTEGER PRIMARY KEY only.
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    sim_id: Mapped[str]
    number: Mapped[int]
    state: Mapped[str]
    pdu: Mapped[str]
    length: Mapped[int]
    digest: Mapped[str | None] = mapped_column(unique=True)
    recipient: Mapped[str | None]
    reference: Mapped[int | None]
    taken_at: Mapped[datetime | None]
    report: Mapped[int | None]


class UssdRow(Base):
    """A USSD session. `dialogue` is `{"turns": [{"at", "out", "text", "raw", "dcs"}, …]}`."""

    __tablename__ = "ussd_sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    sim_id: Mapped[str] = mapped_column(ForeignKey("sims.id"), index=True)
    code: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    dialogue: Mapped[dict[str, JsonData]]
    detail: Mapped[str] = mapped_column(default="")
    sequence: Mapped[int] = mapped_column(default=0)
    actor: Mapped[str] = mapped_column(default="")

    sim: Mapped[SimRow] = relationship(lazy="joined")

"""Rows of messages and USSD sessions as records, and the steps of their lives."""

from __future__ import annotations

from datetime import UTC, datetime

from modembank.bank.message_records import (
    MessageParts,
    MessageRecord,
    MessageStatus,
    MessageStep,
    UssdRecord,
    UssdStatus,
    UssdTurn,
)
from modembank.bank.views import modem_ref, sim_ref, why_of
from modembank.bus.vocabulary import Direction
from modembank.store.message_models import MessageRow, UssdRow
from modembank.store.models import JsonData


def message_record(row: MessageRow) -> MessageRecord:
    """Return a message."""
    return MessageRecord(
        id=row.id,
        direction=Direction(row.direction),
        status=MessageStatus(row.status),
        to=row.to_number,
        from_=row.from_number,
        sim=sim_ref(row.sim) if row.sim else None,
        modem=modem_ref(row.modem) if row.modem else None,
        text=row.text,
        data=row.octets,
        encoding=row.encoding,
        parts=MessageParts(total=row.parts, done=row.parts_done),
        flash=row.flash,
        delivery_report=row.delivery_report,
        attempts=row.attempts,
        created_at=row.created_at,
        network_at=row.network_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        cms=row.cms,
        detail=row.detail,
        why=why_of(row.why),
        metadata=dict(row.message_metadata),
        history=tuple(_step(item) for item in _list(row.history.get("steps"))),
    )


def storable(text: str) -> str:
    """Return a text from the network as every database takes it: without NUL and half surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def set_status(row: MessageRow, status: MessageStatus, at: datetime, detail: str = "") -> None:
    """Give a message its next status, and write it into its history."""
    row.status, row.detail = status, detail
    step: JsonData = {"at": at.astimezone(UTC).isoformat(), "status": status.value, "detail": detail}
    # A new object: the column does not notice what happens inside the old one.
    row.history = {"steps": [*_list((row.history or {}).get("steps")), step]}


def ussd_record(row: UssdRow) -> UssdRecord:
    """Return a USSD session."""
    turns = tuple(_turn(item) for item in _list(row.dialogue.get("turns")))
    return UssdRecord(
        id=row.id,
        status=UssdStatus(row.status),
        code=row.code,
        sim=sim_ref(row.sim),
        text=next((turn.text for turn in reversed(turns) if not turn.out), None),
        turns=turns,
        detail=row.detail,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def add_turn(
    row: UssdRow, at: datetime, text: str, *, out: bool, raw: str | None = None, dcs: int | None = None
) -> None:
    """Write down what one side said."""
    turn: dict[str, JsonData] = {"at": at.astimezone(UTC).isoformat(), "out": out, "text": storable(text), "dcs": dcs}
    turn["raw"] = None if raw is None else storable(raw)
    row.dialogue = {"turns": [*_list(row.dialogue.get("turns")), turn]}
    row.updated_at = at


def _step(data: JsonData) -> MessageStep:
    assert isinstance(data, dict)
    return MessageStep(at=_time(data["at"]), status=MessageStatus(str(data["status"])), detail=str(data["detail"]))


def _turn(data: JsonData) -> UssdTurn:
    assert isinstance(data, dict)
    raw, dcs = data["raw"], data["dcs"]
    assert dcs is None or isinstance(dcs, int)
    return UssdTurn(
        at=_time(data["at"]),
        out=bool(data["out"]),
        text=str(data["text"]),
        raw=None if raw is None else str(raw),
        dcs=dcs,
    )


def _list(data: JsonData) -> list[JsonData]:
    assert data is None or isinstance(data, list)
    return data or []


def _time(data: JsonData) -> datetime:
    return datetime.fromisoformat(str(data))

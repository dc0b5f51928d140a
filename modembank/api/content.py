"""What a message or a USSD session says is for keys with the scope sms:content only: one-time codes are among it."""

from __future__ import annotations

from dataclasses import replace

from modembank.api.schemas.messages import Message, UssdSession
from modembank.bank.message_records import MessageRecord, UssdRecord
from modembank.bank.records import JsonObject, JsonValue, KeyRecord, StreamEvent
from modembank.bank.scopes import Scope, permits
from modembank.bank.wire import to_json

_CONTENT = ("text", "data", "turns")


def reads_content(key: KeyRecord) -> bool:
    """Whether a key may see texts."""
    return permits(key.scopes, Scope.SMS_CONTENT)


def show_message(message: MessageRecord, key: KeyRecord) -> Message:
    """Return a message as the API shows it to this key."""
    return Message.model_validate(_shown(to_json(message), key))


def show_ussd(session: UssdRecord, key: KeyRecord) -> UssdSession:
    """Return a USSD session as the API shows it to this key."""
    return UssdSession.model_validate(_shown(to_json(session), key))


def without_content(event: StreamEvent) -> StreamEvent:
    """Return an event of messages or USSD without its texts; others as they are."""
    if not event.type.startswith(("sms.", "ussd.")):
        return event
    data: JsonObject = {name: _blank(value) for name, value in event.data.items()}
    return replace(event, data=data)


def _shown(shown: JsonObject, key: KeyRecord) -> JsonObject:
    return shown if reads_content(key) else _blank_object(shown)


def _blank(value: JsonValue) -> JsonValue:
    return _blank_object(value) if isinstance(value, dict) else value


def _blank_object(value: JsonObject) -> JsonObject:
    empty: dict[str, JsonValue] = {"text": None, "data": None, "turns": []}
    return {name: empty[name] if name in _CONTENT else item for name, item in value.items()}

"""Events as the stream carries them."""

from __future__ import annotations

from pydantic import Field, JsonValue

from modembank.api.schemas.common import Answer, Timestamp


class Event(Answer):
    """One event. Its `id` resumes the stream just after it; `sequence` counts per call or message from 1."""

    id: str = Field(examples=["evt_01KAHQ4Z2T5M9V8R3E7W6XNYCD"])
    type: str = Field(examples=["call.ringing"])
    at: Timestamp
    sequence: int
    data: dict[str, JsonValue] = Field(
        description="`call.*`: `{call, …}`; `sms.*`: `{message}`; `ussd.*`: `{ussd}`; "
        "`call.levels`: `{call_id, …}`; `sim.changed`: `{sim}`; "
        "`modem.changed`: `{modem}`; `stream.reset`: `{reason}`, then read the lists again."
    )

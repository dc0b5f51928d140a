"""Numbers and stamps the facts of one call on their way up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypedDict

from modembank.bus.events import (
    AnyEvent,
    CallAnswered,
    CallDialing,
    CallDtmf,
    CallEarlyMedia,
    CallEnded,
    CallHeld,
    CallLevels,
    CallMedia,
    CallMuted,
    CallQuiet,
    CallRinging,
    IncomingCall,
    MediaQuality,
)
from modembank.bus.vocabulary import AudioDirection, MediaState
from modembank.call.outcome import Outcome


class _Stamp(TypedDict):
    host_id: str
    at: datetime
    call_id: str
    sequence: int


class CallReporter:
    """One method per fact; `at` is when the modem said it, else now."""

    def __init__(self, host_id: str, call_id: str, publish: Callable[[AnyEvent], None]) -> None:
        self._host_id = host_id
        self._call_id = call_id
        self._publish = publish
        self._sequence = 0

    def incoming(self, at: datetime, usb_path: str, iccid: str, number: str | None) -> None:
        self._publish(IncomingCall(**self._stamp(at), usb_path=usb_path, iccid=iccid, number=number))

    def dialing(self) -> None:
        self._publish(CallDialing(**self._stamp()))

    def ringing(self, at: datetime, evidence: str) -> None:
        self._publish(CallRinging(**self._stamp(at), evidence=evidence))

    def early_media(self) -> None:
        self._publish(CallEarlyMedia(**self._stamp()))

    def answered(self, at: datetime, evidence: str) -> None:
        self._publish(CallAnswered(**self._stamp(at), evidence=evidence))

    def dtmf(self, digit: str, *, from_far: bool) -> None:
        self._publish(CallDtmf(**self._stamp(), digit=digit, from_far=from_far))

    def held(self, held: bool) -> None:
        self._publish(CallHeld(**self._stamp(), held=held))

    def muted(self, muted: bool) -> None:
        self._publish(CallMuted(**self._stamp(), muted=muted))

    def media(self, state: MediaState) -> None:
        self._publish(CallMedia(**self._stamp(), state=state))

    def quiet(self, directions: tuple[AudioDirection, ...]) -> None:
        self._publish(CallQuiet(**self._stamp(), directions=directions))

    def levels(self, to_far_dbfs: float, from_far_dbfs: float) -> None:
        stamp = _Stamp(
            host_id=self._host_id,
            at=datetime.now(UTC),
            call_id=self._call_id,
            sequence=self._sequence,  # meters are no facts: they take no number of their own
        )
        self._publish(CallLevels(**stamp, to_far_dbfs=to_far_dbfs, from_far_dbfs=from_far_dbfs))

    def ended(
        self,
        result: Outcome,
        detail: str,
        duration_s: float,
        quality: MediaQuality | None,
        at: datetime | None,
    ) -> None:
        self._publish(
            CallEnded(
                **self._stamp(at),
                status=result.status,
                source=result.source,
                cause=result.cause,
                q850=result.q850,
                detail=detail,
                duration_s=duration_s,
                quality=quality,
            )
        )

    def _stamp(self, at: datetime | None = None) -> _Stamp:
        self._sequence += 1
        return _Stamp(
            host_id=self._host_id,
            at=at or datetime.now(UTC),
            call_id=self._call_id,
            sequence=self._sequence,
        )

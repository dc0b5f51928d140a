"""What a modem tells its owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from modembank.at.calls import CallKind, Direction, Evidence
from modembank.at.messages import StoredAt
from modembank.at.ussd import UssdReply
from modembank.modem.info import ModemInfo

__all__ = ["CallKind", "CallProgress", "CallRelease", "Direction", "Evidence", "MessageSink", "ModemSink", "Stamp"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment on both clocks: `at` in UTC to show, `monotonic_s` (time.monotonic) to measure."""

    at: datetime
    monotonic_s: float


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A call took a step, at the moment the modem told so.

    Alerting and answered are never merged; answered comes from evidence of the connection only. `network_tone`:
    whether the network plays the ringback (^DSCI), None when nobody said; when that becomes true after the step
    was told, the step is told once more.
    """

    kind: CallKind
    direction: Direction
    number: str | None
    evidence: Evidence
    at: datetime
    monotonic_s: float
    network_tone: bool | None = None


@dataclass(frozen=True, slots=True)
class CallRelease:
    """The end of a call, told exactly once. `cause_q850` is None when the modem knows no number.

    `local` is true when we hung up, `blacklisted` when the modem refused the number by itself. Source: 3GPP TS 24.008
    table 10.5.123.
    """

    direction: Direction
    number: str | None
    cause_q850: int | None
    text: str
    evidence: Evidence
    local: bool
    at: datetime
    monotonic_s: float
    blacklisted: bool = False


class ModemSink(Protocol):
    """The one listener of a modem; its methods run on the event loop and must not block."""

    def modem_changed(self, info: ModemInfo) -> None:
        """Something in the snapshot changed."""

    def call_progress(self, progress: CallProgress) -> None:
        """A call took a step."""

    def call_released(self, release: CallRelease) -> None:
        """The call ended; once for each call that was told of."""

    def dtmf_received(self, digit: str) -> None:
        """The far end pressed a key."""

    def audio_flow(self, ready: bool) -> None:
        """The modem takes voice (again), or asks to pause."""


class MessageSink(Protocol):
    """The one listener to a modem's messages; its methods run on the event loop and must not block."""

    def message_waiting(self, place: StoredAt | None) -> None:
        """A message was stored, or (None) it is time to read all stores: a card is ready, one is full, or the modem
        names no place. Nothing is deleted before the owner says so.
        """

    def message_direct(self, pdu: str) -> None:
        """A message or delivery report came that lies in no store: this is the only copy. Hexadecimal."""

    def ussd_received(self, reply: UssdReply) -> None:
        """The network sent a USSD string that no code of ours asked for, such as a balance after a call."""

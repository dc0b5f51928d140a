"""One call inside the emulated network: who called whom, how far it got, what each side heard."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Protocol

from modembank.emulator.journal import Journal
from modembank.emulator.signals import SILENCE, dtmf
from modembank.emulator.timers import Timers

TONE_FRAMES = 640
"""64 digits, the most that one request to a modem may carry."""

PAIR_FRAMES = 4
"""Frames that may wait between two modems with clocks of their own; more would only add delay."""

DIGIT_EVERY_S = 0.2
"""The network plays a digit for 100 ms to the far phone, and 100 ms of pause. Source: 3GPP TS 23.014 clause 5."""


class Stage(StrEnum):
    """How far a call got."""

    DIALING = "dialing"
    ALERTING = "alerting"
    ACTIVE = "active"
    RELEASED = "released"


class Endpoint(Protocol):
    """One side of a call. `clocked`: it fetches audio by its own clock (a modem); a party is asked."""

    clocked: bool

    def on_alerting(self, connection: Connection) -> None:
        """The far phone rings."""

    def on_early_media(self, connection: Connection) -> None:
        """The network lets the caller hear something before any answer."""

    def on_answered(self, connection: Connection) -> None:
        """The far side picked up."""

    def on_released(self, connection: Connection, cause: int) -> None:
        """The call is over. Source of causes: 3GPP TS 24.008 table 10.5.123."""

    def on_dtmf(self, connection: Connection, digit: str) -> None:
        """The far side pressed a key."""

    def voice(self, connection: Connection, uplink: bytes) -> bytes:
        """Take one frame from the far side and return one for it (parties only)."""


class Side:
    """What one side of a call has heard and received."""

    def __init__(self, number: str, heard_frames: int) -> None:
        self.number = number
        self.endpoint: Endpoint | None = None
        self.heard: deque[bytes] = deque(maxlen=heard_frames)
        self.digits = ""
        self.waiting: deque[bytes] = deque(maxlen=PAIR_FRAMES)
        self.tones: deque[bytes] = deque(maxlen=TONE_FRAMES)
        self.slips = 0


class Connection:
    """A call between two sides; the network routes it, the endpoints move it on."""

    def __init__(self, key: str, calling: str, called: str, heard_frames: int, journal: Journal) -> None:
        self.key = key
        self.caller = Side(calling, heard_frames)
        self.callee = Side(called, heard_frames)
        self.stage = Stage.DIALING
        self.early_media = False
        self.cause: int | None = None
        self.timers = Timers()
        self._journal = journal
        self._tell()

    def side(self, endpoint: Endpoint) -> Side:
        """Return the side where an endpoint stands."""
        return self.caller if self.caller.endpoint is endpoint else self.callee

    def far_side(self, endpoint: Endpoint) -> Side:
        """Return the side opposite to an endpoint."""
        return self.callee if self.caller.endpoint is endpoint else self.caller

    def alert(self) -> None:
        """The called phone rings."""
        if self.stage is Stage.DIALING and self.caller.endpoint is not None:
            self._move(Stage.ALERTING)
            self.caller.endpoint.on_alerting(self)

    def let_hear(self) -> None:
        """The network plays to the caller before any answer."""
        self.early_media = True
        if self.caller.endpoint is not None:
            self.caller.endpoint.on_early_media(self)

    def answer(self) -> None:
        """The called side picked up."""
        if self.stage in (Stage.DIALING, Stage.ALERTING):
            self._move(Stage.ACTIVE)
            for side in (self.caller, self.callee):
                if side.endpoint is not None:
                    side.endpoint.on_answered(self)

    def release(self, cause: int, by: Endpoint | None = None) -> None:
        """End the call; every endpoint but the one that asked for it is told."""
        if self.stage is Stage.RELEASED:
            return
        self.timers.cancel()
        self.cause = cause
        self._move(Stage.RELEASED)
        for side in (self.caller, self.callee):
            if side.endpoint is not None and side.endpoint is not by:
                side.endpoint.on_released(self, cause)

    def press(self, endpoint: Endpoint, digit: str) -> None:
        """Carry one DTMF digit to the far side."""
        far = self.far_side(endpoint)
        far.digits += digit
        far.tones.extend(dtmf(digit, DIGIT_EVERY_S))
        self._journal.publish("dtmf", call=self.key, to=far.number, digit=digit)
        if far.endpoint is not None:
            far.endpoint.on_dtmf(self, digit)

    def exchange(self, endpoint: Endpoint, uplink: bytes) -> bytes:
        """Give one frame of a modem to the far side and return the frame that the modem hears."""
        near, far = self.side(endpoint), self.far_side(endpoint)
        downlink = SILENCE
        if self.stage is Stage.ACTIVE or (self.early_media and near is self.caller):
            if far.endpoint is None:
                return SILENCE
            if far.endpoint.clocked:
                downlink = self._pass(near, far, uplink)
                if near.tones:
                    downlink = near.tones.popleft()
            else:
                if self.stage is Stage.ACTIVE:
                    far.heard.append(uplink)
                downlink = far.endpoint.voice(self, uplink)
        near.heard.append(downlink)
        return downlink

    def _pass(self, near: Side, far: Side, uplink: bytes) -> bytes:
        if len(far.waiting) == PAIR_FRAMES:
            far.slips += 1
        far.waiting.append(uplink)
        if near.waiting:
            return near.waiting.popleft()
        near.slips += 1
        return SILENCE

    def _move(self, stage: Stage) -> None:
        self.stage = stage
        self._tell()

    def _tell(self) -> None:
        facts = {"call": self.key, "state": str(self.stage), "from": self.caller.number}
        self._journal.publish("call", **facts, to=self.callee.number, cause=self.cause)

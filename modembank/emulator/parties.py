"""Far parties: numbers that behave by a script, and persons who call a SIM.

A script is data (`Plan`); `PartyCall` plays it on one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from modembank.emulator import signals
from modembank.emulator.connection import Connection
from modembank.emulator.signals import SILENCE, Frames

DTMF_DIGITS = "123"
DTMF_EVERY_S = 0.5
SPEECH_PAUSE_FRAMES = 50
NETWORK_NO_ANSWER_S = 60.0
"""The emulated network gives up alerting after this. Source: 3GPP TS 24.008 timer T301 is 180 s at least;
operators set their own no-answer timer of about a minute."""


class Sound(StrEnum):
    """What a party lets the other side hear."""

    SILENT = "silent"
    ECHO = "echo"
    TONE = "tone"
    WIDE_TONE = "wide_tone"
    SPEECH = "speech"
    DTMF = "dtmf"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class Plan:
    """A party's script; times in seconds.

    `setup_s` from dialling to the first sign; then the phone rings if `alerts`, for `ring_s`; then the party
    answers, or the network releases with `cause`. After an answer it ends the call with `talk_cause`
    after `talk_s`; None means never.
    """

    name: str
    number: str
    setup_s: float = 0.3
    alerts: bool = True
    ring_s: float = 1.0
    answers: bool = True
    cause: int = 16
    sound: Sound = Sound.SILENT
    early: Sound | None = None
    talk_s: float | None = None
    talk_cause: int = 16

    def faster(self, speed: float) -> Plan:
        """Return the plan with all its times divided by `speed`."""
        talk_s = None if self.talk_s is None else self.talk_s / speed
        return replace(self, setup_s=self.setup_s / speed, ring_s=self.ring_s / speed, talk_s=talk_s)


PLANS = (
    Plan("echo", "+447700900901", ring_s=2.0, sound=Sound.ECHO),
    Plan("speech", "+447700900902", sound=Sound.SPEECH),
    Plan("tone", "+447700900903", sound=Sound.TONE),
    Plan("busy", "+447700900904", alerts=False, ring_s=0.2, answers=False, cause=17),
    Plan("no_answer", "+447700900905", ring_s=NETWORK_NO_ANSWER_S, answers=False, cause=19),
    Plan("rejects", "+447700900906", ring_s=2.0, answers=False, cause=21),
    Plan("unassigned", "+447700900907", alerts=False, ring_s=0.0, answers=False, cause=1),
    Plan(
        "announcement",
        "+447700900908",
        alerts=False,
        ring_s=4.0,
        answers=False,
        cause=31,
        early=Sound.ANNOUNCEMENT,
    ),
    Plan("no_alerting", "+447700900909", setup_s=0.0, alerts=False, sound=Sound.ECHO),
    Plan("drops", "+447700900910", sound=Sound.TONE, talk_s=5.0, talk_cause=41),
    Plan("dtmf", "+447700900912", sound=Sound.DTMF),
    Plan("wide_tone", "+447700900914", sound=Sound.WIDE_TONE),
    Plan("congestion", "+447700900913", setup_s=0.0, alerts=False, ring_s=0.0, answers=False, cause=42),
)
UNASSIGNED = Plan("nobody", "", alerts=False, ring_s=0.0, answers=False, cause=1)


def plan_table(plans: Iterable[Plan], speed: float) -> dict[str, Plan]:
    """Return plans by number."""
    return {plan.number: plan.faster(speed) for plan in plans}


class PartyCall:
    """A party on one call, called or calling."""

    clocked = False

    def __init__(self, plan: Plan, speech: Callable[[], Frames]) -> None:
        self._plan = plan
        self._speech = speech
        self._frames: Frames = ()
        self._position = 0
        self._sound = Sound.SILENT

    def called(self, connection: Connection) -> None:
        """Play the script of a called party from its beginning."""
        connection.callee.endpoint = self
        connection.timers.after(self._plan.setup_s, lambda: self._first_sign(connection))

    def on_alerting(self, connection: Connection) -> None:
        """A calling person waits."""

    def on_early_media(self, connection: Connection) -> None:
        """A calling person listens."""

    def on_answered(self, connection: Connection) -> None:
        """Speak, and hang up in time."""
        connection.early_media = False
        self._speak(self._plan.sound)
        if self._plan.sound is Sound.DTMF:
            for count, digit in enumerate(DTMF_DIGITS):
                connection.timers.after(count * DTMF_EVERY_S, self._presser(connection, digit))
        if self._plan.talk_s is not None:
            cause = self._plan.talk_cause
            connection.timers.after(self._plan.talk_s, lambda: connection.release(cause, by=self))

    def on_released(self, connection: Connection, cause: int) -> None:
        """The other side ended the call."""

    def on_dtmf(self, connection: Connection, digit: str) -> None:
        """The digit is kept by the connection."""

    def voice(self, connection: Connection, uplink: bytes) -> bytes:
        """Return the next frame of this party's sound."""
        if self._sound is Sound.ECHO:
            return uplink
        if not self._frames:
            return SILENCE
        position = self._position
        self._position += 1
        if self._sound in (Sound.TONE, Sound.WIDE_TONE, Sound.ANNOUNCEMENT):
            return self._frames[position % len(self._frames)]
        if self._sound is Sound.SPEECH:
            position %= len(self._frames) + SPEECH_PAUSE_FRAMES
        return self._frames[position] if position < len(self._frames) else SILENCE

    def _first_sign(self, connection: Connection) -> None:
        if self._plan.early is not None:
            self._speak(self._plan.early)
            connection.let_hear()
        if self._plan.alerts:
            connection.alert()
        connection.timers.after(self._plan.ring_s, lambda: self._decide(connection))

    def _decide(self, connection: Connection) -> None:
        if self._plan.answers:
            connection.answer()
        else:
            connection.release(self._plan.cause, by=self)

    def _speak(self, sound: Sound) -> None:
        self._sound, self._position = sound, 0
        if sound is Sound.TONE:
            self._frames = signals.tone()
        elif sound is Sound.WIDE_TONE:
            self._frames = signals.wide_tone()
        elif sound is Sound.SPEECH:
            self._frames = self._speech()
        elif sound is Sound.DTMF:
            self._frames = signals.dtmf(DTMF_DIGITS, DTMF_EVERY_S)
        elif sound is Sound.ANNOUNCEMENT:
            self._frames = signals.announcement()

    def _presser(self, connection: Connection, digit: str) -> Callable[[], None]:
        return lambda: connection.press(self, digit)

"""What a self-test found, as records; times in seconds, levels in dBm0 unless a name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

FORMAT = 1
"""Version of the JSON form; it grows only by new names."""


class Verdict(StrEnum):
    """Outcome of a check, a line or the whole test."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "not_measured"


class Aspect(StrEnum):
    """What a check is about; names are part of the JSON form."""

    CONNECTED = "connected"
    SET_UP = "set_up"
    ALERTING = "alerting"
    ANSWERED = "answered"
    HANG_UP = "hang_up"
    SOUND = "sound"
    LEVEL = "level"
    RESPONSE = "response"
    DELAY = "delay"
    DROP_OUTS = "drop_outs"
    NOISE = "noise"
    ECHO = "echo"
    SPEECH = "speech"
    PESQ = "pesq"
    DTMF = "dtmf"


OF_A_CALL = (Aspect.CONNECTED, Aspect.SET_UP, Aspect.ALERTING, Aspect.ANSWERED, Aspect.HANG_UP)
"""Aspects of a call; all others belong to one direction of its sound."""

OF_A_WAY = tuple(aspect for aspect in Aspect if aspect not in OF_A_CALL)


@dataclass(frozen=True, slots=True)
class Line:
    """A modem with a SIM that takes part."""

    sim_id: str
    iccid: str
    number: str
    label: str
    modem_id: str
    modem: str
    model: str


@dataclass(frozen=True, slots=True)
class Check:
    """One aspect with what was found, what is allowed, and why it was not measured."""

    aspect: Aspect
    verdict: Verdict
    found: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class CallTimes:
    """When things happened, in seconds from the dial by the modems' own lines; None: never.

    `out` is the calling line's call, `in` the called line's. `answer` is our command to the called line.
    """

    out_ringing: float | None = None
    in_ringing: float | None = None
    answer: float | None = None
    in_answered: float | None = None
    out_answered: float | None = None
    hang_up: float | None = None
    out_ended: float | None = None
    in_ended: float | None = None
    hung_up_by_caller: bool = True
    talk_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What one line heard of the other's programme; None: could not be measured."""

    marker_score: float = 0.0
    stood_still_ms: float = 0.0
    """How late the testing machine itself was while it spoke."""
    level_dbm0: float | None = None
    response_db: tuple[tuple[float, float], ...] = ()
    """Frequency in Hz, and gain in dB against that at 1000 Hz."""
    delay_ms: float | None = None
    drift_ms: float | None = None
    """How much longer the programme took to be heard than to be said."""
    gaps: int | None = None
    gap_ms: float | None = None
    slips: int | None = None
    tone_s: float = 0.0
    noise_dbm0: float | None = None
    echo_db: float | None = None
    """How far the speaker's own tone comes back below what was said."""
    speech_match: float | None = None
    pesq: float | None = None
    pesq_note: str = ""
    digits_sent: str = ""
    digits_told: str = ""
    """Digits that the modem told."""
    digits_heard: str = ""
    """Digits that were found in the sound."""
    speech_s: float = 0.0
    tone_envelope: tuple[float, ...] = ()
    speech_envelope: tuple[float, ...] = ()
    """Levels in dBFS for a picture."""


@dataclass(frozen=True, slots=True)
class Direction:
    """One line's voice to the other."""

    speaker: Line
    listener: Line
    sound: SoundFacts
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call from `caller` to `callee`, judged. `problem` says why it came to nothing."""

    caller: Line
    callee: Line
    times: CallTimes
    directions: tuple[Direction, ...] = ()
    checks: tuple[Check, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """A failed aspect of a line, and in plain words what to do. `sure`: other calls show that it is this line."""

    aspect: Aspect
    text: str
    sure: bool


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """What the calls say about one line."""

    line: Line
    verdict: Verdict
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole self-test."""

    started_at: str
    took_s: float
    calls: tuple[CallFacts, ...]
    lines: tuple[LineVerdict, ...]
    spent: str
    stopped: str = ""
    """Why not everything was tested."""
    left_out: tuple[str, ...] = ()
    """Lines that could not be tested, each with its reason."""
    format: int = field(default=FORMAT)

    @property
    def verdict(self) -> Verdict:
        """Fail when a line failed or nothing was measured."""
        if any(line.verdict is Verdict.FAIL for line in self.lines) or not self.lines:
            return Verdict.FAIL
        if self.stopped or self.left_out or any(line.verdict is Verdict.UNKNOWN for line in self.lines):
            return Verdict.UNKNOWN
        return Verdict.OK

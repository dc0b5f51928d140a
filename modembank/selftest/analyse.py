"""From recordings to facts: what one line heard while the other said the programme. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from modembank.media.records import FRAME_S, RATE_HZ
from modembank.selftest import measure
from modembank.selftest.digits import digits_in
from modembank.selftest.programme import (
    DBM0_OFFSET,
    SAID_DBFS,
    STEPS_HZ,
    TONE_HZ,
    Part,
    Programme,
    Samples,
    chirp,
)
from modembank.selftest.result import SoundFacts
from modembank.selftest.score import pesq_score

LONGEST_DELAY_S = 2.0
"""A satellite link has 0.6 s; what comes later than this is not taken for ours."""

CLIENT_BUFFER_S = 4 * FRAME_S
"""The listening WebRTC client keeps four packets back (aiortc's jitter buffer, `prefetch=4`): not the line's delay."""

_WANDER = round(measure.WANDER_S * RATE_HZ)
_EDGE = 160
"""The first and last 20 ms of a tone are the fade, a codec's start, and what the place of the marker is off."""
_AROUND_A_STEP = 800
"""A step is looked for 100 ms around its place: frames that were left out have moved it."""
_REFERENCE_HZ = 1000.0
_AROUND = 8
_TONE_POINTS, _SPEECH_POINTS = 300, 160
"""10 ms a point, so that a lost frame is a bite and no dent."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording; `arrivals` are the index of a frame's first sample and when it came (monotonic seconds)."""

    samples: Samples
    arrivals: Sequence[tuple[int, float]]

    def time_of(self, index: int) -> float:
        """Return when a sample came, with the jitter of its neighbours taken out."""
        frame = max(0, bisect_right(self.arrivals, index, key=lambda arrival: arrival[0]) - 1)
        near = self.arrivals[max(0, frame - _AROUND) : frame + _AROUND + 1]
        return median(at + (index - start) / RATE_HZ for start, at in near)


def analyse(programme: Programme, said_at: float, heard: Heard, own: Samples) -> SoundFacts:
    """Return what is to know about one direction.

    Args:
        programme: what was said.
        said_at: when its first frame was said (monotonic seconds).
        heard: what the other side heard from then on.
        own: what the speaker heard meanwhile.
    """
    echo = _echo_db(own)
    first, middle, _ = programme.chirps
    begin = _find(heard.samples, 0, first.end + round(LONGEST_DELAY_S * RATE_HZ))
    if begin is None:
        return SoundFacts(noise_dbm0=_dbm0(measure.level_dbfs(heard.samples)), echo_db=echo)
    offset = begin.at - first.start
    facts = SoundFacts(marker_score=round(begin.score, 3), echo_db=echo)
    facts = _with_delay(facts, programme, said_at, heard, offset)
    facts = _with_tones(facts, programme, heard.samples, offset)
    centre = _find_near(heard.samples, middle, offset)
    return _with_speech(facts, programme, heard.samples, offset if centre is None else centre - middle.start)


def with_digits(facts: SoundFacts, sent: str, told: str, recording: Samples) -> SoundFacts:
    """Add what became of the digits that were sent."""
    return replace(facts, digits_sent=sent, digits_told=told, digits_heard=digits_in(recording))


def _with_delay(facts: SoundFacts, programme: Programme, said_at: float, heard: Heard, offset: int) -> SoundFacts:
    first, _, last = programme.chirps
    spoken = said_at + first.start / RATE_HZ
    delay = heard.time_of(first.start + offset) - spoken - CLIENT_BUFFER_S
    end = _find_near(heard.samples, last, offset)
    drift = None if end is None else round(1000 * (end - last.start - offset) / RATE_HZ, 1)
    return replace(facts, delay_ms=round(1000 * delay, 1), drift_ms=drift)


def _with_tones(facts: SoundFacts, programme: Programme, heard: Samples, offset: int) -> SoundFacts:
    tone = _cut(heard, programme.tone, offset, _EDGE)
    steps = [
        (hz, measure.best_dbfs(_cut(heard, step, offset, -_AROUND_A_STEP), hz))
        for hz, step in zip(STEPS_HZ, programme.steps, strict=True)
    ]
    reference = dict(steps)[_REFERENCE_HZ]
    gaps = measure.gaps(tone)
    return replace(
        facts,
        level_dbm0=_dbm0(measure.steady_dbfs(tone, TONE_HZ)),
        response_db=tuple((hz, round(level - reference, 1)) for hz, level in steps),
        gaps=len(gaps),
        gap_ms=round(1000 * sum(gap.length_s for gap in gaps)),
        slips=measure.slips(tone, TONE_HZ),
        tone_s=round(len(tone) / RATE_HZ, 2),
        noise_dbm0=_dbm0(measure.level_dbfs(_cut(heard, programme.quiet, offset, 2 * _EDGE))),
        tone_envelope=measure.envelope_dbfs(tone, _TONE_POINTS),
    )


def _with_speech(facts: SoundFacts, programme: Programme, heard: Samples, offset: int) -> SoundFacts:
    said = programme.of(programme.speech)
    wide = Part(programme.speech.start - _WANDER, programme.speech.count + 2 * _WANDER)
    match = measure.speech_match(said, _cut(heard, wide, offset, 0))
    exact = _cut(heard, programme.speech, offset, 0)
    score = pesq_score(said[: len(exact)], exact)
    return replace(
        facts,
        speech_match=None if match is None else round(match, 3),
        pesq=None if score.value is None else round(score.value, 2),
        pesq_note=score.note,
        speech_s=round(len(exact) / RATE_HZ, 2),
        speech_envelope=measure.envelope_dbfs(exact, _SPEECH_POINTS),
    )


def _echo_db(own: Samples) -> float:
    """Return how far the loudest 0.2 s of the own tone lie below what was said."""
    size = RATE_HZ // 5
    pieces = [own[start : start + size] for start in range(0, len(own) - size + 1, size)]
    return round(SAID_DBFS - max((measure.tone_dbfs(piece, TONE_HZ) for piece in pieces), default=-90.0), 1)


def _find(heard: Samples, start: int, end: int) -> measure.Found | None:
    found = measure.find(heard[start:end], chirp())
    return None if found is None else measure.Found(found.at + start, found.score)


def _find_near(heard: Samples, part: Part, offset: int) -> int | None:
    start = max(0, part.start + offset - _WANDER)
    found = _find(heard, start, start + part.count + 2 * _WANDER)
    return None if found is None else found.at


def _cut(heard: Samples, part: Part, offset: int, edge: int) -> Samples:
    start = max(0, part.start + offset + edge)
    return heard[start : max(start, part.end + offset - edge)]


def _dbm0(dbfs: float) -> float:
    return round(dbfs + DBM0_OFFSET, 1)

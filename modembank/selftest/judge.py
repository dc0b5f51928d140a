"""Facts against limits: one check for each aspect. Pure."""

from __future__ import annotations

from dataclasses import replace

from modembank.config import SelftestSettings
from modembank.selftest.programme import SAID_DBM0
from modembank.selftest.result import Aspect, CallTimes, Check, SoundFacts, Verdict

CORE_HZ = (500.0, 2500.0)
"""Speech is understood by this band; its edges may lose more. Source: ITU-T G.712 figure 2 has the same shape."""
EDGE_MORE_DB = 10.0
_SPOILT = frozenset({Aspect.RESPONSE, Aspect.DELAY, Aspect.DROP_OUTS, Aspect.NOISE, Aspect.SPEECH, Aspect.PESQ})
GLARE_S = 0.5
"""Two modems' lines about one answer may cross by so much: each is read on its own port."""


def judge_call(times: CallTimes, limits: SelftestSettings) -> tuple[Check, ...]:
    """Return the checks of a call's times."""
    return (_connected(times), _set_up(times, limits), _alerting(times), _answered(times, limits), _hung(times, limits))


def judge_sound(facts: SoundFacts, limits: SelftestSettings) -> tuple[Check, ...]:
    """Return the checks of one direction; without its marker nothing else of it can be measured."""
    if not facts.marker_score:
        noise = "nothing" if facts.noise_dbm0 is None else f"only noise of {facts.noise_dbm0:.0f} dBm0"
        rest = (Aspect.LEVEL, Aspect.RESPONSE, Aspect.DELAY, Aspect.DROP_OUTS, Aspect.SPEECH)
        return (
            Check(Aspect.SOUND, Verdict.FAIL, f"{noise} was heard", "the marker is heard"),
            *(Check(aspect, Verdict.UNKNOWN, "no sound") for aspect in rest),
            _echo(facts, limits),
            _dtmf(facts),
        )
    checks = (
        Check(Aspect.SOUND, Verdict.OK, "the marker is heard", "the marker is heard"),
        _level(facts, limits),
        _response(facts, limits),
        _delay(facts, limits),
        _drop_outs(facts, limits),
        _noise(facts, limits),
        _echo(facts, limits),
        _speech(facts, limits),
        _pesq(facts, limits),
        _dtmf(facts),
    )
    if facts.stood_still_ms <= limits.stood_still_max_ms:
        return checks
    return tuple(_doubted(check, facts.stood_still_ms) for check in checks)


def _doubted(check: Check, stood_still_ms: float) -> Check:
    """Return a failed check as not measured where a standstill of our own spoils it too."""
    if check.verdict is not Verdict.FAIL or check.aspect not in _SPOILT:
        return check
    why = f"the testing machine stood still for {stood_still_ms:.0f} ms"
    return replace(check, verdict=Verdict.UNKNOWN, found=f"{why} ({check.found})")


def _connected(times: CallTimes) -> Check:
    reached = times.in_ringing is not None
    return _check(Aspect.CONNECTED, reached, "the other line rang" if reached else "the other line never rang", "rings")


def _set_up(times: CallTimes, limits: SelftestSettings) -> Check:
    limit = f"at most {limits.set_up_max_s:g} s"
    if times.in_ringing is None:
        return Check(Aspect.SET_UP, Verdict.UNKNOWN, "the other line never rang", limit)
    found = f"rang after {times.in_ringing:.1f} s"
    return _check(Aspect.SET_UP, times.in_ringing <= limits.set_up_max_s, found, limit)


def _alerting(times: CallTimes) -> Check:
    limit = "told before the answer"
    if times.in_ringing is None:
        return Check(Aspect.ALERTING, Verdict.UNKNOWN, "the other line never rang", limit)
    if times.out_ringing is None:
        return Check(Aspect.ALERTING, Verdict.FAIL, "the other line rang, this modem never told it", limit)
    found = f"told {times.out_ringing - times.in_ringing:+.1f} s from the ring"
    return Check(Aspect.ALERTING, Verdict.OK, found, limit)


def _answered(times: CallTimes, limits: SelftestSettings) -> Check:
    limit = f"within {limits.answer_max_s:g} s of the answer, never before"
    if times.answer is None:
        return Check(Aspect.ANSWERED, Verdict.UNKNOWN, "nobody answered", limit)
    if times.out_answered is None:
        return Check(Aspect.ANSWERED, Verdict.FAIL, "answered, but the calling modem never told it", limit)
    if times.out_answered < times.answer - GLARE_S:
        return Check(Aspect.ANSWERED, Verdict.FAIL, f"told {times.answer - times.out_answered:.1f} s too early", limit)
    late = times.out_answered - (times.answer if times.in_answered is None else times.in_answered)
    return _check(Aspect.ANSWERED, late <= limits.answer_max_s, f"told {late:+.1f} s from the answer", limit)


def _hung(times: CallTimes, limits: SelftestSettings) -> Check:
    limit = f"known within {limits.hang_up_max_s:g} s"
    other = times.in_ended if times.hung_up_by_caller else times.out_ended
    if times.hang_up is None:
        return Check(Aspect.HANG_UP, Verdict.UNKNOWN, "the call did not get so far", limit)
    if other is None:
        return Check(Aspect.HANG_UP, Verdict.FAIL, "the other line never noticed", limit)
    took = max(0.0, other - times.hang_up)  # our clock and the server's differ by some hundredths
    return _check(Aspect.HANG_UP, took <= limits.hang_up_max_s, f"known after {took:.1f} s", limit)


def _level(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"{limits.level_min_dbm0:g} to {limits.level_max_dbm0:g} dBm0"
    assert facts.level_dbm0 is not None  # the marker was heard
    good = limits.level_min_dbm0 <= facts.level_dbm0 <= limits.level_max_dbm0
    change = facts.level_dbm0 - SAID_DBM0
    return _check(Aspect.LEVEL, good, f"{facts.level_dbm0:.1f} dBm0 ({change:+.1f} dB)", limit)


def _response(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"±{limits.response_max_db:g} dB, 500 to 2500 Hz"
    low, high = CORE_HZ

    def beyond(hz: float, db: float) -> float:
        edge = 0.0 if low <= hz <= high else EDGE_MORE_DB
        return max(db - limits.response_max_db, -db - limits.response_max_db - edge)

    hz, db = max(facts.response_db, key=lambda step: beyond(*step))
    good = beyond(hz, db) <= 0
    core = [value for at, value in facts.response_db if low <= at <= high]
    found = f"{min(core):+.1f} to {max(core):+.1f} dB" if good else f"{db:+.1f} dB at {hz:.0f} Hz"
    return _check(Aspect.RESPONSE, good, found, limit)


def _delay(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"at most {limits.delay_max_ms:g} ms"
    assert facts.delay_ms is not None  # the marker was heard
    return _check(Aspect.DELAY, facts.delay_ms <= limits.delay_max_ms, f"{facts.delay_ms:.0f} ms", limit)


def _drop_outs(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"at most {limits.drop_out_max_percent:g} % missing and {limits.slips_max} slips"
    if not facts.tone_s or facts.gap_ms is None or facts.slips is None:
        return Check(Aspect.DROP_OUTS, Verdict.UNKNOWN, "the tone was not heard", limit)
    percent = facts.gap_ms / 10 / facts.tone_s
    good = percent <= limits.drop_out_max_percent and facts.slips <= limits.slips_max
    return _check(Aspect.DROP_OUTS, good, f"{facts.gaps} holes ({percent:.1f} %), {facts.slips} slips", limit)


def _noise(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"at most {limits.noise_max_dbm0:g} dBm0"
    if facts.noise_dbm0 is None:
        return Check(Aspect.NOISE, Verdict.UNKNOWN, "no sound", limit)
    return _check(Aspect.NOISE, facts.noise_dbm0 <= limits.noise_max_dbm0, f"{facts.noise_dbm0:.0f} dBm0", limit)


def _echo(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"at least {limits.echo_min_db:g} dB below"
    if facts.echo_db is None:
        return Check(Aspect.ECHO, Verdict.UNKNOWN, "no sound", limit)
    return _check(Aspect.ECHO, facts.echo_db >= limits.echo_min_db, f"{facts.echo_db:.0f} dB below", limit)


def _speech(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"at least {100 * limits.speech_min_match:.0f} % recognised"
    if facts.speech_match is None:
        return Check(Aspect.SPEECH, Verdict.UNKNOWN, "the speech was not heard", limit)
    found = f"{100 * facts.speech_match:.0f} % recognised"
    return _check(Aspect.SPEECH, facts.speech_match >= limits.speech_min_match, found, limit)


def _pesq(facts: SoundFacts, limits: SelftestSettings) -> Check:
    limit = f"at least {limits.pesq_min:g} MOS-LQO"
    if facts.pesq is None:
        return Check(Aspect.PESQ, Verdict.UNKNOWN, facts.pesq_note or "no score", limit)
    return _check(Aspect.PESQ, facts.pesq >= limits.pesq_min, f"{facts.pesq:.2f} MOS-LQO", limit)


def _dtmf(facts: SoundFacts) -> Check:
    limit = f"{facts.digits_sent or 'digits'} arrive"
    if not facts.digits_sent:
        return Check(Aspect.DTMF, Verdict.UNKNOWN, "no digits were sent", limit)
    if facts.digits_told == facts.digits_sent:
        return Check(Aspect.DTMF, Verdict.OK, f"{facts.digits_told} told by the modem", limit)
    if facts.digits_heard == facts.digits_sent:
        return Check(Aspect.DTMF, Verdict.OK, f"{facts.digits_heard} heard in the sound", limit)
    got = facts.digits_told or facts.digits_heard
    return Check(Aspect.DTMF, Verdict.FAIL, f"{got} arrived" if got else "none arrived", limit)


def _check(aspect: Aspect, good: bool, found: str, limit: str) -> Check:
    return Check(aspect, Verdict.OK if good else Verdict.FAIL, found, limit)

"""Whose fault is it? A direction's fault is the speaker's or the listener's; other calls tell which. Pure.

An end weighs as much as the number of partners with which a check failed, and nothing when it passed with somebody.
Of the two ends of a failed check the heavier one is blamed; both are, when nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modembank.selftest.advice import Role, advise
from modembank.selftest.result import Advice, Aspect, CallFacts, Line, LineVerdict, Verdict

_ONE_END = {Aspect.ALERTING: Role.CALLS, Aspect.ANSWERED: Role.CALLS, Aspect.ECHO: Role.LISTENS}
"""Checks that are about one end only: who calls tells alerting and answer; who listens gives the echo back."""


_ORDER = tuple(Aspect)


@dataclass(frozen=True, slots=True)
class _Finding:
    aspect: Aspect
    verdict: Verdict
    ends: tuple[tuple[Role, Line], ...]


def line_verdicts(lines: Sequence[Line], calls: Sequence[CallFacts]) -> tuple[LineVerdict, ...]:
    """Return a verdict for every line, with what to do about it."""
    findings = [finding for call in calls for finding in _findings(call)]
    return tuple(_verdict(line, findings) for line in lines)


def _verdict(line: Line, findings: Sequence[_Finding]) -> LineVerdict:
    mine = [(finding, role) for finding in findings for role, end in finding.ends if end == line]
    advice: dict[tuple[Aspect, Role], Advice] = {}
    for finding, role in mine:
        if finding.verdict is not Verdict.FAIL:
            continue
        weight = _weight(line, role, finding.aspect, findings)
        other = max(
            (_weight(end, there, finding.aspect, findings) for there, end in finding.ends if end != line), default=-1
        )
        if weight < other:
            continue
        known = advice.get((finding.aspect, role))
        if known is None or not known.sure:
            advice[finding.aspect, role] = Advice(finding.aspect, advise(finding.aspect, role), weight > other)
    if advice:
        return LineVerdict(line, Verdict.FAIL, tuple(sorted(advice.values(), key=lambda one: _ORDER.index(one.aspect))))
    measured = {(finding.aspect, role) for finding, role in mine if finding.verdict is Verdict.OK}
    wanted = {(finding.aspect, role) for finding, role in mine if finding.aspect is not Aspect.PESQ}
    return LineVerdict(line, Verdict.OK if measured and measured >= wanted else Verdict.UNKNOWN)


def _weight(line: Line, role: Role, aspect: Aspect, findings: Sequence[_Finding]) -> int:
    mine = [one for one in findings if one.aspect is aspect and (role, line) in one.ends]
    if any(one.verdict is Verdict.OK for one in mine):
        return 0
    return len({end for one in mine if one.verdict is Verdict.FAIL for _, end in one.ends if end != line})


def _findings(call: CallFacts) -> Iterator[_Finding]:
    ends = ((Role.CALLS, call.caller), (Role.CALLED, call.callee))
    if call.problem and not call.directions:
        yield _Finding(Aspect.CONNECTED, Verdict.FAIL, ends)
    for check in call.checks:
        if not (call.problem and check.aspect is Aspect.CONNECTED):
            yield _Finding(check.aspect, check.verdict, _concerned(check.aspect, ends))
    for direction in call.directions:
        both = ((Role.SPEAKS, direction.speaker), (Role.LISTENS, direction.listener))
        for check in direction.checks:
            yield _Finding(check.aspect, check.verdict, _concerned(check.aspect, both))


def _concerned(aspect: Aspect, ends: tuple[tuple[Role, Line], ...]) -> tuple[tuple[Role, Line], ...]:
    only = _ONE_END.get(aspect)
    return ends if only is None else tuple(end for end in ends if end[0] is only)

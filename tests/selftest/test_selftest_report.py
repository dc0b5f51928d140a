"""Whose fault it is, what to do, and how the report shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from modembank.config import SelftestSettings
from modembank.selftest.advice import Role, advise
from modembank.selftest.blame import line_verdicts
from modembank.selftest.export import to_json
from modembank.selftest.page import TITLES, render
from modembank.selftest.pairs import every_pair, ring
from modembank.selftest.result import (
    Aspect,
    CallFacts,
    CallTimes,
    Check,
    Direction,
    Line,
    Report,
    SoundFacts,
    Verdict,
)

A, B, C, D = (
    Line(f"sim_{name}", f"89440000000000000{n}", f"+44770090000{n}", name, f"modem_{name}", f"1-{n}", "EC25")
    for n, name in enumerate("ABCD")
)
Faults = set[tuple[Aspect, Role, Line]]


def call(caller: Line, callee: Line, faults: Faults, problem: str = "") -> CallFacts:
    def checks(aspects: tuple[Aspect, ...], ends: tuple[tuple[Role, Line], ...]) -> tuple[Check, ...]:
        return tuple(
            Check(one, Verdict.FAIL if any((one, *end) in faults for end in ends) else Verdict.OK, "1", "2")
            for one in aspects
        )

    def way(speaker: Line, listener: Line) -> Direction:
        ends = ((Role.SPEAKS, speaker), (Role.LISTENS, listener))
        return Direction(speaker, listener, SoundFacts(), checks((Aspect.LEVEL, Aspect.ECHO, Aspect.DTMF), ends))

    ends = ((Role.CALLS, caller), (Role.CALLED, callee))
    ways = () if problem else (way(caller, callee), way(callee, caller))
    return CallFacts(caller, callee, CallTimes(), ways, checks((Aspect.ALERTING, Aspect.HANG_UP), ends), problem)


def blamed(calls: list[CallFacts], lines: tuple[Line, ...]) -> dict[str, list[tuple[Aspect, bool]]]:
    verdicts = line_verdicts(lines, calls)
    assert all((one.verdict is Verdict.FAIL) == bool(one.advice) for one in verdicts)
    return {one.line.label: [(advice.aspect, advice.sure) for advice in one.advice] for one in verdicts if one.advice}


def test_good_lines_are_good() -> None:
    assert blamed([call(*pair, set()) for pair in ring((A, B, C))], (A, B, C)) == {}


def test_of_two_lines_nobody_can_tell() -> None:
    calls = [call(*pair, {(Aspect.LEVEL, Role.SPEAKS, A)}) for pair in ring((A, B))]
    assert blamed(calls, (A, B)) == {"A": [(Aspect.LEVEL, False)], "B": [(Aspect.LEVEL, False)]}


@pytest.mark.parametrize("role", [Role.SPEAKS, Role.LISTENS])
def test_of_more_lines_it_is_the_one_that_all_its_calls_have_in_common(role: Role) -> None:
    calls = [call(*pair, {(Aspect.LEVEL, role, B)}) for pair in ring((A, B, C, D))]
    assert blamed(calls, (A, B, C, D)) == {"B": [(Aspect.LEVEL, True)]}


def test_an_end_that_was_good_with_somebody_else_is_cleared() -> None:
    calls = [call(*pair, {(Aspect.LEVEL, Role.LISTENS, B)}) for pair in ((A, B), (C, A))]
    assert blamed(calls, (A, B, C)) == {"B": [(Aspect.LEVEL, True)]}


def test_two_bad_lines_that_do_not_meet() -> None:
    faults: Faults = {(Aspect.LEVEL, Role.SPEAKS, A), (Aspect.DTMF, Role.LISTENS, C)}
    calls = [call(*pair, faults) for pair in every_pair((A, B, C, D))]
    assert blamed(calls, (A, B, C, D)) == {"A": [(Aspect.LEVEL, True)], "C": [(Aspect.DTMF, True)]}


def test_only_the_caller_tells_alerting_and_only_the_listener_gives_an_echo() -> None:
    calls = [call(A, B, {(Aspect.ALERTING, Role.CALLS, A), (Aspect.ECHO, Role.LISTENS, B)})]
    assert blamed(calls, (A, B)) == {"A": [(Aspect.ALERTING, True)], "B": [(Aspect.ECHO, True)]}


def test_a_fault_that_comes_and_goes_is_not_lost() -> None:
    calls = [call(A, B, {(Aspect.HANG_UP, Role.CALLS, A)}), call(A, B, set())]
    assert blamed(calls, (A, B)) == {"A": [(Aspect.HANG_UP, False)], "B": [(Aspect.HANG_UP, False)]}


def test_a_call_that_came_to_nothing_is_a_fault() -> None:
    calls = [call(A, B, set(), "B did not ring"), call(B, C, set()), call(C, A, set())]
    assert Aspect.CONNECTED in {aspect for aspect, _ in blamed(calls, (A, B, C))["A"]}
    report = Report("2026-11-22T18:00:00+00:00", 1, tuple(calls), line_verdicts((A, B, C), calls), "3 calls")
    assert report.verdict is Verdict.FAIL


def test_a_line_that_was_in_no_call_is_not_good() -> None:
    (verdict,) = line_verdicts((A,), ())
    assert verdict.verdict is Verdict.UNKNOWN
    assert Report("2026-11-22T18:00:00+00:00", 1, (), (), "0 calls").verdict is Verdict.FAIL


def test_a_line_is_good_only_when_everything_was_measured_at_least_once() -> None:
    def unsure(one: CallFacts, aspect: Aspect) -> CallFacts:
        def without(way: Direction) -> Direction:
            checks = (replace(one, verdict=Verdict.UNKNOWN) if one.aspect is aspect else one for one in way.checks)
            return replace(way, checks=tuple(checks))

        return replace(one, directions=tuple(without(way) for way in one.directions))

    good, bad = call(A, B, set()), unsure(call(A, B, set()), Aspect.LEVEL)
    assert {one.verdict for one in line_verdicts((A, B), (good, bad))} == {Verdict.OK}
    assert {one.verdict for one in line_verdicts((A, B), (bad,))} == {Verdict.UNKNOWN}


def test_every_aspect_has_a_title_and_advice_for_every_role() -> None:
    assert set(TITLES) == set(Aspect)
    assert all(advise(aspect, role) for aspect in Aspect for role in Role)


def test_pairs() -> None:
    assert ring(()) == ring((A,)) == every_pair((A,)) == ()
    assert ring((A, B)) == ((A, B), (B, A))
    assert ring((A, B, C)) == ((A, B), (B, C), (C, A))
    pairs = every_pair((A, B, C, D))
    assert len(pairs) == 6
    assert {frozenset(one.label for one in pair) for pair in pairs} == {
        frozenset(two) for two in ("AB", "AC", "AD", "BC", "BD", "CD")
    }


class Page(HTMLParser):
    """Collects tags and text; complains of tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def a_report(label: str = "A") -> Report:
    one = Line("sim_X", "8944000000000000009", "+447700900009", label, "modem_X", label, "<EC25>")
    calls = [call(one, B, {(Aspect.LEVEL, Role.SPEAKS, one)}), call(B, one, set(), f"{label} did not ring")]
    return Report("2026-11-22T18:00:00+00:00", 61.2, tuple(calls), line_verdicts((one, B), calls), "2 calls", "limit")


def test_the_page_is_whole_alone_and_escapes_what_people_wrote() -> None:
    page = Page()
    evil = "<script>alert(1)</script>&\"'"
    page.feed(render(a_report(evil), SelftestSettings()))
    assert page.open == []
    assert "script" not in page.tags
    assert evil in page.words
    assert all(link.startswith("#call-") for link in page.links), "nothing is fetched from elsewhere"
    assert "http" not in render(a_report(), SelftestSettings())
    assert "2 of 2 lines need attention" in page.words


def test_a_line_that_was_left_out_is_not_passed_over() -> None:
    good = Report("2026-11-22T18:00:00+00:00", 1, (), line_verdicts((A, B), [call(A, B, set())]), "1 call")
    assert good.verdict is Verdict.OK
    left = replace(good, left_out=("C is searching, not ready for calls",))
    assert left.verdict is Verdict.UNKNOWN
    assert "C is searching" in render(left, SelftestSettings())


def test_json_has_everything() -> None:
    record = json.loads(to_json(a_report()))
    assert (record["format"], record["verdict"], record["stopped"]) == (1, "fail", "limit")
    assert record["calls"][0]["directions"][0]["checks"][0] == {
        "aspect": "level",
        "verdict": "fail",
        "found": "1",
        "limit": "2",
    }
    assert record["lines"][0]["line"]["label"] == "A"

"""A self-test's report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from modembank.cli.output import print_table
from modembank.selftest.page import TITLES, brief
from modembank.selftest.result import OF_A_CALL, OF_A_WAY, Aspect, Check, LineVerdict, Report, Verdict

WORDS = {Verdict.OK: "ok", Verdict.FAIL: "FAIL", Verdict.UNKNOWN: "not tested"}
SIGNS = {Verdict.OK: "", Verdict.FAIL: "✗ ", Verdict.UNKNOWN: "– "}


def show_report(report: Report) -> None:
    """Print a table of the calls, one of the directions, one of the lines, and what to do."""
    calls, ways = [], []
    for call in report.calls:
        name = f"{call.caller.label} → {call.callee.label}"
        if call.problem:
            print(f"✗ {name}: {call.problem}")
        else:
            calls.append([name, *_cells(call.checks, OF_A_CALL)])
        ways += [
            [f"{way.speaker.label} → {way.listener.label}", *_cells(way.checks, OF_A_WAY)] for way in call.directions
        ]
    if calls:
        print_table(("call", *_titles(OF_A_CALL)), calls, empty="")
        print()
    if ways:
        print_table(("voice", *_titles(OF_A_WAY)), ways, empty="")
        print()
    print_table(("line", "modem", "model", "verdict", "failed"), [_line(one) for one in report.lines], empty="")
    for one in report.lines:
        for advice in one.advice:
            sure = "" if advice.sure else " (or the line it was tested with)"
            print(f"\n{one.line.label}, {TITLES[advice.aspect].lower()}{sure}: {advice.text}")
    print(f"\n{len(report.calls)} calls in {report.took_s:.0f} s; used: {report.spent}")
    for why in report.left_out:
        print(f"Not tested: {why}")
    if report.stopped:
        print(f"Not everything was tested: {report.stopped}")


def _titles(aspects: Sequence[Aspect]) -> list[str]:
    return [TITLES[aspect].lower() for aspect in aspects]


def _cells(checks: Sequence[Check], aspects: Sequence[Aspect]) -> list[str]:
    by_aspect = {check.aspect: f"{SIGNS[check.verdict]}{brief(check)}".rstrip() for check in checks}
    return [by_aspect.get(aspect, "–") for aspect in aspects]


def _line(one: LineVerdict) -> list[str]:
    failed = dict.fromkeys(TITLES[advice.aspect].lower() for advice in one.advice)
    return [one.line.label, one.line.modem, one.line.model, WORDS[one.verdict], ", ".join(failed) or "-"]

"""A report as one HTML page: no script, nothing from elsewhere, light and dark. Pure but for its style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib import resources

from modembank.config import SelftestSettings
from modembank.selftest.charts import level_chart, response_chart, timeline
from modembank.selftest.result import (
    OF_A_CALL,
    OF_A_WAY,
    Aspect,
    CallFacts,
    Check,
    Direction,
    LineVerdict,
    Report,
    Verdict,
)

WORDS = {Verdict.OK: "good", Verdict.FAIL: "needs attention", Verdict.UNKNOWN: "not fully tested"}
TITLES = {
    Aspect.CONNECTED: "Rings",
    Aspect.SET_UP: "Set-up",
    Aspect.ALERTING: "Ringing told",
    Aspect.ANSWERED: "Answer told",
    Aspect.HANG_UP: "Hang-up",
    Aspect.SOUND: "Sound",
    Aspect.LEVEL: "Level",
    Aspect.RESPONSE: "Frequencies",
    Aspect.DELAY: "Delay",
    Aspect.DROP_OUTS: "Drop-outs",
    Aspect.NOISE: "Noise",
    Aspect.ECHO: "Echo",
    Aspect.SPEECH: "Speech",
    Aspect.PESQ: "PESQ",
    Aspect.DTMF: "Digits",
}


def render(report: Report, limits: SelftestSettings) -> str:
    """Return the page."""
    style = resources.files("modembank.selftest").joinpath("page.css").read_text()
    when = datetime.fromisoformat(report.started_at)
    parts = [
        _head(report, when),
        _todo(report.lines),
        _lines(report.lines),
        _overview(report.calls),
        "<h2>Calls in detail</h2>",
        *(_call(number, call, limits) for number, call in enumerate(report.calls, 1)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Self-test of {when:%d %B %Y}</title><style>{style}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(report: Report, when: datetime) -> str:
    failed = sum(line.verdict is Verdict.FAIL for line in report.lines)
    total = len(report.lines)
    if failed:
        said = f"{failed} of {total} lines {'needs' if failed == 1 else 'need'} attention"
    elif report.verdict is Verdict.OK:
        said = f"All {total} lines are good"
    else:
        said = "Not everything was tested"
    left_out = "".join(f"<p><strong>Not tested:</strong> {escape(why)}</p>" for why in report.left_out)
    stopped = f"<p><strong>Stopped early:</strong> {escape(report.stopped)}</p>" if report.stopped else ""
    return (
        f'<header class="top"><div><h1>Line self-test</h1><p class="soft">{when:%A, %d %B %Y, %H:%M} UTC · '
        f"{len(report.calls)} calls in {report.took_s:.0f} s · used {escape(report.spent)}</p></div>"
        f'<span class="chip big {report.verdict.value}">{escape(said)}</span></header>{stopped}{left_out}'
    )


def _todo(lines: Sequence[LineVerdict]) -> str:
    failed = [line for line in lines if line.advice]
    if not failed:
        return ""
    cards = []
    for line in failed:
        items = "".join(
            f"<li><strong>{TITLES[advice.aspect]}.</strong> {escape(advice.text)}"
            + ("" if advice.sure else ' <span class="soft">It may be the line that it was tested with.</span>')
            + "</li>"
            for advice in line.advice
        )
        title = f"{escape(line.line.label)} in {escape(line.line.modem)}"
        cards.append(f'<div class="card todo"><h3>{title}</h3><ul>{items}</ul></div>')
    return f"<h2>What to do</h2>{''.join(cards)}"


def _lines(lines: Sequence[LineVerdict]) -> str:
    rows = "".join(
        f"<tr><td><strong>{escape(one.line.label)}</strong></td><td>{escape(one.line.number)}</td>"
        f"<td>{escape(one.line.modem)}</td><td>{escape(one.line.model)}</td><td>{_chip(one.verdict)}</td>"
        f"<td>{escape(', '.join(dict.fromkeys(TITLES[advice.aspect] for advice in one.advice)) or '–')}</td></tr>"
        for one in lines
    )
    head = _row_of_heads(("Line", "Number", "Modem", "Model", "Verdict", "Failed"))
    return f'<h2>Lines</h2><div class="card scroll"><table>{head}{rows}</table></div>'


def _overview(calls: Sequence[CallFacts]) -> str:
    call_rows, way_rows = [], []
    for number, call in enumerate(calls, 1):
        name = f'<a href="#call-{number}">{escape(call.caller.label)} → {escape(call.callee.label)}</a>'
        if call.problem:
            call_rows.append(f'<tr><td>{name}</td><td class="cell fail" colspan="5">{escape(call.problem)}</td></tr>')
        else:
            call_rows.append(f"<tr><td>{name}</td>{_cells(call.checks, OF_A_CALL)}</tr>")
        for way in call.directions:
            name = f'<a href="#call-{number}">{escape(way.speaker.label)} → {escape(way.listener.label)}</a>'
            way_rows.append(f"<tr><td>{name}</td>{_cells(way.checks, OF_A_WAY)}</tr>")
    calls_head = _row_of_heads(("Call", *(TITLES[aspect] for aspect in OF_A_CALL)))
    ways_head = _row_of_heads(("Voice", *(TITLES[aspect] for aspect in OF_A_WAY)))
    return (
        f'<h2>Calls</h2><div class="card scroll"><table>{calls_head}{"".join(call_rows)}</table></div>'
        f'<h2>Voice in each direction</h2><div class="card scroll"><table>{ways_head}{"".join(way_rows)}</table></div>'
    )


def _cells(checks: Sequence[Check], aspects: Sequence[Aspect]) -> str:
    by_aspect = {check.aspect: check for check in checks}
    cells = []
    for aspect in aspects:
        check = by_aspect.get(aspect)
        if check is None:
            cells.append('<td class="cell"></td>')
        else:
            told = escape(f"{check.found}; allowed: {check.limit}" if check.limit else check.found)
            cells.append(f'<td class="cell {check.verdict.value}" title="{told}">{escape(brief(check))}</td>')
    return "".join(cells)


def brief(check: Check) -> str:
    """Return the number of a finding where it has one; the whole of it stands in the details."""
    if check.verdict is Verdict.UNKNOWN:
        return ""
    brief = {
        Aspect.CONNECTED: "yes" if check.verdict is Verdict.OK else "no",
        Aspect.SOUND: "yes" if check.verdict is Verdict.OK else "none",
        Aspect.ALERTING: check.found.removeprefix("told ").removesuffix(" from the ring"),
        Aspect.ANSWERED: check.found.removeprefix("told ").removesuffix(" from the answer"),
        Aspect.SET_UP: check.found.removeprefix("rang after "),
        Aspect.HANG_UP: check.found.removeprefix("known after "),
        Aspect.LEVEL: check.found.partition(" (")[0],
        Aspect.RESPONSE: check.found,
        Aspect.DROP_OUTS: check.found.removesuffix(", 0 slips"),
        Aspect.ECHO: check.found.removesuffix(" below"),
        Aspect.SPEECH: check.found.removesuffix(" recognised"),
        Aspect.PESQ: check.found.removesuffix(" MOS-LQO"),
        Aspect.DTMF: check.found.partition(" ")[0],
    }
    if check.aspect is Aspect.ALERTING and check.verdict is Verdict.FAIL:
        return "never"
    return brief.get(check.aspect, check.found)


def _call(number: int, call: CallFacts, limits: SelftestSettings) -> str:
    checks = [*call.checks, *(check for way in call.directions for check in way.checks)]
    failed = bool(call.problem) or any(check.verdict is Verdict.FAIL for check in checks)
    problem = f'<p class="chip fail">{escape(call.problem)}</p>' if call.problem else ""
    keys = "".join(
        f'<span class="key {kind}" style="background: var(--{colour})"></span>{kind}' for kind, colour in _KINDS
    )
    ways = "".join(_way(way, limits) for way in call.directions)
    return (
        f'<details class="card" id="call-{number}"{" open" if failed or number == 1 else ""}>'
        f"<summary>{escape(call.caller.label)} calls {escape(call.callee.label)}"
        f"{_chip(Verdict.FAIL if failed else Verdict.OK)}</summary>{problem}"
        f"<figure>{timeline(call.times, call.caller.label, call.callee.label)}"
        f"<figcaption>Seconds from the dial, by the modems' own lines {keys}</figcaption></figure>"
        f'{_table(call.checks)}<div class="ways">{ways}</div></details>'
    )


_KINDS = (("dialing", "dial"), ("ringing", "ring"), ("talking", "talk"))


def _way(way: Direction, limits: SelftestSettings) -> str:
    sound = way.sound
    pictures: tuple[tuple[str, str], ...] = ()
    if sound.response_db:
        pictures = (
            (
                response_chart(sound.response_db, limits.response_max_db),
                "Gain in dB over frequency in Hz; green: allowed",
            ),
            (level_chart("Test tone", sound.tone_envelope, sound.tone_s), "Steady tone in dBFS: a bite is a drop-out"),
            (level_chart("Speech", sound.speech_envelope, sound.speech_s), "The speech in dBFS, as it was heard"),
        )
    title = f"{escape(way.speaker.label)} speaks, {escape(way.listener.label)} listens"
    return f"<section><h3>{title}</h3>{''.join(_figure(*one) for one in pictures)}{_table(way.checks)}</section>"


def _table(checks: Sequence[Check]) -> str:
    rows = "".join(
        f'<tr><td>{TITLES[check.aspect]}</td><td class="cell {check.verdict.value}">{escape(check.found)}</td>'
        f'<td class="soft">{escape(check.limit)}</td></tr>'
        for check in checks
    )
    return f'<table class="checks">{rows}</table>'


def _figure(picture: str, caption: str) -> str:
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _row_of_heads(names: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in names)}</tr>"


def _chip(verdict: Verdict) -> str:
    return f'<span class="chip {verdict.value}">{WORDS[verdict]}</span>'

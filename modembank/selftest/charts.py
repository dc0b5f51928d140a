"""Pictures of a self-test as inline SVG; colours are the page's CSS variables. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from modembank.selftest.judge import CORE_HZ, EDGE_MORE_DB
from modembank.selftest.result import CallTimes

WIDTH, HEIGHT = 380, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 10, 10, 24
_HZ = (280.0, 3600.0)
_HZ_NAMES = ((300.0, "300"), (500.0, "500"), (1000.0, "1k"), (2000.0, "2k"), (3400.0, "3.4k"))
_DB = (-34.0, 14.0)
_LEVEL_DBFS = (-70.0, 0.0)


def response_chart(response_db: Sequence[tuple[float, float]], most_db: float) -> str:
    """Draw gain over frequency with the allowed band behind it."""

    def x(hz: float) -> float:
        return _scale(math.log(hz), math.log(_HZ[0]), math.log(_HZ[1]), _LEFT, WIDTH - _RIGHT)

    def y(db: float) -> float:
        return _scale(min(max(db, _DB[0]), _DB[1]), _DB[0], _DB[1], HEIGHT - _BOTTOM, _TOP)

    low, high = CORE_HZ
    edge = -most_db - EDGE_MORE_DB
    corners = [(_HZ[0], most_db), (_HZ[1], most_db), (_HZ[1], edge), (high, edge), (high, -most_db)]
    corners += [(low, -most_db), (low, edge), (_HZ[0], edge)]
    parts = [f'<polygon class="allowed" points="{_points((x(hz), y(db)) for hz, db in corners)}"/>']
    parts += [_across(y(db), f"{db:+.0f}" if db else "0") for db in (10.0, 0.0, -10.0, -20.0, -30.0)]
    parts += [_below(x(hz), name) for hz, name in _HZ_NAMES]
    parts.append(f'<polyline class="curve" points="{_points((x(hz), y(db)) for hz, db in response_db)}"/>')
    for hz, db in response_db:
        inside = db <= most_db and db >= (-most_db if low <= hz <= high else edge)
        parts.append(
            f'<circle class="{"dot" if inside else "dot bad"}" cx="{x(hz):.1f}" cy="{y(db):.1f}" r="3.2">'
            f"<title>{hz:.0f} Hz: {db:+.1f} dB</title></circle>"
        )
    return _svg("Frequency response in dB against 1000 Hz", parts)


def level_chart(title: str, levels_dbfs: Sequence[float], length_s: float) -> str:
    """Draw level over time as a filled area: holes are bites out of it."""

    def y(dbfs: float) -> float:
        low, high = _LEVEL_DBFS
        return _scale(min(max(dbfs, low), high), low, high, HEIGHT - _BOTTOM, _TOP)

    def x(place: float) -> float:
        return _scale(place, 0, max(1, len(levels_dbfs) - 1), _LEFT, WIDTH - _RIGHT)

    line = [(x(place), y(level)) for place, level in enumerate(levels_dbfs)]
    floor = HEIGHT - _BOTTOM
    area = [(x(0), floor), *line, (x(len(levels_dbfs) - 1), floor)]
    parts = [_across(y(db), f"{db:.0f}") for db in (0.0, -20.0, -40.0, -60.0)]
    ticks = max(1, math.ceil(length_s / 5))
    parts += [
        _below(_scale(at, 0, length_s, _LEFT, WIDTH - _RIGHT), f"{at} s") for at in range(0, int(length_s) + 1, ticks)
    ]
    parts += [
        f'<polygon class="area" points="{_points(area)}"/>',
        f'<polyline class="curve" points="{_points(line)}"/>',
    ]
    return _svg(f"{title}, level in dBFS", parts)


def timeline(times: CallTimes, caller: str, callee: str) -> str:
    """Draw what happened when, on one row for each line."""
    ends = [at for at in (times.out_ended, times.in_ended, times.out_answered, times.in_ringing) if at is not None]
    total = max([*ends, 1.0]) * 1.02
    width, left, right = 780, 120, 16

    def x(at: float) -> float:
        return _scale(at, 0, total, left, width - right)

    rows = (
        (34, caller, times.out_ringing, times.out_answered, times.out_ended),
        (68, callee, times.in_ringing, times.in_answered, times.in_ended),
    )
    parts: list[str] = []
    for top, name, ringing, answered, ended in rows:
        end = total if ended is None else ended
        parts.append(f'<text class="name" x="0" y="{top + 11}">{escape(_short(name))}</text>')
        first = ringing if ringing is not None else answered if answered is not None else end
        spans = [("dialing", 0.0 if top == 34 else first, first)]
        if ringing is not None:
            spans.append(("ringing", ringing, answered if answered is not None else end))
        if answered is not None:
            spans.append(("talking", answered, end))
        parts += [
            f'<rect class="{kind}" x="{x(start):.1f}" y="{top}" width="{max(0.0, x(stop) - x(start)):.1f}" height="16" '
            f'rx="3"><title>{kind}: {start:.1f} to {stop:.1f} s</title></rect>'
            for kind, start, stop in spans
        ]
    for at, word in ((times.answer, "answer"), (times.hang_up, "hang up")):
        if at is not None:
            anchor = "end" if at > total * 0.8 else "start"
            parts.append(f'<line class="mark" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="22" y2="90"/>')
            parts.append(f'<text class="tick" x="{x(at):.1f}" y="16" text-anchor="{anchor}">{word} {at:.1f} s</text>')
    step = max(1, round(total / 8))
    parts += [
        f'<text class="tick" x="{x(at):.1f}" y="108" text-anchor="middle">{at} s</text>'
        for at in range(0, int(total) + 1, step)
    ]
    body = "".join(parts)
    return f'<svg class="timeline" viewBox="0 0 {width} 114" role="img" aria-label="Course of the call">{body}</svg>'


def _short(name: str) -> str:
    return name if len(name) <= 15 else f"{name[:14]}…"


def _svg(title: str, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{body}</svg>'


def _across(at: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _below(at: float, text: str) -> str:
    return f'<text class="tick" x="{at:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{text}</text>'


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _scale(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (value - low) / (high - low) * (end - start)

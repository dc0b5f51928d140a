"""The playout buffer against a simulated network and a simulated modem with its own clock."""

from __future__ import annotations

import heapq
import random
from array import array
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.media.playout import EXTRA_FRAMES, FLOOR_FRAMES, Playout
from modembank.media.records import FRAME_BYTES, FRAME_SAMPLES, SILENCE

TEN_MINUTES = 30_000  # frames


def loud(index: int) -> bytes:
    """A frame that says which one it is and is never taken for silence."""
    return array("h", [1000, index & 0x7FFF, index >> 15, *([1000] * (FRAME_SAMPLES - 3))]).tobytes()


def index_of(frame: bytes) -> int | None:
    if frame == SILENCE:
        return None
    values = array("h", frame[:6])
    return values[1] | values[2] << 15


@dataclass
class Line:
    """A sender, a network and a modem; times in seconds."""

    frames: int
    ppm: float = 0.0
    phase_s: float = 0.01
    burst: int = 1
    lost: frozenset[int] = frozenset()
    jitter_s: dict[int, float] = field(default_factory=dict)
    starved: int = 0
    played: list[int | None] = field(default_factory=list)
    delays_s: list[tuple[float, float]] = field(default_factory=list)

    def run(self) -> Playout:
        playout = Playout()
        playout.new_source(lambda: SILENCE)
        fifo: deque[bytes] = deque()
        events: list[tuple[float, int, int]] = []  # time, 0 = tick / 1 = frame, number
        for i in range(self.frames):
            if i not in self.lost:
                events.append((i * 0.02 * (1 - self.ppm * 1e-6) + self.jitter_s.get(i, 0.0), 1, i))
        for k in range(0, self.frames, self.burst):
            events.append((k * 0.02 + self.phase_s, 0, k))
        heapq.heapify(events)
        while events:
            now, kind, number = heapq.heappop(events)
            if kind == 1:
                out = playout.frame(number, loud(number))
            else:
                for _ in range(self.burst):
                    self._play(fifo, now, started=number > 0)
                out = playout.tick(self.burst)
            assert len(out) % FRAME_BYTES == 0
            fifo.extend(out[i : i + FRAME_BYTES] for i in range(0, len(out), FRAME_BYTES))
            assert playout.cushion_frames == len(fifo), "our count is the modem's"
        return playout

    def _play(self, fifo: deque[bytes], now: float, *, started: bool) -> None:
        if not fifo:
            self.starved += started
            self.played.append(None)
            return
        index = index_of(fifo.popleft())
        self.played.append(index)
        if index is not None:
            self.delays_s.append((now, now - index * 0.02 * (1 - self.ppm * 1e-6)))

    def delay_between(self, start_s: float, end_s: float) -> float:
        """The mean delay from the sender to the modem's ear."""
        values = [delay for now, delay in self.delays_s if start_s <= now < end_s]
        return sum(values) / len(values)


def in_order(played: list[int | None]) -> bool:
    real = [index for index in played if index is not None]
    return all(a < b for a, b in pairwise(real))


def test_without_trouble_every_frame_is_played_with_one_frame_of_cushion() -> None:
    line = Line(frames=500)
    playout = line.run()
    assert line.starved == 0
    assert [i for i in line.played if i is not None] == list(range(499))
    assert max(delay for _, delay in line.delays_s) <= 0.031
    assert playout.counters.concealed == playout.counters.dropped == playout.counters.late == 0


@pytest.mark.parametrize("ppm", [100.0, -100.0])
def test_ten_minutes_of_drift_neither_starve_nor_delay(ppm: float) -> None:
    line = Line(frames=TEN_MINUTES, ppm=ppm)
    playout = line.run()
    assert line.starved == 0
    assert in_order(line.played)
    # 100 ppm of ten minutes are 60 ms: three frames.
    assert playout.counters.dropped <= 4
    assert playout.counters.concealed <= 4
    assert playout.counters.dropped + playout.counters.concealed >= 2
    assert max(delay for _, delay in line.delays_s) <= 0.065
    assert line.delay_between(590, 600) <= line.delay_between(2, 12) + 0.021


@pytest.mark.parametrize("phase_s", [0.001, 0.01, 0.019])
@pytest.mark.parametrize("number", [100, 101])
def test_one_lost_packet_leaves_no_delay_behind(number: int, phase_s: float) -> None:
    line = Line(frames=600, lost=frozenset({number}), phase_s=phase_s)
    playout = line.run()
    assert line.starved == 0
    assert playout.counters.concealed == 1
    assert playout.counters.late == 0
    assert line.delay_between(3, 12) == pytest.approx(line.delay_between(0.5, 1.9), abs=1e-6)
    assert [i for i in line.played if i is not None] == [i for i in range(599) if i != number]


def test_one_late_packet_grows_the_cushion_and_it_shrinks_again() -> None:
    line = Line(frames=1500, jitter_s={100: 0.015})
    playout = line.run()
    assert playout.counters.late == 1
    assert 100 in line.played, "a late frame whose successors wait is still played"
    assert line.delay_between(2.5, 4) == pytest.approx(line.delay_between(0.5, 1.9) + 0.02, abs=1e-6)
    assert line.delay_between(20, 30) == pytest.approx(line.delay_between(0.5, 1.9), abs=1e-6)
    assert playout.counters.dropped == 1


def test_a_silent_frame_is_the_one_that_is_left_out() -> None:
    playout = Playout()
    position = 0

    def step(pcm: bytes) -> bytes:
        nonlocal position
        position += 1
        return playout.frame(position, pcm)

    step(loud(0))
    playout.tick()
    for _ in range(3):
        step(loud(1))
    for _ in range(499):  # the cushion is too large for more than five seconds
        playout.tick()
        assert step(loud(2))
    for _ in range(5):
        playout.tick()
        assert step(loud(3)), "speech goes on while a pause may come"
    playout.tick()
    assert step(SILENCE) == b""
    assert playout.counters.dropped == 1


def test_two_swapped_packets_come_out_in_order_when_there_is_cushion() -> None:
    playout = Playout()
    first = playout.frame(0, loud(0)) + playout.frame(1, loud(1))
    assert [first[:FRAME_BYTES], first[FRAME_BYTES:]] == [loud(0), loud(1)]
    assert playout.frame(3, loud(3)) == b""
    assert playout.missing(2)
    assert playout.frame(2, loud(2)) == loud(2) + loud(3)
    assert not playout.missing(2)


def test_a_frame_that_comes_after_its_successors_is_not_played() -> None:
    line = Line(frames=300, jitter_s={100: 0.075})
    playout = line.run()
    assert 100 not in line.played
    assert in_order(line.played)
    assert playout.counters.late == 1


def test_a_path_that_becomes_longer_for_good_is_followed() -> None:
    line = Line(frames=1000, jitter_s=dict.fromkeys(range(400, 1000), 0.3))
    line.run()
    assert line.starved == 0
    assert sum(1 for i in line.played[500:900] if i is not None) >= 395


def test_a_restarted_stream_is_followed_at_once() -> None:
    playout = Playout()
    for position in range(5000, 5010):
        playout.frame(position, loud(position))
        playout.tick()
    assert playout.frame(3, loud(3)) == loud(3)
    playout.tick()
    assert playout.frame(4, loud(4)) == loud(4)
    playout.tick()
    assert playout.frame(90_000, loud(90_000)) == loud(90_000)


def test_a_far_side_that_sends_without_a_modem_clock_fills_no_more_than_the_cushion() -> None:
    playout = Playout()
    written = sum(bool(playout.frame(i, loud(i))) for i in range(1000))
    assert written <= FLOOR_FRAMES + EXTRA_FRAMES
    assert playout.counters.dropped == 1000 - written


def test_concealment_repeats_the_last_frame_and_fades_to_silence() -> None:
    playout = Playout()
    playout.frame(0, loud(500))
    playout.tick()  # the modem's clock begins
    levels = []
    for _ in range(6):
        out = playout.tick()
        if out:
            levels.append(max(abs(v) for v in array("h", out[-FRAME_BYTES:])))
    assert levels[0] == pytest.approx(600, abs=2)
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == 0
    assert playout.counters.concealed == 3


def test_what_the_port_refused_is_not_counted_as_cushion() -> None:
    playout = Playout()
    assert playout.frame(0, loud(0))
    before = playout.cushion_frames
    playout.refused(1)
    assert playout.cushion_frames == before - 1


def test_a_modem_that_reads_in_bursts_does_not_starve() -> None:
    line = Line(frames=5000, burst=5)
    playout = line.run()
    assert line.starved <= 4, "only while the size of the bursts is not known yet"
    assert playout.counters.dropped <= 6
    real = [i for i in line.played[500:] if i is not None]
    assert len(real) >= 4400


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    ppm=st.sampled_from([-100.0, -30.0, 0.0, 30.0, 100.0]),
    loss=st.sampled_from([0.0, 0.01, 0.1]),
    jitter_ms=st.sampled_from([0, 3, 15, 40]),
    phase_ms=st.integers(0, 19),
)
def test_any_network_and_clock(seed: int, ppm: float, loss: float, jitter_ms: int, phase_ms: int) -> None:
    chance = random.Random(seed)
    frames = 3000
    jitter = {i: chance.random() * jitter_ms / 1000 for i in range(frames)}
    for _ in range(3):  # bursts: everything of 200 ms comes at once
        start = chance.randrange(frames)
        for i in range(start, min(start + 10, frames)):
            jitter[i] = (start + 10 - i) * 0.02
    line = Line(
        frames=frames,
        ppm=ppm,
        phase_s=phase_ms / 1000,
        lost=frozenset(i for i in range(frames) if chance.random() < loss),
        jitter_s=jitter,
    )
    playout = line.run()
    counters = playout.counters
    assert line.starved == 0
    assert in_order(line.played)
    assert playout.cushion_frames <= FLOOR_FRAMES + EXTRA_FRAMES
    heard = sum(1 for i in line.played if i is not None)
    assert heard >= 0.97 * (frames - len(line.lost)) - 60 - counters.late
    if jitter_ms <= 3 and loss == 0.0:
        assert heard >= frames - 70
    assert max(delay for _, delay in line.delays_s) <= 0.04 + jitter_ms / 1000 + 0.2 + 0.06
    assert line.delay_between(55, 60) <= 0.11 + jitter_ms / 1000


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.just(None), st.integers(0, 240)), max_size=200))
def test_whatever_comes_the_floor_holds_and_the_order_too(events: list[int | None]) -> None:
    playout = Playout()
    playout.new_source(lambda: SILENCE)
    seen: set[int] = set()
    out: list[int] = []
    for event in events:
        if event is None:
            data = playout.tick()
            assert playout.cushion_frames >= FLOOR_FRAMES
        elif event in seen:
            continue
        else:
            seen.add(event)
            data = playout.frame(event, loud(event))
        assert playout.cushion_frames <= FLOOR_FRAMES + EXTRA_FRAMES
        frames = [data[i : i + FRAME_BYTES] for i in range(0, len(data), FRAME_BYTES)]
        out += [index for frame in frames if (index := index_of(frame)) is not None]
    assert in_order(list(out))


def test_after_a_restart_the_cushion_is_built_up_anew() -> None:
    playout = Playout()
    playout.new_source(lambda: SILENCE)
    for i in range(4):
        playout.frame(i, loud(i))
    playout.tick()
    playout.restart()
    assert playout.tick() == SILENCE, "the modem's buffer ran dry while its clock stood still"
    assert playout.cushion_frames == FLOOR_FRAMES
    assert playout.counters.underruns == 0
    assert playout.frame(4, loud(4)) == loud(4)

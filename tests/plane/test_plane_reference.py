"""The C core against the Python path that it equals: same input, same output, bit for bit."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.media import pcm
from modembank.media.playout import Playout
from modembank.media.records import FRAME_BYTES, FRAME_SAMPLES
from modembank.plane.binding import MAX_PUT, PlayoutFacts, load

EVERY_SAMPLE = array("h", range(-32768, 32768)).tobytes()
EVERY_CODE = bytes(range(256))


@pytest.mark.parametrize(
    ("kind", "encode", "decode"),
    [(0, pcm.alaw_encode, pcm.alaw_decode), (1, pcm.ulaw_encode, pcm.ulaw_decode)],
    ids=["PCMA", "PCMU"],
)
def test_g711_is_equal_for_every_value(
    kind: int, encode: Callable[[bytes, int], bytes], decode: Callable[[bytes, int], bytes]
) -> None:
    coded = ctypes.create_string_buffer(65536)
    load().plane_g711(kind, 0, EVERY_SAMPLE, 65536, coded)
    assert coded.raw == encode(EVERY_SAMPLE, 2)
    decoded = ctypes.create_string_buffer(512)
    load().plane_g711(kind, 1, EVERY_CODE, 256, decoded)
    assert decoded.raw == decode(EVERY_CODE, 2)


class CorePlayout:
    """The C playout with the verbs of `Playout`."""

    def __init__(self) -> None:
        self._core = load()
        self._state = ctypes.c_void_p(self._core.plane_playout_new(FRAME_SAMPLES))
        self._out = ctypes.create_string_buffer(MAX_PUT * FRAME_BYTES)

    def __del__(self) -> None:
        self._core.plane_playout_free(self._state)

    def frame(self, position: int, frame: bytes) -> bytes:
        return self._put(self._core.plane_playout_frame(self._state, position, frame, self._out))

    def tick(self, count: int) -> bytes:
        return self._put(self._core.plane_playout_tick(self._state, count, self._out))

    def refused(self, frames: int) -> None:
        self._core.plane_playout_refused(self._state, frames)

    def restart(self) -> None:
        self._core.plane_playout_restart(self._state)

    def new_source(self) -> None:
        self._core.plane_playout_new_source(self._state)

    def missing(self, position: int) -> bool:
        return bool(self._core.plane_playout_missing(self._state, position))

    @property
    def facts(self) -> dict[str, int]:
        facts = PlayoutFacts.from_address(self._state.value or 0)
        return {name: getattr(facts, name) for name, _ in PlayoutFacts._fields_}

    def _put(self, frames: int) -> bytes:
        return self._out.raw[: frames * FRAME_BYTES]


def voice(position: int, *, quiet: bool) -> bytes:
    """A frame that says where it belongs; a quiet one may be left out first."""
    level = 10 if quiet else 3000
    return array("h", [position & 0x3FF, *([level + position % 7] * (FRAME_SAMPLES - 1))]).tobytes()


# What happens on a line: mostly frames in order and ticks, sometimes everything else.
STEPS = st.one_of(
    st.tuples(st.just("next"), st.booleans()),
    st.tuples(st.just("next"), st.booleans()),
    st.tuples(st.just("next_and_tick"), st.integers(1, 60)),
    st.tuples(st.just("tick"), st.integers(1, 6)),
    st.tuples(st.just("skip"), st.integers(-300, 8)),
    st.tuples(st.just("early"), st.integers(1, 7)),
    st.tuples(st.just("refused"), st.integers(1, 3)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("source"), st.none()),
    st.tuples(st.just("missing"), st.integers(-3, 8)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, min_size=20, max_size=200))
def test_the_playout_is_equal_step_by_step(steps: list[tuple[str, object]]) -> None:
    python, core = Playout(), CorePlayout()
    position = 0
    for step, value in steps:
        number = int(value) if isinstance(value, int) else 0
        if step == "next":
            frame = voice(position, quiet=bool(value))
            assert python.frame(position, frame) == core.frame(position, frame)
            position += 1
        elif step == "next_and_tick":
            for _ in range(number):
                frame = voice(position, quiet=position % 5 == 0)
                assert python.frame(position, frame) == core.frame(position, frame)
                assert python.tick(1) == core.tick(1)
                position += 1
        elif step == "tick":
            assert python.tick(number) == core.tick(number)
        elif step == "skip":
            position += number
        elif step == "early":
            frame = voice(position + number, quiet=False)
            assert python.frame(position + number, frame) == core.frame(position + number, frame)
        elif step == "refused":
            python.refused(number)
            core.refused(number)
        elif step == "restart":
            python.restart()
            core.restart()
        elif step == "source":
            python.new_source()
            core.new_source()
        elif step == "missing":
            assert python.missing(position + number) == core.missing(position + number)
        assert {**asdict(python.counters), "level": python.cushion_frames} == core.facts

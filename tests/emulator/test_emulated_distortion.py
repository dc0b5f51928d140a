"""What the switches of a bad voice path do to frames."""

from __future__ import annotations

import math
from array import array

import pytest

from modembank.emulator.distortion import Distortion
from modembank.emulator.settings import Faults

FRAME = array("h", [1000, -1000] * 80).tobytes()
HOLE = bytes(320)


def test_a_good_path_changes_nothing() -> None:
    path = Distortion(Faults())
    assert path.uplink(FRAME) is FRAME
    assert path.downlink(FRAME) is FRAME


@pytest.mark.parametrize(("name", "both"), [("uplink_muted", (HOLE, FRAME)), ("downlink_muted", (FRAME, HOLE))])
def test_one_direction_is_silent(name: str, both: tuple[bytes, bytes]) -> None:
    path = Distortion(Faults(**{name: True}))  # type: ignore[arg-type]  # a switch by its name
    assert (path.uplink(FRAME), path.downlink(FRAME)) == both


def test_levels_change_and_clip() -> None:
    softer = array("h", Distortion(Faults(uplink_db=-20)).uplink(FRAME))
    assert (max(softer), min(softer)) == (100, -100)
    louder = array("h", Distortion(Faults(downlink_db=60)).downlink(FRAME))
    assert (max(louder), min(louder)) == (32767, -32767)


def test_one_frame_of_five_is_a_hole() -> None:
    path = Distortion(Faults(uplink_lost_every=5))
    assert [path.uplink(FRAME) == HOLE for _ in range(10)] == [False] * 4 + [True] + [False] * 4 + [True]


@pytest.mark.parametrize(("hz", "low_db", "high_db"), [(100, -1, 0), (3000, -20, -12)])
def test_a_muffled_line_loses_high_frequencies(hz: float, low_db: float, high_db: float) -> None:
    said = array("h", (round(8000 * math.sin(2 * math.pi * hz * n / 8000)) for n in range(1600)))
    heard = array("h", Distortion(Faults(uplink_muffled=True)).uplink(said.tobytes()))
    gain_db = 20 * math.log10(max(heard[800:]) / 8000)
    assert low_db < gain_db < high_db

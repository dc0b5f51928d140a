"""Which directions count as quiet."""

from __future__ import annotations

from modembank.bus.vocabulary import AudioDirection
from modembank.call.quiet import QUIET_RMS, QuietWatch

MODEM, FAR = AudioDirection


def test_a_direction_is_told_once_a_stretch() -> None:
    watch = QuietWatch(10.0)
    told = [at for at in range(30) if watch.look({MODEM: 0, FAR: 500}, float(at))]
    assert told == [10]
    assert watch.quiet == (MODEM,)
    assert watch.look({MODEM: QUIET_RMS + 1, FAR: 500}, 30.0)
    assert watch.quiet == ()
    assert [at for at in range(31, 60) if watch.look({MODEM: QUIET_RMS, FAR: 500}, float(at))] == [41], "from anew"


def test_both_directions_each_with_its_own_clock() -> None:
    watch = QuietWatch(10.0)
    changes = [(at, watch.quiet) for at in range(30) if watch.look({MODEM: 0, FAR: 500 if at < 5 else 0}, float(at))]
    assert changes == [(10, (MODEM,)), (15, (MODEM, FAR))]


def test_where_silence_means_nothing_the_clock_begins_anew() -> None:
    watch = QuietWatch(10.0)
    for at in range(9):
        assert not watch.look({MODEM: 0, FAR: 0}, float(at))
    assert not watch.look({MODEM: 0, FAR: None}, 9.0)
    assert [at for at in range(10, 25) if watch.look({MODEM: 400, FAR: 0}, float(at))] == [20]
    assert watch.look({MODEM: 400, FAR: None}, 25.0)
    assert watch.quiet == ()

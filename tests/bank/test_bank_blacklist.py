"""How long a SIM leaves a number alone that its modem refuses: longer each time, until an answer, never unbounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modembank.bank.blacklist import Blacklist

TO = "+447700900907"


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def wait_of(blacklist: Blacklist, clock: Clock, limit_s: int = 2000) -> int:
    """Let the clock run until the number may be called again."""
    for waited_s in range(limit_s):
        if not blacklist.blocks("sim_1", TO):
            return waited_s
        clock.now_s += 1.0
    raise AssertionError("it never ends")


def test_each_refusal_doubles_the_wait_up_to_the_longest() -> None:
    clock = Clock()
    blacklist = Blacklist(10.0, 60.0, clock=clock)
    waits = []
    for _ in range(6):
        blacklist.refused("sim_1", TO)
        waits.append(wait_of(blacklist, clock))
    assert waits == [10, 20, 40, 60, 60, 60]


def test_an_answer_clears_it_and_the_next_refusal_starts_anew() -> None:
    clock = Clock()
    blacklist = Blacklist(10.0, 60.0, clock=clock)
    for _ in range(3):
        blacklist.refused("sim_1", TO)
    blacklist.answered("sim_1", TO)
    assert not blacklist.blocks("sim_1", TO)
    blacklist.refused("sim_1", TO)
    assert wait_of(blacklist, clock) == 10


def test_only_this_sim_and_this_number_wait() -> None:
    blacklist = Blacklist(10.0, 60.0, clock=Clock())
    blacklist.refused("sim_1", TO)
    assert not blacklist.blocks("sim_2", TO)
    assert not blacklist.blocks("sim_1", "+447700900905")


def test_long_after_its_wait_a_refusal_is_forgotten() -> None:
    clock = Clock()
    blacklist = Blacklist(10.0, 60.0, clock=clock)
    blacklist.refused("sim_1", TO)
    clock.now_s += 10.0 + 60.0
    assert not blacklist.blocks("sim_1", TO)
    assert len(blacklist) == 0


@given(st.lists(st.integers(0, 30), max_size=60))
def test_it_never_holds_more_than_its_limit_and_keeps_the_newest(sims: list[int]) -> None:
    blacklist = Blacklist(10.0, 60.0, limit=5, clock=Clock())
    for number in sims:
        blacklist.refused(f"sim_{number}", TO)
        assert len(blacklist) <= 5
        assert blacklist.blocks(f"sim_{number}", TO)

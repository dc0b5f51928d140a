"""One hub's failure is one incident: which hub it was, and when it is no failure at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modembank.host.incidents import FEWEST, HubLoss, find_hub_losses, hubs_of

SEVEN = tuple(f"1-1.4.{port}" for port in range(1, 8))
OTHERS = tuple(f"1-1.5.{port}" for port in range(1, 8))


def test_a_hub_that_takes_all_its_modems_is_one_loss() -> None:
    assert find_hub_losses(SEVEN, (*SEVEN, *OTHERS)) == (HubLoss("1-1.4", SEVEN),)


def test_a_hub_above_two_hubs_is_named_when_both_went() -> None:
    both = (*SEVEN, *OTHERS)
    assert find_hub_losses(both, (*both, "1-2.1.1")) == (HubLoss("1-1", tuple(sorted(both))),)


def test_most_of_a_hub_is_enough_and_a_few_are_not() -> None:
    assert find_hub_losses(SEVEN[:6], SEVEN) == (HubLoss("1-1.4", SEVEN[:6]),)
    assert find_hub_losses(SEVEN[:5], SEVEN) == ()


def test_two_sticks_at_once_are_a_persons_hands() -> None:
    assert find_hub_losses(SEVEN[:2], SEVEN[:2]) == ()
    assert find_hub_losses(("1-1", "1-2", "1-3"), ("1-1", "1-2", "1-3")) == (), "no hub stands above these"


def test_the_hubs_above_a_device() -> None:
    assert hubs_of("1-1.4.2") == ("1-1", "1-1.4")
    assert hubs_of("2-3") == ()
    assert hubs_of("/dev/serial/a-b.c.d") == ()


PATHS = st.builds(lambda a, b, c: f"1-{a}.{b}.{c}", *(st.integers(1, 3) for _ in range(3)))


@given(st.sets(PATHS), st.sets(PATHS))
def test_each_lost_modem_is_told_of_once_at_most(gone: set[str], stayed: set[str]) -> None:
    losses = find_hub_losses(gone, gone | stayed)
    told = [modem for loss in losses for modem in loss.modems]
    assert set(told) <= gone
    assert len(losses) == len({loss.hub for loss in losses})
    for loss in losses:
        assert len(loss.modems) >= FEWEST
        assert all(loss.hub in hubs_of(modem) for modem in loss.modems)
    assert len(told) == len(set(told)) or any(loss.hub in other.hub for loss in losses for other in losses)

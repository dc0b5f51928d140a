"""The choice of a SIM as a pure function."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at.network import Registration
from modembank.bank.policy import FILTERS, VOICE_REGISTRATIONS, Candidate, Wish, choose
from modembank.bus.vocabulary import ModemState
from modembank.errors import NoSimAvailableError

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def sim(number: int, **changes) -> Candidate:
    return replace(
        Candidate(
            sim_id=f"sim_{number:03d}",
            iccid=f"8944{number:015d}",
            number=f"+447700900{number:03d}",
            tags=("office",),
            enabled=True,
            claimed=False,
            last_used_at=None,
            modem_enabled=True,
            modem_state=ModemState.READY,
            voice=True,
            registration="home",
        ),
        **changes,
    )


candidates = st.lists(
    st.builds(
        sim,
        st.integers(0, 999),
        enabled=st.booleans(),
        claimed=st.booleans(),
        modem_enabled=st.booleans(),
        modem_state=st.none() | st.sampled_from(ModemState),
        voice=st.booleans(),
        sound=st.booleans(),
        asking=st.booleans(),
        registration=st.sampled_from(sorted(Registration)),
        tags=st.lists(st.sampled_from(["office", "night"]), max_size=2).map(tuple),
        last_used_at=st.none() | st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
    ),
    max_size=12,
    unique_by=lambda candidate: candidate.sim_id,
)
wishes = st.builds(
    Wish,
    sim=st.none() | st.integers(0, 999).map(lambda number: f"sim_{number:03d}"),
    tag=st.none() | st.sampled_from(["office", "night"]),
    sound=st.booleans(),
)


def passes(candidate: Candidate, wish: Wish) -> bool:
    return all(test(candidate, wish) for _, test in FILTERS)


@given(candidates, wishes)
def test_the_winner_passes_every_filter_and_none_that_passes_waited_longer(sims, wish):
    able = [candidate for candidate in sims if passes(candidate, wish)]
    try:
        choice = choose(sims, wish)
    except NoSimAvailableError as error:
        assert able == []
        assert sum(error.removed.values()) == len(sims)
        return
    winner = next(candidate for candidate in sims if candidate.sim_id == choice.sim_id)
    assert winner in able
    assert sum(count.removed for count in choice.why.filters) == len(sims) - len(able)
    able = [candidate for candidate in able if not candidate.asking] or able
    assert winner in able
    if winner.last_used_at is not None:
        assert all(other.last_used_at and other.last_used_at >= winner.last_used_at for other in able)


@given(candidates, wishes, st.randoms())
def test_the_order_of_the_sims_does_not_matter(sims, wish, random):
    shuffled = random.sample(sims, len(sims))
    try:
        assert choose(sims, wish) == choose(shuffled, wish)
    except NoSimAvailableError:
        with pytest.raises(NoSimAvailableError):
            choose(shuffled, wish)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"enabled": False}, "enabled"),
        ({"modem_enabled": False}, "modem_enabled"),
        ({"claimed": True}, "not_in_call"),
        ({"modem_state": ModemState.IN_CALL}, "not_in_call"),
        ({"modem_state": ModemState.SEARCHING}, "ready"),
        ({"modem_state": None}, "ready"),
        ({"voice": False}, "ready"),
        ({"registration": "home_sms_only"}, "registered"),
        ({"registration": "denied"}, "registered"),
        ({"tags": ("night",)}, "tag"),
        ({"sound": False}, "sound"),
        ({"blacklisted": True}, "number_blacklisted"),
    ],
)
def test_each_reason_to_leave_a_sim_out_has_its_name(change, name):
    with pytest.raises(NoSimAvailableError) as raised:
        choose([sim(1, **change)], Wish(tag="office", sound=True))
    assert raised.value.removed == {name: 1}
    assert choose([sim(1, **change), sim(2)], Wish(tag="office", sound=True)).sim_id == "sim_002"


def test_who_does_not_listen_needs_no_sound():
    assert choose([sim(1, sound=False)], Wish()).sim_id == "sim_001"


def test_never_used_comes_first_and_ties_go_by_iccid():
    used = sim(1, last_used_at=NOON)
    assert choose([used, sim(3), sim(2)], Wish()).sim_id == "sim_002"
    assert choose([sim(4, last_used_at=NOON + timedelta(seconds=1)), used], Wish()).sim_id == "sim_001"


def test_a_line_that_waits_for_its_network_comes_last():
    used = sim(1, last_used_at=NOON)
    assert choose([sim(2, asking=True), used], Wish()).sim_id == "sim_001"
    assert choose([sim(2, asking=True)], Wish()).sim_id == "sim_002"


def test_no_sims_at_all_is_told():
    with pytest.raises(NoSimAvailableError, match="none was ever seen"):
        choose([], Wish())


def test_the_words_for_voice_are_those_of_the_driver():
    assert {word for word in Registration if word.carries_voice} == VOICE_REGISTRATIONS

"""The history of signal and registration: bounded, complete, and read in pages of any size."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.bank.radio import RadioKind, moments
from modembank.bank.records import PageQuery
from modembank.bus.vocabulary import ModemState
from modembank.cli.history import bars
from modembank.errors import RequestError
from modembank.store.models import RadioRow
from modembank.store.radio import RadioFilter
from tests.support.rack import Rack
from tests.support.scripted_host import modem

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(seconds: int, rssi_dbm: int | None, kind: RadioKind, modem_id: str) -> RadioRow:
    at = NOON + timedelta(seconds=seconds)
    return RadioRow(at=at, kind=kind, modem_id=modem_id, sim_id=None, rssi_dbm=rssi_dbm, registration="home")


rows = st.lists(
    st.builds(
        row,
        st.integers(0, 3600),
        st.none() | st.integers(-113, -51),
        st.sampled_from(RadioKind),
        st.sampled_from(["modem_1", "modem_2"]),
    ),
    max_size=30,
).map(lambda found: sorted(found, key=lambda one: one.at))


@given(rows, st.sampled_from([0.0, 60.0, 600.0]), st.integers(1, 8))
def test_pages_join_every_row_once(found: list[RadioRow], step_s: float, limit: int) -> None:
    left, told = list(found), []
    while left:
        page, used = moments(left, step_s, limit)
        assert 0 < len(page) <= limit and used > 0
        told += page
        left = left[used:]
    assert sum(one.samples for one in told) == len(found)
    changes = [one for one in found if one.kind is RadioKind.REGISTRATION]
    assert sum(one.kind is RadioKind.REGISTRATION for one in told) == len(changes)
    levels = [one.rssi_dbm for one in found if one.rssi_dbm is not None]
    assert min((one.rssi_min_dbm for one in told if one.rssi_min_dbm is not None), default=None) == min(
        levels, default=None
    )
    for one in told:
        if one.rssi_dbm is not None:
            assert one.rssi_min_dbm <= one.rssi_dbm <= one.rssi_max_dbm
    if not step_s:
        assert len(told) == len(found)


async def test_samples_and_changes_are_kept_read_and_forgotten(rack: Rack) -> None:
    place = (await rack.bank.list_modems(PageQuery(limit=1))).data[0]
    wanted = RadioFilter(modem_id=place.id)
    first = await rack.bank.radio.read(wanted, None, 0, 100)
    assert [(one.kind, one.before, one.registration) for one in first.data] == [("registration", None, "home")]
    now = datetime.now(UTC)
    for minute, rssi_dbm in enumerate((-71, -81, -91)):
        rack.host.change(modem(0), rssi_dbm=rssi_dbm)
        await rack.told()
        await rack.bank.radio.sample(now + timedelta(minutes=minute))
    lost = replace(modem(0), rssi_dbm=-91)
    refusal = "network not allowed (cause 11)"
    rack.host.change(lost, registration="denied", state=ModemState.DENIED, denial=refusal)
    await rack.told()
    rack.host.change(lost)
    await rack.told()

    everything = await rack.bank.radio.read(wanted, None, 0, 100)
    changes = [(one.before, one.registration, one.cause) for one in everything.data if one.kind == "registration"]
    assert changes == [(None, "home", None), ("home", "denied", refusal), ("denied", "home", None)]
    assert [one.rssi_dbm for one in everything.data if one.kind == "signal"] == [-71, -81, -91]
    paged, cursor = [], None
    while True:
        page = await rack.bank.radio.read(wanted, cursor, 0, 2)
        paged += page.data
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(paged) == everything.data
    joined = await rack.bank.radio.read(replace(wanted, until=now + timedelta(hours=1)), None, 86_400, 100)
    signal = [one for one in joined.data if one.kind == "signal"]
    assert sum(one.samples for one in signal) == 3 and min(one.rssi_min_dbm for one in signal) == -91
    of_sim = await rack.bank.radio.read(RadioFilter(sim_id=place.sim.id), None, 0, 100)
    assert of_sim.data == everything.data
    with pytest.raises(RequestError):
        await rack.bank.radio.read(wanted, "evt_1", 0, 10)

    await rack.bank.radio.sample(now + timedelta(days=rack.settings.sims.history_days, minutes=1, seconds=30))
    kept = await rack.bank.radio.read(wanted, None, 0, 100)
    assert [one.rssi_dbm for one in kept.data] == [-91, -91]


def test_bars() -> None:
    assert bars([-113, None, -51, -200, -20, -84]) == "▁ █▁█▄"
    assert bars([]) == ""

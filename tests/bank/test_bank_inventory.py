"""SIMs and modems: found, renamed, taken away, never deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modembank.bank.bank import Bank
from modembank.bank.records import DialRequest, ModemPatch, PageQuery, SimPatch, SimState
from modembank.bus.bus import InProcessBus
from modembank.bus.commands import RunAt
from modembank.bus.events import ModemChanged, ModemGone
from modembank.bus.vocabulary import ModemState
from modembank.errors import (
    AtRefusedError,
    HostUnreachableError,
    InvalidNumberError,
    NoSimAvailableError,
    NotFoundError,
)
from modembank.store.audit import newest_audit
from tests.support.scripted_host import HOST_ID, modem

ALL = PageQuery(limit=100)


async def tell(rack, snapshot, host_id: str = HOST_ID) -> None:
    rack.bus.publish(ModemChanged(host_id=host_id, at=datetime.now(UTC), modem=snapshot))
    await rack.told()


async def gone(rack, usb_path: str) -> None:
    rack.bus.publish(ModemGone(host_id=HOST_ID, at=datetime.now(UTC), usb_path=usb_path))
    await rack.told()


async def sim_of(rack, iccid: str):
    return next(sim for sim in (await rack.bank.list_sims(ALL)).data if sim.iccid == iccid)


async def modems_at(rack, usb_path: str):
    return [one for one in (await rack.bank.list_modems(ALL)).data if one.usb_path == usb_path]


async def test_what_a_host_tells_is_listed(rack):
    sims, modems = (await rack.bank.list_sims(ALL)).data, (await rack.bank.list_modems(ALL)).data
    assert (len(sims), len(modems)) == (4, 4)
    sim = await rack.bank.get_sim(sims[0].id)
    assert (sim.state, sim.operator, sim.access, sim.rssi_dbm) == (SimState.READY, "Test PLMN", "LTE", -71)
    one = await rack.bank.get_modem(sim.modem.id)
    assert (one.state, one.voice, one.sim.id, one.plmn) == (ModemState.READY, True, sim.id, "00101")
    [host] = await rack.bank.list_hosts()
    assert (host.id, host.connected, host.modems, host.modems_ready) == (HOST_ID, True, 4, 4)
    ready = await rack.bank.ready()
    assert (ready.database, ready.hosts, ready.modems_ready) == (True, 1, 4)


async def test_lists_go_page_by_page(rack):
    first = await rack.bank.list_sims(PageQuery(limit=3))
    second = await rack.bank.list_sims(PageQuery(limit=3, cursor=first.next_cursor))
    assert len({sim.id for sim in first.data + second.data}) == 4
    assert second.next_cursor is None
    first_modems = await rack.bank.list_modems(PageQuery(limit=4))
    assert first_modems.next_cursor is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ModemState.OPENING, "starting"),
        (ModemState.STARTING, "starting"),
        (ModemState.SIM_LOCKED, "sim_locked"),
        (ModemState.SEARCHING, "searching"),
        (ModemState.DENIED, "denied"),
        (ModemState.IN_CALL, "in_call"),
        (ModemState.FAILED, "failed"),
    ],
)
async def test_a_sim_is_as_its_modem_is(rack, state, expected):
    await tell(rack, replace(modem(1), state=state))
    assert (await sim_of(rack, modem(1).iccid)).state == expected


async def test_a_sim_in_a_call_shows_it(rack):
    dialed = await rack.bank.dial(DialRequest(to="+447700900777"), actor="test")
    sim = await rack.bank.get_sim(dialed.call.sim.id)
    assert (sim.state, sim.call_id) == (SimState.IN_CALL, dialed.call.id)


async def test_a_modem_that_goes_leaves_its_rows(rack):
    stream = rack.bank.events.subscribe()
    await gone(rack, modem(1).usb_path)
    assert [(await anext(stream)).type for _ in range(2)] == ["modem.gone", "sim.changed"]
    await stream.aclose()
    sim = await sim_of(rack, modem(1).iccid)
    assert (sim.state, sim.modem, sim.registration) == (SimState.ABSENT, None, "unknown")
    [one] = await modems_at(rack, modem(1).usb_path)
    assert (one.state, one.sim, one.imei) == (ModemState.LOST, None, modem(1).imei)
    await gone(rack, modem(1).usb_path)
    await tell(rack, modem(1))
    assert (await sim_of(rack, modem(1).iccid)).id == sim.id
    assert [again.id for again in await modems_at(rack, modem(1).usb_path)] == [one.id]


async def test_a_sim_keeps_its_row_when_it_moves(rack):
    before = await sim_of(rack, modem(1).iccid)
    await tell(rack, replace(modem(2), iccid=modem(1).iccid))
    stream = rack.bank.events.subscribe()
    await tell(rack, replace(modem(1), iccid=None, state=ModemState.NO_SIM))
    rack.bank.events.close()
    assert [event.type async for event in stream] == ["modem.changed"]  # nothing of the SIM, it had left before
    after = await sim_of(rack, modem(1).iccid)
    assert (after.id, after.modem.usb_path, after.state) == (before.id, modem(2).usb_path, "ready")
    assert (await sim_of(rack, modem(2).iccid)).state is SimState.ABSENT


async def test_another_device_in_the_same_place_is_another_modem(rack):
    await tell(rack, replace(modem(1), imei="860000009999999"))
    assert len(await modems_at(rack, modem(1).usb_path)) == 2
    await tell(rack, modem(1))
    both = await modems_at(rack, modem(1).usb_path)
    assert [one.state for one in both] == [ModemState.READY, ModemState.LOST]


async def test_a_modem_is_one_row_from_before_its_imei_is_known(rack):
    early = replace(modem(9), state=ModemState.OPENING, imei=None, iccid=None, imsi=None, number=None)
    await tell(rack, early)
    [first] = await modems_at(rack, modem(9).usb_path)
    assert first.imei is None
    await tell(rack, modem(9))
    [second] = await modems_at(rack, modem(9).usb_path)
    assert (second.id, second.imei) == (first.id, modem(9).imei)
    await tell(rack, early)
    assert [one.id for one in await modems_at(rack, modem(9).usb_path)] == [first.id]


async def test_nothing_new_is_not_told_again(rack):
    stream = rack.bank.events.subscribe()
    await tell(rack, modem(1))
    await tell(rack, replace(modem(1), rssi_dbm=-99))
    events = [await anext(stream) for _ in range(2)]
    await stream.aclose()
    assert [event.type for event in events] == ["modem.changed", "sim.changed"]
    assert events[0].data["modem"]["rssi_dbm"] == events[1].data["sim"]["rssi_dbm"] == -99


async def test_a_persons_number_wins_over_the_cards(rack):
    sim = await sim_of(rack, modem(1).iccid)
    patched = await rack.bank.patch_sim(sim.id, SimPatch(number="07700 900321"), actor="test")
    assert patched.number == "+447700900321"
    await tell(rack, replace(modem(1), rssi_dbm=-80))
    assert (await rack.bank.get_sim(sim.id)).number == "+447700900321"
    await rack.bank.patch_sim(sim.id, SimPatch(number=""), actor="test")
    assert (await rack.bank.get_sim(sim.id)).number is None
    await tell(rack, replace(modem(1), rssi_dbm=-81))
    assert (await rack.bank.get_sim(sim.id)).number == modem(1).number
    with pytest.raises(InvalidNumberError):
        await rack.bank.patch_sim(sim.id, SimPatch(number="abc"), actor="test")


async def test_labels_and_tags_show_at_once_and_choose_sims(rack):
    sim = await sim_of(rack, modem(2).iccid)
    patched = await rack.bank.patch_sim(
        sim.id, SimPatch(label="Reception", tags=("office",), notes="shelf 2"), actor="test"
    )
    assert (patched.label, patched.tags, patched.notes, patched.enabled) == ("Reception", ("office",), "shelf 2", True)
    assert (await rack.bank.get_modem(sim.modem.id)).sim.label == "Reception"
    dialed = await rack.bank.dial(DialRequest(to="+447700900777", pool="office"), actor="test")
    assert dialed.call.sim.label == "Reception"
    with pytest.raises(NoSimAvailableError) as raised:
        await rack.bank.dial(DialRequest(to="+447700900777", pool="office"), actor="test")
    assert raised.value.removed == {"tag": 3, "not_in_call": 1}


async def test_disabled_sims_and_modems_carry_no_calls(rack):
    for number in (0, 1):
        sim = await sim_of(rack, modem(number).iccid)
        await rack.bank.patch_sim(sim.id, SimPatch(enabled=False), actor="test")
    for number in (2, 3):
        [one] = await modems_at(rack, modem(number).usb_path)
        patched = await rack.bank.patch_modem(one.id, ModemPatch(enabled=False, label="old"), actor="test")
        assert (patched.enabled, patched.label) == (False, "old")
    with pytest.raises(NoSimAvailableError) as raised:
        await rack.bank.dial(DialRequest(to="+447700900777"), actor="test")
    assert raised.value.removed == {"enabled": 2, "modem_enabled": 2}
    assert (await sim_of(rack, modem(2).iccid)).modem.label == "old"


async def test_patches_are_audited_and_survive_a_restart(rack):
    sim = await sim_of(rack, modem(1).iccid)
    await rack.bank.patch_sim(sim.id, SimPatch(label="kept"), actor="key_7")
    again = Bank(rack.settings, rack.database, InProcessBus())
    assert (await again.get_sim(sim.id)).label == "kept"
    assert (await again.get_sim(sim.id)).state is SimState.ABSENT
    async with rack.database.read() as session:
        [row] = await newest_audit(session, 1)
    assert (row.actor, row.action, row.detail) == ("key_7", "sim.patch", sim.id)


async def test_what_never_was_is_not_found(rack):
    for attempt in (
        rack.bank.get_sim("sim_none"),
        rack.bank.get_modem("modem_none"),
        rack.bank.patch_sim("sim_none", SimPatch(), actor="x"),
        rack.bank.patch_modem("modem_none", ModemPatch(), actor="x"),
        rack.bank.modem_trace("modem_none"),
        rack.bank.run_at("modem_none", "AT", unrestricted=False, actor="x"),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_the_console_asks_the_modems_host_and_leaves_a_masked_note(rack):
    [one] = await modems_at(rack, modem(1).usb_path)
    lines = await rack.bank.run_at(one.id, "at+csq", unrestricted=False, actor="key_7")
    assert lines == ("+CSQ: 21,99", "OK")
    with pytest.raises(AtRefusedError):
        await rack.bank.run_at(one.id, "ATH", unrestricted=False, actor="key_7")
    await rack.bank.run_at(one.id, 'AT+CPIN="1234"', unrestricted=True, actor="key_7")
    assert [(command.usb_path, command.unrestricted) for command in rack.host.asked(RunAt)] == [
        (one.usb_path, False),
        (one.usb_path, True),
    ]
    async with rack.database.read() as session:
        newest = await newest_audit(session, 2)
    assert all(row.action == "modem.at" and row.actor == "key_7" for row in newest)
    assert "1234" not in newest[0].detail


async def test_a_trace_comes_from_the_host(rack):
    [one] = await modems_at(rack, modem(1).usb_path)
    assert [line.text for line in await rack.bank.modem_trace(one.id, 2)] == ["AT+CSQ", "AT+CSQ"]
    rack.bus.serve(HOST_ID, rack.handle)()
    with pytest.raises(HostUnreachableError):
        await rack.bank.modem_trace(one.id)

"""Own numbers: a person's word, the card's, and what a call between two own SIMs suggests."""

from __future__ import annotations

import pytest

from modembank.bank.records import DialRequest, PageQuery, SimPatch
from modembank.bank.sim_records import NumberSource
from tests.support.rack import Rack
from tests.support.scripted_host import modem

OTHER = "+447700900555"


async def sims_of(rack: Rack):
    await rack.told()
    return (await rack.bank.list_sims(PageQuery(limit=10))).data


async def ring(rack: Rack, caller: str | None) -> None:
    """SIM 0 calls SIM 1, which shows `caller`."""
    sims = await sims_of(rack)
    await rack.bank.dial(DialRequest(to=sims[1].number, from_=sims[0].id), actor="key_1")
    await rack.told()
    rack.host.incoming("call_01KAHQ4Z2T5M9V8R3E7W6XNYCD", modem(1), caller)
    await rack.told()


async def test_a_call_between_own_sims_suggests_the_callers_number(rack: Rack) -> None:
    await ring(rack, OTHER)
    sim = (await sims_of(rack))[0]
    assert (sim.suggested_number, sim.suggested_by) == (OTHER, NumberSource.CALL)
    assert (sim.number, sim.number_source) == (modem(0).number, NumberSource.CARD)
    chosen = await rack.bank.patch_sim(sim.id, SimPatch(number=OTHER), actor="key_1")
    assert (chosen.number, chosen.number_source, chosen.suggested_number) == (OTHER, NumberSource.PERSON, None)
    rack.host.change(modem(0), rssi_dbm=-80)
    assert (await sims_of(rack))[0].number == OTHER


@pytest.mark.parametrize("caller", [None, modem(0).number])
async def test_nothing_new_suggests_nothing(rack: Rack, caller: str | None) -> None:
    await ring(rack, caller)
    assert all(sim.suggested_number is None for sim in await sims_of(rack))


async def test_a_strangers_call_suggests_nothing(rack: Rack) -> None:
    await sims_of(rack)
    rack.host.incoming("call_01KAHQ4Z2T5M9V8R3E7W6XNYCD", modem(1), OTHER)
    assert all(sim.suggested_number is None for sim in await sims_of(rack))

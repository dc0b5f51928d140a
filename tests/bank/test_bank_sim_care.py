"""Operators and forwardings of SIMs: what the policy lets through, and what is told of a forwarding."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.bank.operators import ROAMING, policy_of
from modembank.bank.records import DialRequest, PageQuery, SimPatch
from modembank.bank.sim_records import OperatorPatch
from modembank.bus.bus import refused
from modembank.bus.commands import AnyReply, ClearForwarding, Done, Forwardings, ReadForwarding, SelectOperator
from modembank.bus.events import ForwardedTo, SimForwarding
from modembank.config import OperatorRule, SimSettings
from modembank.errors import NoSimAvailableError, NotFoundError, WrongStateError
from tests.support.rack import Rack
from tests.support.scripted_host import HOST_ID, _now, modem

plmns = st.sampled_from(["00101", "00102", "001010"])
lists = st.lists(plmns, max_size=2).map(tuple)
maybe = st.none() | st.booleans()


@given(st.booleans(), lists, lists, maybe, lists, lists, maybe, lists, lists, st.booleans(), plmns | st.none())
def test_the_nearest_word_counts_and_what_is_forbidden_stays_so(
    bank, allowed, forbidden, rule, rule_allowed, rule_forbidden, own, own_allowed, own_forbidden, tagged, plmn
):
    settings = SimSettings(
        roaming=bank,
        allowed_operators=allowed,
        forbidden_operators=forbidden,
        rules=(
            OperatorRule(
                tag="abroad", roaming=rule, allowed_operators=rule_allowed, forbidden_operators=rule_forbidden
            ),
        ),
    )
    policy = policy_of(settings, ["abroad"] if tagged else ["office"], own, own_allowed, own_forbidden)
    words = [own, rule if tagged else None, bank]
    assert policy.roaming is next(word for word in words if word is not None)
    if plmn in (*forbidden, *own_forbidden, *(rule_forbidden if tagged else ())):
        assert not policy.permits_operator(plmn)
    elif own_allowed:
        assert policy.permits_operator(plmn) is (plmn in own_allowed)
    for registration in ROAMING:
        assert policy.permits_registration(registration) is policy.roaming
    assert policy.permits_registration("home")


async def first(rack: Rack):
    await rack.told()
    return (await rack.bank.list_sims(PageQuery(limit=10))).data[0]


async def only_first(rack: Rack) -> str:
    """Switch all SIMs but the first off; its id."""
    sims = (await rack.bank.list_sims(PageQuery(limit=10))).data
    for sim in sims[1:]:
        await rack.bank.patch_sim(sim.id, SimPatch(enabled=False), actor="key_1")
    return sims[0].id


async def test_a_roaming_sim_is_not_dialled_unless_it_may(rack: Rack) -> None:
    sim_id = await only_first(rack)
    rack.host.change(modem(0), registration="roaming")
    await rack.told()
    with pytest.raises(NoSimAvailableError, match="roaming removed 1") as caught:
        await rack.bank.dial(DialRequest(to="+447700900900"), actor="key_1")
    assert caught.value.removed["roaming"] == 1
    await rack.bank.patch_sim(sim_id, SimPatch(operators=OperatorPatch(set_roaming=True, roaming=True)), actor="key_1")
    call = (await rack.bank.dial(DialRequest(to="+447700900900"), actor="key_1")).call
    assert {count.name: count.removed for count in call.why.filters}["roaming"] == 0


async def test_an_operator_that_is_not_allowed_carries_no_call(rack: Rack) -> None:
    sim_id = await only_first(rack)
    for patch in (
        OperatorPatch(set_roaming=False, forbidden=("00101",)),
        OperatorPatch(set_roaming=False, forbidden=(), allowed=("00102",)),
    ):
        await rack.bank.patch_sim(sim_id, SimPatch(operators=patch), actor="key_1")
        with pytest.raises(NoSimAvailableError, match="operator removed 1"):
            await rack.bank.dial(DialRequest(to="+447700900900"), actor="key_1")
    rack.host.change(modem(0), plmn="00102")
    await rack.told()
    await rack.bank.dial(DialRequest(to="+447700900900"), actor="key_1")


ACTIVE = (ForwardedTo(reason="unconditional", number="+447700900990"),)


async def test_a_forwarding_is_kept_and_told_once(rack: Rack) -> None:
    sim = await first(rack)
    assert sim.forwarding is None
    events = rack.bank.events.subscribe()
    for active in ((), ACTIVE, ACTIVE, ()):
        rack.bus.publish(
            SimForwarding(host_id=HOST_ID, at=_now(), usb_path=modem(0).usb_path, iccid=sim.iccid, active=active)
        )
        await rack.told()
        told = await first(rack)
        assert [(one.reason, one.number) for one in told.forwarding] == [(one.reason, one.number) for one in active]
        assert told.forwarding_at is not None
    events.end()
    alarms = [event.data["active"] async for event in events if event.type == "sim.forwarding"]
    assert alarms == [True, False]


async def test_a_person_asks_for_and_ends_a_forwarding(rack: Rack) -> None:
    sim = await first(rack)

    async def active(command: ReadForwarding) -> AnyReply:
        assert (command.usb_path, command.iccid) == (modem(0).usb_path, sim.iccid)
        return Forwardings(active=ACTIVE)

    async def ended(command: ClearForwarding) -> AnyReply:
        return Forwardings(active=())

    async def busy(command: ReadForwarding) -> AnyReply:
        return refused("wrong_state", "the network is not asked during a call")

    rack.on |= {ReadForwarding: active, ClearForwarding: ended}
    assert len((await rack.bank.sim_doctor.read_forwarding(sim.id)).forwarding) == 1
    assert (await rack.bank.sim_doctor.clear_forwarding(sim.id, "key_1")).forwarding == ()
    rack.on[ReadForwarding] = busy
    with pytest.raises(WrongStateError):
        await rack.bank.sim_doctor.read_forwarding(sim.id)


async def test_an_operator_is_selected_for_a_sim_that_is_here(rack: Rack) -> None:
    sim = await first(rack)

    async def select(command: SelectOperator) -> AnyReply:
        assert command.plmn == "00101"
        return Done()

    rack.on[SelectOperator] = select
    await rack.bank.sim_doctor.select_operator(sim.id, "00101", "key_1")
    rack.host.change(replace(modem(0), iccid=None))
    await rack.told()
    with pytest.raises(WrongStateError, match="in no modem"):
        await rack.bank.sim_doctor.select_operator(sim.id, "00101", "key_1")
    with pytest.raises(NotFoundError):
        await rack.bank.sim_doctor.select_operator("sim_0", "00101", "key_1")

"""The driver meets emulated modems of other families; both were written from the manuals, not from each other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from modembank.modem import CallKind, UssdStatus, scan
from tests.support.emulator import RunningEmulator, start_emulator
from tests.support.modem_rig import driven

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEPS = [CallKind.DIALING, CallKind.ALERTING, CallKind.ANSWERED]
EC25, STICK, SIM7600 = 0, 1, 2
FAMILIES = {EC25: "quectel-ec25", STICK: "huawei-stick", SIM7600: "simcom-sim7600"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningEmulator]:
    """One modem of each family."""
    folder = tmp_path_factory.mktemp("families")
    async with start_emulator(folder, modems=4, family="mixed", party_speed=8.0) as running:
        yield running


async def test_each_is_found_as_what_it_is(rack: RunningEmulator) -> None:
    found = {one.usb_path: one for one in scan(rack.sys, rack.dev)}
    for index, name in FAMILIES.items():
        ports = found[str((await rack.modem(index))["usb_path"])]
        assert ports.dialect == name and ports.audio is not None


@pytest.mark.parametrize("index", FAMILIES)
async def test_ready_with_its_card(rack: RunningEmulator, index: int) -> None:
    async with driven(rack, index) as rig:
        truth = await rack.modem(index)
        info = rig.modem.info
        assert (info.imei, info.iccid, info.imsi) == (truth["imei"], truth["iccid"], truth["imsi"])
        assert info.voice and info.number == truth["number"]


@pytest.mark.parametrize("index", FAMILIES)
async def test_a_call_out(rack: RunningEmulator, index: int) -> None:
    async with driven(rack, index) as rig:
        await rig.modem.dial(rack.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        assert rig.heard.kinds == STEPS
        await rig.modem.send_dtmf("5")
        await rig.modem.hang_up()
        assert [one.local for one in rig.heard.releases] == [True]
        await rig.modem.dial(rack.parties["busy"])
        assert (await rig.heard.released(2)).cause_q850 == 17


@pytest.mark.parametrize("index", FAMILIES)
async def test_a_call_in(rack: RunningEmulator, index: int) -> None:
    async with driven(rack, index) as rig:
        await rack.call("incoming", to=index, **{"from": "+447700900123"})
        assert (await rig.heard.heard(CallKind.INCOMING)).number == "+447700900123"
        await rig.modem.answer()
        await rig.heard.heard(CallKind.ANSWERED)
        await rig.modem.hang_up()


@pytest.mark.parametrize("index", FAMILIES)
async def test_messages_and_ussd(rack: RunningEmulator, index: int) -> None:
    async with driven(rack, index) as rig:
        await rack.call("sms", modem=index, to=rig.number, text="hello", **{"from": "+447700900990"})
        await rig.heard.until(lambda: len(rig.heard.places) > 1)
        (message,) = await rig.modem.read_messages()
        await rig.modem.delete_message(message.store, message.index)
        assert await rig.modem.read_messages() == ()
        reply = await rig.modem.ussd("*100#")
        assert reply.m is UssdStatus.DONE and reply.raw


@pytest.mark.parametrize("index", FAMILIES)
async def test_a_pin(rack: RunningEmulator, index: int) -> None:
    async with driven(rack, index) as rig:
        await rack.call("pin", modem=index, pin="4711")
        await rig.heard.until(lambda: rig.modem.info.lock is not None)
        assert rig.modem.info.lock is not None and rig.modem.info.lock.pin_left == 3
        await rig.modem.enter_pin("4711")
        await rig.heard.until(lambda: rig.modem.info.state == "ready")
    await rack.call("pin", modem=index, pin="")

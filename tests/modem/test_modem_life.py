"""A modem's life through the real driver: bring-up, SIM, registration, resets, faults of the line, loss."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from modembank.errors import AtTimeoutError, CmeError, NoVoiceError, PortBusyError, PortLostError, SimNotReadyError
from modembank.modem import (
    CallKind,
    Evidence,
    Modem,
    ModemInfo,
    ModemState,
    ModemTimings,
    Registration,
    SerialBackend,
    scan,
)
from modembank.tty.backends import PortOpener
from modembank.tty.channel import ChannelTimings
from tests.support.emulator import RunningEmulator
from tests.support.modem_rig import Listener, driven

pytestmark = pytest.mark.asyncio(loop_scope="session")

Next = Callable[[], int]
HASTY = ModemTimings(
    unready_s=0.3,
    sim_busy_s=0.1,
    boot_quiet_s=0.1,
    channel=ChannelTimings(sentinel_s=0.5, quiet_s=0.1),
)


@pytest.mark.parametrize("backend", list(SerialBackend))
async def test_bring_up_to_ready(emulator: RunningEmulator, next_modem: Next, backend: SerialBackend) -> None:
    async with driven(emulator, next_modem(), backend=backend) as rig:
        truth = await emulator.modem(rig.index)
        info = rig.modem.info
        assert (info.imei, info.iccid, info.imsi, info.number) == (
            truth["imei"],
            truth["iccid"],
            truth["imsi"],
            truth["number"],
        )
        assert (info.manufacturer, info.model, info.plmn, info.access) == ("Quectel", "EC25", "00101", "LTE")
        assert info.operator and info.registration is Registration.HOME and info.voice
        assert info.rssi_dbm is not None and -113 <= info.rssi_dbm <= -51
        assert truth["qpcmv"] == [1, 0]
        assert rig.modem.audio is not None and rig.modem.audio.name in str(info.audio_port)
        states = list(dict.fromkeys(one.state for one in rig.heard.infos))
        assert states == [ModemState.OPENING, ModemState.STARTING, ModemState.READY]
    assert rig.modem.info.state is ModemState.LOST


async def test_many_modems_come_up_together(emulator: RunningEmulator, next_modem: Next) -> None:
    places = {(await emulator.modem(next_modem()))["usb_path"] for _ in range(8)}
    opener = PortOpener()
    listener = Listener()
    modems = [
        Modem(one, listener, backend=opener) for one in scan(emulator.sys, emulator.dev) if one.usb_path in places
    ]
    tasks = [asyncio.create_task(modem.run()) for modem in modems]
    await listener.until(lambda: all(modem.info.state is ModemState.READY for modem in modems))
    assert len({modem.info.iccid for modem in modems}) == 8
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_modem_without_voice_is_no_use(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    await emulator.call("fault", modem=index, name="qpcmv_refused", value=True)
    async with driven(emulator, index, ready=False) as rig:
        await rig.state(ModemState.FAILED)
        assert "voice" in rig.modem.info.state_detail
        with pytest.raises(NoVoiceError):
            await rig.modem.dial(emulator.parties["echo"])
        assert await rig.sent("ATD") == []


async def test_a_sim_that_starts_slowly_is_waited_for(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    await emulator.call("fault", modem=index, name="sim_busy_s", value=1.5)
    await emulator.call("reset", modem=index)
    await asyncio.sleep(0.1)
    async with asyncio.timeout(30):
        while not (await emulator.modem(index))["present"]:
            await asyncio.sleep(0.05)
    async with driven(emulator, index, timings=HASTY) as rig:
        assert rig.modem.info.iccid == (await emulator.modem(index))["iccid"]


async def test_the_sim_is_taken_out_and_another_put_in(emulator: RunningEmulator, next_modem: Next) -> None:
    first, second = next_modem(), next_modem()
    async with driven(emulator, first, timings=HASTY) as rig:
        old = rig.modem.info.iccid
        await emulator.call("remove_sim", modem=first)
        await rig.state(ModemState.NO_SIM)
        assert rig.modem.info.iccid is None and rig.modem.info.number is None
        with pytest.raises(SimNotReadyError):
            await rig.modem.dial(emulator.parties["echo"])
        other = (await emulator.call("remove_sim", modem=second))["iccid"]
        await emulator.call("insert_sim", modem=first, iccid=other)
        await rig.state(ModemState.READY)
        assert rig.modem.info.iccid == other != old


async def test_registration_comes_and_goes(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem(), timings=HASTY) as rig:
        for stat, state, name in [
            (2, ModemState.SEARCHING, Registration.SEARCHING),
            (3, ModemState.DENIED, Registration.DENIED),
            (6, ModemState.SEARCHING, Registration.HOME_SMS_ONLY),
            (5, ModemState.READY, Registration.ROAMING),
        ]:
            await emulator.call("registration", modem=rig.index, stat=stat)
            await rig.heard.until(lambda name=name: rig.modem.info.registration is name)  # type: ignore[misc]
            await rig.state(state)


async def test_signal_is_told_without_being_asked(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("signal", modem=rig.index, rssi=3)
        await rig.heard.until(lambda: rig.modem.info.rssi_dbm == -107)
        assert len(await rig.sent("+CSQ")) <= 2  # at bring-up, not since


async def test_flow_control_of_voice_is_told(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.fault("qpcmv_busy", True)
        await rig.fault("qpcmv_busy", False)
        await rig.heard.until(lambda: rig.heard.flow == [False, True])


async def test_a_restart_of_the_modem_ends_its_call_and_everything_is_set_again(
    emulator: RunningEmulator, next_modem: Next
) -> None:
    """The port survives some restarts: RDY is all there is."""
    index = next_modem()
    async with driven(emulator, index, timings=HASTY) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        rig.modem.urc_received("RDY")
        release = await rig.heard.released()
        assert (release.evidence, release.cause_q850) == (Evidence.RESET, 41)
        await rig.state(ModemState.READY)
        assert len(await rig.sent("ATE0")) == 2
        assert await rig.modem.clear_calls() == 1  # this one did not really restart


async def test_a_reset_takes_the_port_away(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("reset", modem=rig.index)
        with pytest.raises(PortLostError):
            await asyncio.wait_for(asyncio.shield(rig.task), 10)


async def test_an_unplugged_modem_loses_its_call_within_two_seconds(
    emulator: RunningEmulator, next_modem: Next
) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        dropped_s = time.monotonic()
        await emulator.call("drop", modem=rig.index)
        release = await rig.heard.released()
        assert (release.evidence, release.cause_q850, release.local) == (Evidence.PORT_LOST, 41, False)
        assert release.monotonic_s - dropped_s < 2
        with pytest.raises(PortLostError):
            await asyncio.wait_for(asyncio.shield(rig.task), 10)
        assert rig.modem.info.state is ModemState.LOST
        lost = next(one for one in rig.heard.log if isinstance(one, ModemInfo) and one.state is ModemState.LOST)
        assert rig.heard.log.index(release) < rig.heard.log.index(lost)  # first the call, then its modem
        with pytest.raises(PortLostError):
            await rig.modem.dial(emulator.parties["echo"])
        assert len(rig.heard.releases) == 1
        assert any("+CLCC" in line.text for line in rig.modem.trace(1000))


async def test_a_modem_comes_back_at_its_place(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    async with driven(emulator, index) as rig:
        before = rig.modem.info
        await emulator.call("drop", modem=index)
        with pytest.raises(PortLostError):
            await asyncio.wait_for(asyncio.shield(rig.task), 10)
    await emulator.call("readd", modem=index)
    async with driven(emulator, index) as rig:
        after = rig.modem.info
        assert (after.usb_path, after.imei, after.iccid) == (before.usb_path, before.imei, before.iccid)


async def test_silence_is_noticed(emulator: RunningEmulator, next_modem: Next) -> None:
    """Three modems at once, since each costs a whole deadline."""
    await asyncio.gather(
        _half_dead(emulator, next_modem()), _mute_in_a_call(emulator, next_modem()), _late(emulator, next_modem())
    )


async def _half_dead(emulator: RunningEmulator, index: int) -> None:
    """Deadline, two sentinels, lost: URCs do not keep it alive."""
    async with driven(emulator, index, timings=HASTY) as rig:
        await emulator.call("hang", modem=rig.index, on=True)
        with pytest.raises(AtTimeoutError):
            await rig.modem.list_calls()
        with pytest.raises(PortLostError, match="answers no more"):
            await asyncio.wait_for(asyncio.shield(rig.task), 20)


async def _mute_in_a_call(emulator: RunningEmulator, index: int) -> None:
    async with driven(emulator, index, timings=replace(HASTY, call_poll_s=0.3)) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        await emulator.call("mute", modem=rig.index, on=True)
        release = await rig.heard.released()
        assert release.evidence is Evidence.PORT_LOST


async def _late(emulator: RunningEmulator, index: int) -> None:
    """One late answer costs one deadline and nothing else."""
    async with driven(emulator, index) as rig:
        await rig.fault("delay_reply_s", 6.0)
        with pytest.raises(AtTimeoutError):
            await rig.modem.list_calls()
        assert await rig.modem.run_at("AT+CGMM") == ("EC25",)
        assert await rig.modem.list_calls() == ()


@pytest.mark.parametrize(
    "faults", [("urc_inside_answer",), ("urc_split", "urc_pair"), ("double_cr",), ("urc_inside_answer", "double_cr")]
)
async def test_ill_behaved_lines_change_nothing(
    emulator: RunningEmulator, next_modem: Next, faults: tuple[str, ...]
) -> None:
    index = next_modem()
    for name in faults:
        await emulator.call("fault", modem=index, name=name, value=True)
    async with driven(emulator, index) as rig:
        truth = await emulator.modem(index)
        info = rig.modem.info
        assert (info.imei, info.iccid, info.imsi) == (truth["imei"], truth["iccid"], truth["imsi"])
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        await rig.modem.hang_up()
        assert rig.heard.kinds == [CallKind.DIALING, CallKind.ALERTING, CallKind.ANSWERED]
        assert [one.cause_q850 for one in rig.heard.releases] == [16]


async def test_odd_names_and_an_empty_own_number(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    for name in ("cops_garbage", "cnum_empty"):
        await emulator.call("fault", modem=index, name=name, value=True)
    async with driven(emulator, index) as rig:
        info = rig.modem.info
        assert info.number is None
        assert info.operator is not None and info.operator.isprintable() and "@" not in info.operator


async def test_a_second_driver_is_refused(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    async with driven(emulator, index) as rig, driven(emulator, index, ready=False) as late:
        with pytest.raises(PortBusyError, match="pid"):
            await asyncio.wait_for(asyncio.shield(late.task), 10)
        assert late.modem.info.state is ModemState.LOST
        assert await rig.modem.list_calls() == ()


async def test_the_console_and_the_masked_trace(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        assert (await rig.modem.run_at("at+csq"))[0].startswith("+CSQ:")
        with pytest.raises(CmeError):
            await rig.modem.run_at("AT+CPIN=1234")
        text = "\n".join(line.text for line in rig.modem.trace(1000))
        assert "1234" not in text
        for secret in (rig.number, rig.modem.info.imsi, rig.modem.info.iccid, rig.modem.info.imei):
            assert secret is not None and secret not in text

"""Calls through the real driver and emulated modems: what the modem tells, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from modembank.errors import DialFailedError, NotRegisteredError, WrongStateError
from modembank.modem import CallKind, Direction, Evidence, ModemState, ModemTimings
from tests.modem.conftest import PARTY_SPEED
from tests.support.emulator import RunningEmulator
from tests.support.modem_rig import driven

pytestmark = pytest.mark.asyncio(loop_scope="session")

Next = Callable[[], int]
DIAL_STEPS = [CallKind.DIALING, CallKind.ALERTING, CallKind.ANSWERED]


async def test_dialing_alerting_and_answered_are_three_moments(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        assert rig.heard.kinds == DIAL_STEPS
        dialing, alerting, answered = rig.heard.progress
        assert {one.direction for one in rig.heard.progress} == {Direction.MO}
        assert alerting.monotonic_s - dialing.monotonic_s >= 0.9 * 0.3 / PARTY_SPEED
        assert answered.monotonic_s - alerting.monotonic_s == pytest.approx(2.0 / PARTY_SPEED, abs=0.4)
        assert answered.evidence in {Evidence.DSCI, Evidence.CCINFO, Evidence.CLCC}
        assert rig.modem.info.state is ModemState.IN_CALL
        await rig.modem.hang_up()
        release = await rig.heard.released()
        assert (release.cause_q850, release.local, release.number) == (16, True, emulator.parties["echo"])
        assert rig.modem.info.state is ModemState.READY
        assert len(await rig.sent("ATD")) == 1


@pytest.mark.parametrize(
    ("party", "steps", "cause"),
    [
        ("busy", [CallKind.DIALING], 17),
        ("rejects", [CallKind.DIALING, CallKind.ALERTING], 21),
        ("unassigned", [CallKind.DIALING], 1),
        ("congestion", [CallKind.DIALING], 42),
        ("announcement", [CallKind.DIALING], 31),
    ],
)
async def test_a_call_that_fails_tells_why_once(
    emulator: RunningEmulator, next_modem: Next, party: str, steps: list[CallKind], cause: int
) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties[party])
        release = await rig.heard.released()
        assert (release.cause_q850, release.local) == (cause, False)
        assert list(dict.fromkeys(rig.heard.kinds)) == steps  # a step is told again when the network adds a tone
        await rig.state(ModemState.READY)
        await asyncio.sleep(0.5)  # time for a second end to come
        assert len(rig.heard.releases) == 1


async def test_no_answer_is_ended_by_the_network_with_its_cause(emulator: RunningEmulator, next_modem: Next) -> None:
    await emulator.call("party", name="no_answer", ring_s=1.0)
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["no_answer"])
        release = await rig.heard.released()
        assert release.cause_q850 == 19
        assert rig.heard.kinds == [CallKind.DIALING, CallKind.ALERTING]


async def test_the_alerting_deadline_is_ours_when_the_network_has_none(
    emulator: RunningEmulator, next_modem: Next
) -> None:
    await emulator.call("party", name="no_answer", ring_s=60.0)
    timings = ModemTimings(alerting_s=0.8, call_poll_s=0.1)
    async with driven(emulator, next_modem(), timings=timings) as rig:
        await rig.modem.dial(emulator.parties["no_answer"])
        release = await rig.heard.released()
        assert (release.cause_q850, release.local, release.text) == (19, True, "no answer within 0.8 s")


async def test_some_networks_skip_alerting(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["no_alerting"])
        await rig.heard.heard(CallKind.ANSWERED)
        assert rig.heard.kinds == [CallKind.DIALING, CallKind.ANSWERED]


async def test_the_far_end_hangs_up(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["drops"])
        release = await rig.heard.released()
        assert rig.heard.kinds == DIAL_STEPS
        assert (release.cause_q850, release.local) == (41, False)


async def test_one_sim_calls_another(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as caller, driven(emulator, next_modem()) as callee:
        await caller.modem.dial(callee.number)
        incoming = await callee.heard.heard(CallKind.INCOMING)
        assert (incoming.direction, incoming.number) == (Direction.MT, caller.number)
        await caller.heard.heard(CallKind.ALERTING)
        await callee.modem.answer()
        await callee.heard.heard(CallKind.ANSWERED)
        await caller.heard.heard(CallKind.ANSWERED)
        await callee.modem.hang_up()
        ends = await callee.heard.released(), await caller.heard.released()
        assert [end.local for end in ends] == [True, False]
        assert [end.cause_q850 for end in ends] == [16, 16]
        assert callee.heard.kinds == [CallKind.INCOMING, CallKind.ANSWERED]


async def test_an_incoming_call_is_told_once_and_rejected(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("incoming", to=rig.index, **{"from": "+447700900991"})
        incoming = await rig.heard.heard(CallKind.INCOMING)
        assert incoming.number == "+447700900991"
        assert rig.modem.info.state is ModemState.IN_CALL
        await asyncio.sleep(0.5)
        await rig.modem.reject()
        release = await rig.heard.released()
        assert release.local and release.direction is Direction.MT
        assert rig.heard.kinds == [CallKind.INCOMING]
        with pytest.raises(WrongStateError):
            await rig.modem.answer()


async def test_a_missed_call_ends_without_our_doing(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("incoming", to=rig.index, ring_s=0.5)
        release = await rig.heard.released()
        assert not release.local
        assert rig.heard.kinds == [CallKind.INCOMING]


async def test_dtmf_goes_both_ways(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["dtmf"])
        await rig.heard.heard(CallKind.ANSWERED)
        for digit in "5*#":
            await rig.modem.send_dtmf(digit)
        assert (await emulator.call("sent_dtmf", modem=rig.index))["digits"] == "5*#"
        await rig.heard.until(lambda: rig.heard.digits == ["1", "2", "3"])


async def test_hold_and_back(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        with pytest.raises(WrongStateError):
            await rig.modem.hold(True)
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        await rig.modem.hold(True)
        await rig.heard.heard(CallKind.HELD)
        await rig.modem.hold(True)
        await rig.modem.hold(False)
        await rig.heard.heard(CallKind.ACTIVE)
        await rig.modem.hang_up()
        assert rig.heard.kinds == [*DIAL_STEPS, CallKind.HELD, CallKind.ACTIVE]


@pytest.mark.parametrize(
    ("missing", "evidence"),
    [
        (("dsci_unsupported",), Evidence.CCINFO),
        (("ccinfo_unsupported",), Evidence.DSCI),
        (("dsci_unsupported", "ccinfo_unsupported"), Evidence.CLCC),
    ],
)
async def test_any_one_witness_is_enough(
    emulator: RunningEmulator, next_modem: Next, missing: tuple[str, ...], evidence: Evidence
) -> None:
    index = next_modem()
    for name in missing:
        await emulator.call("fault", modem=index, name=name, value=True)
    async with driven(emulator, index) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        answered = await rig.heard.heard(CallKind.ANSWERED)
        assert answered.evidence is evidence
        assert rig.heard.kinds[-1] is CallKind.ANSWERED
        await emulator.call("hangup", **{"from": rig.number, "cause": 16})
        release = await rig.heard.released()
        assert (release.evidence, release.local, release.cause_q850) == (evidence, False, 16)


async def test_a_late_no_carrier_never_ends_the_next_call(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.fault("late_no_carrier", True)
        await rig.modem.dial(emulator.parties["unassigned"])
        await rig.heard.released()
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        await rig.heard.until(lambda: any(line.text == "NO CARRIER" for line in rig.modem.trace(50)), 10)
        await asyncio.sleep(1)
        assert len(rig.heard.releases) == 1
        assert len(await rig.modem.list_calls()) == 1
        await rig.modem.hang_up()
        assert len(rig.heard.releases) == 2


async def test_an_ignored_hang_up_is_climbed_over(emulator: RunningEmulator, next_modem: Next) -> None:
    timings = ModemTimings(hang_up_s=0.6)
    async with driven(emulator, next_modem(), timings=timings) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        await rig.fault("hangup_ignored", 1)
        await rig.modem.hang_up()
        assert len(rig.heard.releases) == 1
        assert await rig.modem.list_calls() == ()
        assert await rig.sent("+CHLD=12")


async def test_a_call_that_ignores_everything_loses_the_radio(emulator: RunningEmulator, next_modem: Next) -> None:
    timings = ModemTimings(hang_up_s=0.5, radio_off_s=0.2, unready_s=0.2)
    async with driven(emulator, next_modem(), timings=timings) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        await rig.fault("hangup_ignored", 99)
        await rig.modem.hang_up()
        assert len(rig.heard.releases) == 1
        assert await rig.sent("+CFUN=4")
        await rig.state(ModemState.READY)


async def test_hanging_up_again_and_again_ends_one_call_once(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.hang_up()  # no call yet
        await rig.modem.dial(emulator.parties["echo"])
        await asyncio.gather(*(rig.modem.hang_up() for _ in range(5)))
        await rig.modem.hang_up()
        assert len(rig.heard.releases) == 1
        assert len(await rig.sent("+CHUP")) == 1


async def test_a_hang_up_while_dialling_leaves_no_call(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        dialling = asyncio.create_task(rig.modem.dial(emulator.parties["echo"]))
        await asyncio.sleep(0)
        await rig.modem.hang_up()
        outcome = (await asyncio.gather(dialling, return_exceptions=True))[0]
        if isinstance(outcome, DialFailedError):
            assert not rig.modem.atd_written
        await rig.heard.until(lambda: rig.modem.info.state is ModemState.READY)
        assert await rig.modem.list_calls() == ()


async def test_calls_left_over_from_before_are_cleared(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    async with driven(emulator, index) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
    assert len(rig.heard.releases) == 1  # the driver went, and said so
    async with driven(emulator, index) as rig:
        assert len(await rig.modem.list_calls()) == 1
        assert await rig.modem.clear_calls() == 1
        assert await rig.modem.list_calls() == ()
        assert await rig.modem.clear_calls() == 0


async def test_the_voice_path_is_armed_again_for_every_call(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.run_at("AT+QPCMV=0")
        assert (await emulator.modem(rig.index))["qpcmv"] == [0, 0]
        await rig.modem.dial(emulator.parties["echo"])
        assert (await emulator.modem(rig.index))["qpcmv"] == [1, 0]


async def test_a_left_over_call_is_hung_up_before_the_next_dial(emulator: RunningEmulator, next_modem: Next) -> None:
    index = next_modem()
    async with driven(emulator, index) as rig:
        await rig.modem.dial(emulator.parties["tone"])
        await rig.heard.heard(CallKind.ANSWERED)
    async with driven(emulator, index) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        assert [call.number for call in await rig.modem.list_calls()] == [emulator.parties["echo"]]


async def test_a_second_dial_is_refused_while_a_call_is_up(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await rig.modem.dial(emulator.parties["echo"])
        with pytest.raises(DialFailedError):
            await rig.modem.dial(emulator.parties["tone"])
        assert not rig.modem.atd_written
        await rig.modem.hang_up()
        assert len(await rig.sent("ATD")) == 1


async def test_an_incoming_call_beats_a_dial(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("incoming", to=rig.index)
        await rig.heard.heard(CallKind.INCOMING)
        with pytest.raises(DialFailedError):
            await rig.modem.dial(emulator.parties["echo"])
        assert await rig.sent("ATD") == []


async def test_no_dial_without_registration(emulator: RunningEmulator, next_modem: Next) -> None:
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("registration", modem=rig.index, stat=2)
        await rig.state(ModemState.SEARCHING)
        with pytest.raises(NotRegisteredError):
            await rig.modem.dial(emulator.parties["echo"])
        assert await rig.sent("ATD") == []


async def test_a_refused_atd_is_an_error_and_no_call(emulator: RunningEmulator, next_modem: Next) -> None:
    """SMS-only registration: whoever notices first, the driver or the modem, no call comes of it."""
    async with driven(emulator, next_modem()) as rig:
        await emulator.call("registration", modem=rig.index, stat=6)
        with pytest.raises((DialFailedError, NotRegisteredError)):
            await rig.modem.dial(emulator.parties["echo"])
        assert rig.heard.releases == []


async def test_a_slow_answer_to_atd_changes_nothing(emulator: RunningEmulator, next_modem: Next) -> None:
    """OK comes only when the far end has answered; the events told it all before."""
    async with driven(emulator, next_modem()) as rig:
        await rig.fault("colp_style", True)
        await rig.modem.dial(emulator.parties["echo"])
        await rig.heard.heard(CallKind.ANSWERED)
        assert rig.heard.kinds == DIAL_STEPS
        await rig.modem.hang_up()
        assert len(rig.heard.releases) == 1

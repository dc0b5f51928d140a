"""Calls between two lines, real or emulated: evidence, answer, hang-up from each side, voice and digits both ways."""

from __future__ import annotations

import pytest

from modembank.cli.remote import Server as Address
from modembank.cli.selftest_bank import remote_bank
from modembank.config import SelftestSettings
from modembank.selftest.programme import programme
from modembank.selftest.result import Aspect, Verdict
from modembank.selftest.run import LONGEST_CALL_S, Plan, judge_run, run_call
from tests.hil.bench import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEEDED = {Aspect.SOUND, Aspect.LEVEL, Aspect.ECHO, Aspect.SPEECH, Aspect.DTMF}
"""What a line must have to be of use; delay, noise and drop-outs are the network's too, and the report tells them."""


async def test_ringing_and_answer_are_two_things_and_the_caller_hangs_up(bench: Bench) -> None:
    await bench.ready(bench.b)
    async with bench.calling(bench.a, bench.b.number) as out:
        incoming = await bench.rings(bench.b)
        assert incoming["from"] in (bench.a.number, None)
        ringing = await bench.bank.wait_call(out["id"], lambda call: call["ringing_at"] is not None)
        assert ringing["status"] == "ringing"
        assert ringing["answered_at"] is None, "answered was told although nobody answered"
        await bench.bank.post(f"/v1/calls/{incoming['id']}/actions/answer")
        answered = await bench.reached(out["id"], "in_progress")
        assert answered["dialing_at"] < answered["ringing_at"] < answered["answered_at"]
        assert (await bench.reached(incoming["id"], "in_progress"))["answered_at"] is not None
        await bench.bank.post(f"/v1/calls/{out['id']}/actions/hangup")
        ended = [await bench.ended(call) for call in (out["id"], incoming["id"])]
    assert [call["status"] for call in ended] == ["completed", "completed"]
    assert [call["hangup"]["source"] for call in ended] == ["caller", "caller"]
    assert ended[0]["duration_s"] > 0


async def test_the_called_line_hangs_up(bench: Bench) -> None:
    await bench.ready(bench.b)
    async with bench.calling(bench.a, bench.b.number) as out:
        incoming = await bench.rings(bench.b)
        await bench.bank.post(f"/v1/calls/{incoming['id']}/actions/answer")
        await bench.reached(out["id"], "in_progress")
        await bench.bank.post(f"/v1/calls/{incoming['id']}/actions/hangup")
        ended = await bench.ended(out["id"])
    assert (ended["status"], ended["hangup"]["source"]) == ("completed", "callee")


async def test_a_call_that_is_turned_away_was_never_answered(bench: Bench) -> None:
    await bench.ready(bench.b)
    async with bench.calling(bench.a, bench.b.number) as out:
        incoming = await bench.rings(bench.b)
        await bench.bank.post(f"/v1/calls/{incoming['id']}/actions/reject")
        ended = await bench.ended(out["id"])
    # Networks tell a refusal as one or the other; one that diverts it to a mailbox must have that switched off.
    assert ended["status"] in ("rejected", "busy")
    assert (ended["answered_at"], ended["duration_s"]) == (None, 0)


async def test_a_caller_who_gives_up_leaves_nothing_behind(bench: Bench) -> None:
    await bench.ready(bench.b)
    async with bench.calling(bench.a, bench.b.number) as out:
        incoming = await bench.rings(bench.b)
        await bench.bank.post(f"/v1/calls/{out['id']}/actions/hangup")
        assert (await bench.ended(out["id"]))["status"] == "canceled"
        assert (await bench.ended(incoming["id"]))["answered_at"] is None


async def test_voice_and_digits_both_ways(bench: Bench) -> None:
    """The self-test's own call: its programme of tones and speech, and digits, in both directions."""
    caller, callee = await bench.line(bench.a), await bench.line(bench.b)
    ticket = bench.reserve(bench.a, bench.b.number, LONGEST_CALL_S)
    limits = SelftestSettings()
    plan = Plan(programme(tone_s=1.2, speech_s=2.6), limits)
    steps: list[str] = []
    async with remote_bank(Address(bench.bank.server.url, bench.bank.server.api_key)) as bank:
        ran = await run_call(bank, caller, callee, plan, steps.append)
    bench.budget.settle_call(ticket, ran.times.talk_s)
    facts = judge_run(ran, limits)
    assert facts.problem == "", steps
    failed = [
        f"{way.speaker.label} to {way.listener.label}, {check.aspect}: {check.found}, allowed {check.limit}"
        for way in facts.directions
        for check in way.checks
        if check.aspect in NEEDED and check.verdict is not Verdict.OK
    ]
    assert not failed, "\n".join(failed)
    assert len(facts.directions) == 2

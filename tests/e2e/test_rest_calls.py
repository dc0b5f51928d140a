"""Calls through the REST API with an ordinary WebRTC client, against every kind of far party."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from modembank.webrtc.client import ToneVoice, Voice, WavVoice, WebrtcClient
from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.sound import Samples, correlation, level_dbfs, read_wav

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE_HZ = 8000
CALLER = "+447700900951"


@asynccontextmanager
async def _talking(bank: TestBank, to: str, voice: Voice) -> AsyncIterator[tuple[Json, WebrtcClient]]:
    client = WebrtcClient(voice)
    try:
        call = await bank.dial(to, webrtc={"type": "offer", "sdp": await client.offer()})
        await client.accept(call["webrtc"]["sdp"])
        yield call, client
    finally:
        await client.close()


def _pcm(data: bytes) -> Samples:
    return np.frombuffer(data, np.int16) / 32768.0


def _said_dbfs(hz: float) -> float:
    """The level of a client's tone by the same measure that judges what was heard."""
    voice = ToneVoice(hz, dbfs=-12)
    return level_dbfs(_pcm(b"".join(voice.next() for _ in range(50))), hz, RATE_HZ)


async def _heard_by(bank: TestBank, number: str) -> Samples:
    answer = await bank.emulator.call("heard", number=number)
    samples, rate = read_wav(Path(str(answer["path"])))
    assert rate == RATE_HZ
    return samples


async def test_speech_both_ways_through_the_api(bank: TestBank, telephone_speech: Path) -> None:
    async with _talking(bank, bank.parties["echo"], WavVoice(telephone_speech)) as (call, client):
        call = await bank.wait_status(call["id"], "in_progress")
        assert call["ringing_at"] < call["answered_at"]
        client.say(WavVoice(telephone_speech))
        await asyncio.sleep(13)
        heard_back = _pcm(client.heard)
        at_far_party = await _heard_by(bank, bank.parties["echo"])
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    said, _ = read_wav(telephone_speech)
    assert correlation(said, at_far_party, RATE_HZ) >= 0.9
    assert correlation(said, heard_back, RATE_HZ) >= 0.9
    ended = await bank.wait_status(call["id"], "completed")
    assert ended["hangup"]["source"] == "caller"


async def test_tones_keep_their_level_in_both_directions(bank: TestBank) -> None:
    """440 Hz towards the far party, its 1000 Hz towards us: each within 1 dB."""
    async with _talking(bank, bank.parties["tone"], ToneVoice(440, dbfs=-12)) as (call, client):
        await bank.wait_status(call["id"], "in_progress")
        await asyncio.sleep(2)
        client.forget()
        await asyncio.sleep(3)
        heard = _pcm(client.heard)[RATE_HZ:]
        at_far_party = (await _heard_by(bank, bank.parties["tone"]))[-2 * RATE_HZ :]
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    assert level_dbfs(heard, 1000, RATE_HZ) == pytest.approx(-10, abs=1)
    assert level_dbfs(at_far_party, 440, RATE_HZ) == pytest.approx(_said_dbfs(440), abs=1)


@pytest.mark.parametrize(
    ("party", "status", "cause", "q850"),
    [
        ("busy", "busy", "user_busy", 17),
        ("rejects", "rejected", "call_rejected", 21),
        ("unassigned", "failed", "unassigned_number", 1),
        ("congestion", "failed", "congestion", 42),
    ],
)
async def test_a_call_that_is_not_answered_says_why(
    bank: TestBank, party: str, status: str, cause: str, q850: int
) -> None:
    call = await bank.dial(bank.parties[party])
    ended = await bank.wait_status(call["id"], "completed", "busy", "no_answer", "failed", "canceled", "rejected")
    assert (ended["status"], ended["hangup"]["cause"], ended["hangup"]["q850"]) == (status, cause, q850)
    assert ended["answered_at"] is None
    assert ended["duration_s"] == 0


async def test_nobody_answers_within_the_time_given(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["no_answer"], timeout_s=6)
    ended = await bank.wait_status(call["id"], "no_answer")
    assert ended["ringing_at"] is not None
    assert ended["hangup"]["source"] == "system"


async def test_an_announcement_is_heard_before_any_answer(bank: TestBank) -> None:
    async with _talking(bank, bank.parties["announcement"], ToneVoice(440)) as (call, client):
        ended = await bank.wait_call(call["id"], lambda call: call["ended_at"] is not None)
        heard = _pcm(client.heard)
    assert ended["early_media"]
    assert ended["answered_at"] is None
    assert float(np.abs(heard).max()) > 0.05


async def test_an_answer_without_alerting_is_an_answer(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["no_alerting"])
    answered = await bank.wait_status(call["id"], "in_progress")
    assert answered["ringing_at"] is None
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")


async def test_a_call_that_the_network_drops(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["drops"])
    ended = await bank.wait_status(call["id"], "completed")
    assert ended["hangup"]["q850"] == 41
    assert ended["hangup"]["source"] == "system"
    assert ended["duration_s"] > 2


async def test_digits_of_the_far_party_become_events(bank: TestBank) -> None:
    events: list[Json] = []
    async with bank.watching(events):
        await bank.dial(bank.parties["dtmf"])

        async def look() -> str | None:
            digits = "".join(event["data"]["digit"] for event in events if event["type"] == "call.dtmf")
            return digits if len(digits) >= 3 else None

        assert await until(look, what="three digits") == "123"


async def test_digits_by_api_reach_the_far_party(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["echo"])
    await bank.wait_status(call["id"], "in_progress")
    await bank.post(f"/v1/calls/{call['id']}/actions/dtmf", {"digits": "0*9"})
    answer = await bank.emulator.call("sent_dtmf", number=bank.parties["echo"])
    assert answer["digits"] == "0*9"


async def test_digits_reach_a_menu_that_speaks_before_it_answers(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["announcement"])
    await bank.wait_call(call["id"], lambda call: call["early_media"])
    await bank.post(f"/v1/calls/{call['id']}/actions/dtmf", {"digits": "4"})
    answer = await bank.emulator.call("sent_dtmf", number=bank.parties["announcement"])
    assert answer["digits"] == "4"
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    await bank.wait_status(call["id"], "canceled")


async def test_ringing_and_answered_are_two_events_at_the_modems_moments(bank: TestBank) -> None:
    events: list[Json] = []
    async with bank.watching(events):
        call = await bank.dial(bank.parties["echo"])
        await bank.wait_status(call["id"], "in_progress")
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        await bank.wait_status(call["id"], "completed")
        events = [event for event in events if event["data"].get("call", {}).get("id") == call["id"]]
        types = [event["type"] for event in events]
    order = ["call.queued", "call.dialing", "call.ringing", "call.answered", "call.ended"]
    assert [kind for kind in types if kind in order] == order
    at = {event["type"]: event["at"] for event in events}
    rang_s = _seconds(at["call.answered"]) - _seconds(at["call.ringing"])
    assert rang_s == pytest.approx(2.0, abs=0.7)  # the echo party rings for 2 s
    sequences = [event["sequence"] for event in events if event["type"] in order]
    assert sequences == sorted(set(sequences))


async def test_one_sim_of_the_bank_calls_another(bank: TestBank) -> None:
    sims = (await bank.get("/v1/sims"))["data"]
    caller, callee = sims[0], sims[1]
    near, far = WebrtcClient(ToneVoice(440, dbfs=-12)), WebrtcClient(ToneVoice(1000, dbfs=-12))
    try:
        offer = {"type": "offer", "sdp": await near.offer()}
        out = await bank.dial(callee["number"], **{"from": caller["id"]}, webrtc=offer)
        assert out["sim"]["id"] == caller["id"]
        await near.accept(out["webrtc"]["sdp"])

        async def look() -> Json | None:
            calls = (await bank.get("/v1/calls?direction=inbound&status=ringing"))["data"]
            return calls[0] if calls else None

        incoming = await until(look, what="the other SIM to ring")
        assert (incoming["from"], incoming["sim"]["id"]) == (caller["number"], callee["id"])
        answer = {"webrtc": {"type": "offer", "sdp": await far.offer()}}
        answered = await bank.post(f"/v1/calls/{incoming['id']}/actions/answer", answer)
        await far.accept(answered["webrtc"]["sdp"])
        await bank.wait_status(out["id"], "in_progress")
        await bank.wait_status(incoming["id"], "in_progress")
        await asyncio.sleep(2)
        near.forget()
        far.forget()
        await asyncio.sleep(3)
        assert level_dbfs(_pcm(near.heard)[RATE_HZ:], 1000, RATE_HZ) == pytest.approx(_said_dbfs(1000), abs=1)
        assert level_dbfs(_pcm(far.heard)[RATE_HZ:], 440, RATE_HZ) == pytest.approx(_said_dbfs(440), abs=1)
        await bank.post(f"/v1/calls/{incoming['id']}/actions/hangup")
        ended = await bank.wait_status(out["id"], "completed")
        assert ended["hangup"]["source"] == "callee"
    finally:
        await near.close()
        await far.close()


async def test_muted_means_silence_at_the_far_party(bank: TestBank) -> None:
    async with _talking(bank, bank.parties["tone"], ToneVoice(440)) as (call, _):
        await bank.wait_status(call["id"], "in_progress")
        await bank.post(f"/v1/calls/{call['id']}/actions/mute")
        await asyncio.sleep(2.5)
        heard = (await _heard_by(bank, bank.parties["tone"]))[-RATE_HZ:]
        assert level_dbfs(heard, 440, RATE_HZ) < -60
        await bank.post(f"/v1/calls/{call['id']}/actions/unmute")
        await asyncio.sleep(2.5)
        heard = (await _heard_by(bank, bank.parties["tone"]))[-RATE_HZ:]
        assert level_dbfs(heard, 440, RATE_HZ) > -20


async def test_hold_and_resume(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["echo"])
    await bank.wait_status(call["id"], "in_progress")
    assert (await bank.post(f"/v1/calls/{call['id']}/actions/hold"))["id"] == call["id"]
    await bank.wait_call(call["id"], lambda call: call["held"])
    await bank.post(f"/v1/calls/{call['id']}/actions/unhold")
    await bank.wait_call(call["id"], lambda call: not call["held"])
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    await bank.wait_status(call["id"], "completed")


async def test_a_page_that_reloads_attaches_again(bank: TestBank) -> None:
    async with _talking(bank, bank.parties["tone"], ToneVoice(440)) as (call, client):
        await bank.wait_status(call["id"], "in_progress")
        await client.close()
        again = WebrtcClient(ToneVoice(440))
        try:
            sdp = {"type": "offer", "sdp": await again.offer()}
            answer = await bank.post(f"/v1/calls/{call['id']}/webrtc", sdp)
            await again.accept(answer["sdp"])
            await again.connected()
            await asyncio.sleep(3)
            assert level_dbfs(_pcm(again.heard)[-RATE_HZ:], 1000, RATE_HZ) == pytest.approx(-10, abs=1)
            assert (await bank.get(f"/v1/calls/{call['id']}"))["status"] == "in_progress"
        finally:
            await again.close()


async def test_fifty_dials_on_sixteen_sims(tmp_path: Path) -> None:
    async with start_bank(tmp_path, modems=16) as bank:
        async with bank.client() as client:
            answers = await asyncio.gather(
                *(client.post("/v1/calls", json={"to": bank.parties["echo"]}) for _ in range(50))
            )
        placed = [answer.json() for answer in answers if answer.status_code == 201]
        refused = [answer.json() for answer in answers if answer.status_code == 503]
        assert (len(placed), len(refused)) == (16, 34)
        assert len({call["sim"]["id"] for call in placed}) == 16
        assert {problem["code"] for problem in refused} == {"no_sim_available"}
        for call in placed:
            assert (await bank.wait_status(call["id"], "in_progress"))["why"]["winner"]


def _seconds(stamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(stamp).timestamp()

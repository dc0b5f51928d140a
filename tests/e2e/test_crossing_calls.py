"""Calls that meet: an incoming one while another closes or waits, strangers on the line, hold in a hurry."""

from __future__ import annotations

import asyncio
import os

import pytest

from modembank.webrtc.client import ToneVoice, WebrtcClient
from tests.support.bank import Json, TestBank, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLER = "+447700900952"


async def _index(bank: TestBank, call: Json) -> int:
    status = await bank.emulator.call("status")
    return next(modem["index"] for modem in status["modems"] if modem["usb_path"] == call["modem"]["usb_path"])


async def _ringing(bank: TestBank) -> Json:
    async def look() -> Json | None:
        calls = (await bank.get("/v1/calls?direction=inbound&status=ringing"))["data"]
        return calls[0] if calls else None

    return await until(look, what="the incoming call to be told", limit_s=15)


async def test_a_call_that_comes_in_while_the_last_one_closes_is_told(bank: TestBank) -> None:
    for _ in range(4):
        client = WebrtcClient(ToneVoice(440))
        try:
            call = await bank.dial(bank.parties["echo"], webrtc={"type": "offer", "sdp": await client.offer()})
            await client.accept(call["webrtc"]["sdp"])
            await bank.wait_status(call["id"], "in_progress")
            index = await _index(bank, call)
            await bank.emulator.call("hangup", to=bank.parties["echo"])
            await bank.emulator.call("incoming", from_=CALLER, to=index, behaviour="echo", ring_s=30)
            incoming = await _ringing(bank)
            assert incoming["from"] == CALLER
            await bank.post(f"/v1/calls/{incoming['id']}/actions/reject")
            await bank.wait_status(call["id"], "completed")
        finally:
            await client.close()


async def test_a_line_that_rings_before_it_dialled_ends_the_dial_and_tells_the_ring(bank: TestBank) -> None:
    client = WebrtcClient(ToneVoice(440))
    try:
        offer = await client.offer()  # never accepted: its media does not come up
        call = await bank.dial(bank.parties["echo"], webrtc={"type": "offer", "sdp": offer})
        index = await _index(bank, call)
        await bank.emulator.call("incoming", from_=CALLER, to=index, behaviour="echo", ring_s=30)
        ended = await bank.wait_status(call["id"], "failed")
        assert (ended["hangup"]["source"], ended["hangup"]["cause"]) == ("system", "congestion")
        assert ended["dialing_at"] is None
        incoming = await _ringing(bank)
        assert incoming["from"] == CALLER
    finally:
        await client.close()


async def test_a_call_that_nobody_owns_is_hung_up(bank: TestBank) -> None:
    """Another program dials on the modem's second port."""
    link = await bank.emulator.link(0, "modem")
    port = os.open(link, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(port, f"ATD{bank.parties['no_answer']};\r".encode())

        async def calls() -> int:
            return len((await bank.emulator.modem(0))["calls"])

        async def up() -> bool | None:
            return await calls() > 0 or None

        async def down() -> bool | None:
            return await calls() == 0 or None

        await until(up, what="the stranger's call")
        await until(down, what="the stranger's call to be hung up (I2)", limit_s=25)
    finally:
        os.close(port)


async def test_hold_in_a_hurry_leaves_modem_and_record_of_one_mind(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["echo"])
    await bank.wait_status(call["id"], "in_progress")
    index = await _index(bank, call)
    path = f"/v1/calls/{call['id']}/actions"
    async with bank.client() as client:
        for _ in range(3):
            await asyncio.gather(*(client.post(f"{path}/{verb}") for verb in ("hold", "unhold", "hold", "unhold")))
            told = await bank.get(f"/v1/calls/{call['id']}")
            states = [one["state"] for one in (await bank.emulator.modem(index))["calls"]]
            assert states == ["held" if told["held"] else "active"]


async def test_a_modem_without_sound_ends_its_call(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["echo"])
    await bank.wait_status(call["id"], "in_progress")
    await bank.emulator.call("fault", modem=await _index(bank, call), name="stall_audio", value=True)
    try:
        ended = await bank.wait_status(call["id"], "failed", limit_s=40)
        assert ended["hangup"]["cause"] == "modem_failed"
    finally:
        await bank.emulator.call("fault", modem=await _index(bank, call), name="stall_audio", value=False)


async def test_the_duration_is_that_of_the_modems_own_moments(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["drops"])
    ended = await bank.wait_status(call["id"], "completed")
    seconds = _seconds(ended["ended_at"]) - _seconds(ended["answered_at"])
    assert ended["duration_s"] == pytest.approx(seconds, abs=0.05)


def _seconds(stamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(stamp).timestamp()

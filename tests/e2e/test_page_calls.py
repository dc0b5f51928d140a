"""A person at the page talks through a modem: real Chromium, real server, emulated network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.bank import TestBank, until
from tests.support.page import RECORD_RATE_HZ, open_softphone
from tests.support.sound import correlation, read_wav, resample

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK_S = 14.0  # longer than the sentence, so that one whole sentence is inside
CALLER = "+447700900950"


async def _only_call(bank: TestBank) -> str:
    async def look() -> str | None:
        calls = (await bank.get("/v1/calls"))["data"]
        return calls[0]["id"] if calls else None

    return await until(look, what="a call to exist")


async def test_speech_goes_through_a_modem_and_comes_back(
    bank: TestBank, browser: Browser, speech: Path, pictures: Path
) -> None:
    phone = await open_softphone(browser, bank, pictures)
    await phone.picture("1-idle")
    await phone.dial(bank.parties["echo"])
    await phone.expect_state("ringing")
    await phone.picture("2-ringing")
    await phone.expect_state("in_progress")
    await phone.record()
    await asyncio.sleep(TALK_S)
    await phone.picture("3-connected")
    heard_back = await phone.recorded()
    await phone.part("hangup").first.click()
    await phone.expect_state("ended")
    await phone.picture("4-ended")

    names = [name for name, _ in await phone.moments()]
    assert names.index("ringing") < names.index("in_progress") < names.index("ended")

    said, rate = read_wav(speech)
    said8 = resample(said, rate, 8000)
    answer = await bank.emulator.control.call("heard", number=bank.parties["echo"])
    at_far_party, far_rate = read_wav(Path(str(answer["path"])))
    assert correlation(said8, at_far_party, far_rate) >= 0.9
    assert correlation(said8, resample(heard_back, RECORD_RATE_HZ, 8000), 8000) >= 0.9

    call = await bank.wait_status(await _only_call(bank), "completed")
    assert call["hangup"]["source"] == "caller"
    assert call["quality"]["codec"] == "PCMA"


async def test_keys_pressed_in_the_page_reach_the_modem(bank: TestBank, browser: Browser, pictures: Path) -> None:
    phone = await open_softphone(browser, bank, pictures)
    await phone.dial(bank.parties["echo"])
    await phone.expect_state("in_progress")
    await phone.part("keypad").first.click()
    for digit in "12#":
        await phone.part(f"key-{digit}").first.click()
        await asyncio.sleep(0.4)
    await phone.picture("5-keypad")

    async def look() -> bool | None:
        answer = await bank.emulator.control.call("sent_dtmf", number=bank.parties["echo"])
        return answer["digits"] == "12#" or None

    await until(look, what="the far party to get 12#")


async def test_either_side_ends_both_within_a_second(bank: TestBank, browser: Browser, pictures: Path) -> None:
    phone = await open_softphone(browser, bank, pictures)
    await phone.dial(bank.parties["echo"])
    await phone.expect_state("in_progress")
    await bank.emulator.control.call("hangup", to=bank.parties["echo"])
    await phone.expect_state("ended", limit_s=10)
    first = await bank.wait_status(await _only_call(bank), "completed")
    assert first["hangup"]["source"] == "callee"
    ended_ms = dict(await phone.moments())["ended"]
    assert ended_ms / 1000 - _seconds(first["ended_at"]) < 1.0

    await phone.dial(bank.parties["echo"])
    await phone.expect_state("in_progress")
    await phone.part("hangup").first.click()

    async def silent() -> bool | None:
        status = await bank.emulator.control.call("status")
        return all(not modem["calls"] for modem in status["modems"]) or None

    await until(silent, what="the modem to have no call", limit_s=5)
    await phone.expect_state("ended")


async def test_an_incoming_call_rings_in_the_page_and_is_answered_there(
    bank: TestBank, browser: Browser, speech: Path, pictures: Path
) -> None:
    phone = await open_softphone(browser, bank, pictures)
    sim = (await bank.get("/v1/sims"))["data"][0]["number"]
    await bank.emulator.control.call(
        "incoming", **{"from": CALLER, "to": sim, "behaviour": "echo", "ring_s": 30, "talk_s": 60}
    )
    await expect(phone.part("incoming").first).to_be_visible(timeout=20_000)
    await phone.picture("6-incoming")
    await phone.part("answer").first.click()
    await phone.expect_state("in_progress")
    await phone.record()
    await asyncio.sleep(TALK_S)
    said, rate = read_wav(speech)
    heard_back = resample(await phone.recorded(), RECORD_RATE_HZ, 8000)
    assert correlation(resample(said, rate, 8000), heard_back, 8000) >= 0.9
    await phone.part("hangup").first.click()
    call = await bank.wait_status(await _only_call(bank), "completed")
    assert (call["direction"], call["from"]) == ("inbound", CALLER)


async def test_an_incoming_call_can_be_rejected(bank: TestBank, browser: Browser, pictures: Path) -> None:
    phone = await open_softphone(browser, bank, pictures)
    sim = (await bank.get("/v1/sims"))["data"][0]["number"]
    await bank.emulator.control.call("incoming", **{"from": CALLER, "to": sim, "behaviour": "echo", "ring_s": 30})
    await expect(phone.part("incoming").first).to_be_visible(timeout=20_000)
    await phone.part("reject").first.click()
    call = await bank.wait_status(await _only_call(bank), "rejected")
    assert call["hangup"]["cause"] == "call_rejected"
    await expect(phone.part("incoming")).to_have_count(0)


async def test_the_page_says_why_a_call_failed(bank: TestBank, browser: Browser, pictures: Path) -> None:
    phone = await open_softphone(browser, bank, pictures)
    await phone.dial(bank.parties["busy"])
    await phone.expect_state("ended")
    await expect(phone.part("state").first).to_contain_text("usy")
    await phone.picture("7-busy")


def _seconds(stamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(stamp).timestamp()

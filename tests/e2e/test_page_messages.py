"""A person at the page writes, reads and asks by USSD: real Chromium, real server, emulated network."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.support.bank import ROOT, TestBank, start_bank
from tests.support.page import Softphone, open_softphone

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULE = {"plmn": "00101", "code": "*100#", "pattern": "balance is £(?P<amount>[0-9.]+)", "unit": "GBP"}
SETTINGS = {
    "MODEMBANK_USSD__CODES": json.dumps(["*100#", "*123#", "*101*{digits}#"]),
    "MODEMBANK_BALANCE__RULES": json.dumps([RULE]),
    "MODEMBANK_MESSAGES__PARTIAL_AFTER_S": "1",
    "MODEMBANK_MESSAGES__RETRY_S": "0.2",
}
TEXT = "Your table is booked for eight 🍽"
CALLER = "+447700900950"
LIMIT_MS = 20_000

# Notes each state of each message as it is shown; nothing reloads the page meanwhile.
WATCH = """
window.__states = [];
new MutationObserver(() => {
  for (const row of document.querySelectorAll('[data-testid=message]')) {
    const now = `${row.dataset.direction} ${row.dataset.status}`;
    if (!window.__states.includes(now)) window.__states.push(now);
  }
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-status']});
"""
# Waits until no colour is on its way to another; one that is inherited sets out when its parent's has arrived.
SETTLED = """async () => {
  for (let round = 0; round < 20; round += 1) {
    await new Promise(requestAnimationFrame);
    const going = document.getAnimations().filter((one) => one instanceof CSSTransition);
    await Promise.allSettled(going.map((one) => one.finished));
  }
}"""
# What sticks out of the page sideways.
TOO_WIDE = """() => [...document.querySelectorAll('.messaging *')]
    .filter((part) => part.getBoundingClientRect().right > innerWidth + 0.5 && !part.closest('.visually-hidden'))
    .map((part) => part.className || part.tagName)"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    """Three modems, some USSD codes allowed, a rule for balances."""
    async with start_bank(tmp_path_factory.mktemp("bank"), modems=3, settings=SETTINGS) as running:
        yield running


async def _open(browser: Browser, bank: TestBank, pictures: Path, **options: object) -> Softphone:
    page = await open_softphone(browser, bank, pictures, reduced_motion="reduce", **options)
    await page.part("show-messages").click()
    return page


def _messages(page: Softphone, direction: str) -> Locator:
    return page.page.locator(f"[data-testid=message][data-direction={direction}]")


async def _pictures(page: Softphone, name: str) -> None:
    """As it is, in the dark, and on a telephone."""
    for width, height, suffix in ((1280, 860, ""), (390, 844, "-390")):
        await page.page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            await page.page.emulate_media(color_scheme=scheme)
            await page.page.evaluate(SETTLED)
            await page.picture(f"{name}{suffix}-{scheme}")
    assert await page.page.evaluate(TOO_WIDE) == []


async def test_a_message_goes_out_is_delivered_and_answered_before_ones_eyes(
    bank: TestBank, browser: Browser, pictures: Path
) -> None:
    page = await _open(browser, bank, pictures)
    await page.page.evaluate(WATCH)
    await page.part("sms-to").fill(bank.parties["sms_echo"])
    await page.part("sms-text").fill("x" * 161)
    await expect(page.part("sms-cost")).to_have_attribute("data-parts", "2")
    await expect(page.part("sms-cost")).to_have_attribute("data-encoding", "GSM-7")
    await page.part("sms-text").fill(TEXT)
    await expect(page.part("sms-cost")).to_have_attribute("data-encoding", "UCS-2")
    await expect(page.part("sms-cost")).to_contain_text("because of “🍽”")
    await page.part("sms-send").click()

    await expect(_messages(page, "outbound").first).to_have_attribute("data-status", "delivered", timeout=LIMIT_MS)
    echo = _messages(page, "inbound").first
    await expect(echo).to_have_attribute("data-status", "received", timeout=LIMIT_MS)
    await expect(echo.get_by_test_id("message-text")).to_have_text(TEXT)
    states = await page.page.evaluate("window.__states")
    sent = [state for state in states if state.startswith("outbound")]
    assert sent.index("outbound sent") < sent.index("outbound delivered")
    await expect(page.part("sms-text")).to_have_value("")
    assert [one["text"] for one in (await bank.get("/v1/messages"))["data"]] == [TEXT, TEXT]  # once each


async def test_what_goes_wrong_is_said_in_words(bank: TestBank, browser: Browser, pictures: Path) -> None:
    page = await _open(browser, bank, pictures)
    await page.part("sms-to").fill(bank.parties["sms_fail"])
    await page.part("sms-text").fill("This one does not get through")
    await page.part("sms-text").press("Control+Enter")
    failed = page.page.locator("[data-testid=message][data-status=failed]")
    await expect(failed).to_contain_text("It was not sent: network out of order", timeout=LIMIT_MS)

    sim = (await bank.get("/v1/sims"))["data"][0]["number"]
    text = "A long text that loses its middle on the way. " * 8
    await bank.emulator.control.call("sms", to=sim, text=text, **{"from": CALLER, "parts": [1, 3]})
    partial = page.page.locator("[data-testid=message][data-status=partial]")
    await expect(partial).to_contain_text("2 of 3 parts came", timeout=LIMIT_MS)
    await expect(partial).to_contain_text("[…]")

    await page.part("sms-to").fill("999")
    await page.part("sms-text").fill("Help")
    await page.part("sms-send").click()
    await expect(page.part("sms-refusal")).to_contain_text("Emergency numbers take no messages")
    await _pictures(page, "messages")
    await page.page.emulate_media(color_scheme="light")
    await partial.get_by_role("button").first.click()
    await expect(page.part("message-details")).to_contain_text("2 of 3")
    await page.picture("message-details-390")


async def test_a_ussd_menu_is_walked_through_and_cancelled(bank: TestBank, browser: Browser, pictures: Path) -> None:
    page = await _open(browser, bank, pictures)
    sim = (await bank.get("/v1/sims"))["data"][0]
    await page.part("ussd-sim").select_option(sim["id"])
    await page.part("balance-refresh").click()
    await expect(page.part("balance-amount")).to_have_text("£12.34", timeout=LIMIT_MS)

    await page.part("ussd-code").fill("*99#")
    await page.part("ussd-run").click()
    await expect(page.part("ussd-refusal")).to_contain_text("This code is not allowed here")

    session, turns = page.part("ussd-session"), page.part("ussd-turn")
    await page.part("ussd-code").fill("*123#")
    await page.part("ussd-code").press("Enter")
    await expect(session).to_have_attribute("data-status", "waiting", timeout=LIMIT_MS)
    await expect(turns.last).to_contain_text("2 Top up")
    await expect(page.part("ussd-answer")).to_be_focused()
    await page.picture("ussd-menu")
    await page.page.keyboard.type("2")
    await page.page.keyboard.press("Enter")
    await expect(turns.last).to_contain_text("Top up: 1 £5", timeout=LIMIT_MS)
    await page.page.keyboard.type("1")
    await page.page.keyboard.press("Enter")
    await expect(session).to_have_attribute("data-status", "done", timeout=LIMIT_MS)
    await expect(turns.last).to_have_text("Network: Topped up by £5")

    await page.part("ussd-run").click()
    await expect(page.part("ussd-cancel")).to_be_visible(timeout=LIMIT_MS)
    await page.part("ussd-cancel").click()
    await expect(session).to_have_attribute("data-status", "canceled", timeout=LIMIT_MS)
    await page.page.set_viewport_size({"width": 390, "height": 844})
    await page.part("half-ussd").click()
    await page.picture("ussd-390")
    assert await page.page.evaluate(TOO_WIDE) == []


async def _limited_key(bank: TestBank) -> str:
    scopes = ("calls:read", "sims:read", "events:read", "sms:read")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from modembank.cli import main; main()", "keys", "create", "reader"),
        *(word for scope in scopes for word in ("--scope", scope)),
        env=os.environ | {"MODEMBANK_DATA_DIR": str(bank.data_dir)},
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    stdout, _ = await asyncio.wait_for(process.communicate(), 60)
    return stdout.decode().strip()


async def test_a_key_that_may_not_read_texts_is_told_so(bank: TestBank, browser: Browser, pictures: Path) -> None:
    page = await _open(browser, bank, pictures, key=await _limited_key(bank))
    await expect(page.part("no-content")).to_contain_text("may not read what messages say")
    sim = (await bank.get("/v1/sims"))["data"][0]["number"]
    await bank.emulator.control.call("sms", to=sim, text="a secret", **{"from": "+447700900951"})
    newest = page.part("message").first
    await expect(newest).to_contain_text("+44 7700 900951", timeout=LIMIT_MS)
    await expect(newest).to_contain_text("Text hidden from this key")
    await expect(page.page.get_by_text("lacks the scope sms:send")).to_be_visible()
    await expect(page.page.get_by_text("lacks the scope ussd:run")).to_be_visible()
    await page.picture("messages-limited")

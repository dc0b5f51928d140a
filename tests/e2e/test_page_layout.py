"""What a row of the rack is read for stays whole on every width of a desktop: the number and the state."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.bank import TestBank
from tests.support.page import open_softphone

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEARCHING = 2
HOME = 1
DENIED = 3
CUT = """() => [...document.querySelectorAll(".rack-table .c-number, .rack-table .tbody .c-state")]
    .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"""


@pytest.mark.parametrize("width", [830, 1000, 1100, 1280])
async def test_numbers_states_and_the_switch_of_the_rack_are_whole(
    bank: TestBank, browser: Browser, pictures: Path, width: int
) -> None:
    await bank.emulator.call("registration", modem=0, stat=SEARCHING)
    await bank.emulator.call("registration", modem=1, stat=DENIED, cause=11)
    softphone = await open_softphone(browser, bank, pictures)
    page = softphone.page
    await page.set_viewport_size({"width": width, "height": 800})
    try:
        await expect(page.get_by_text("No network yet").first).to_be_visible(timeout=20_000)
        note = page.get_by_test_id("note").filter(has_text="network not allowed (cause 11)")
        await expect(note).to_be_visible(timeout=20_000)
        await softphone.picture(f"rack-{width}")
        assert await page.evaluate(CUT) == []
        switch = await page.get_by_role("button", name="As a grid").bounding_box()
        card = await page.locator(".tables").bounding_box()
        assert switch is not None
        assert card is not None
        assert switch["x"] + switch["width"] <= card["x"] + card["width"] - 10
    finally:
        await page.context.close()
        for index in (0, 1):
            await bank.emulator.call("registration", modem=index, stat=HOME)

"""The softphone page as a person uses it, and a recorder for what that person hears."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Page, expect

from tests.support.bank import TestBank
from tests.support.sound import Samples

# A browser cleans up voices; what is compared here is the path, not Chromium's taste.
PLAIN_MICROPHONE = """
localStorage.setItem('modembank.audio', JSON.stringify(
  {echoCancellation: false, noiseSuppression: false, autoGainControl: false}));
"""

# Notes when the page's state changed, for the order and the distance of its moments.
WATCH_STATE = """
window.__moments = [];
new MutationObserver(() => {
  const now = document.querySelector('[data-testid=state]')?.dataset.state;
  if (now && window.__moments.at(-1)?.[0] !== now) window.__moments.push([now, Date.now()]);
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-state']});
"""

RECORD = """
async () => {
  const stream = document.querySelector('[data-testid=remote-audio]').srcObject;
  const context = new AudioContext({sampleRate: 48000});
  await context.resume();
  const source = context.createMediaStreamSource(stream);
  const tap = context.createScriptProcessor(4096, 1, 1);
  const parts = [];
  tap.onaudioprocess = (event) => parts.push(new Float32Array(event.inputBuffer.getChannelData(0)));
  source.connect(tap);
  tap.connect(context.destination);
  window.__recording = parts;
}
"""

TAKE = """
() => {
  const parts = window.__recording;
  const all = new Int16Array(parts.length * 4096);
  parts.forEach((part, i) => part.forEach((value, j) => {
    all[i * 4096 + j] = Math.max(-1, Math.min(1, value)) * 32767;
  }));
  const bytes = new Uint8Array(all.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}
"""

RECORD_RATE_HZ = 48_000


class Softphone:
    """The page."""

    def __init__(self, page: Page, pictures: Path) -> None:
        self.page = page
        self._pictures = pictures

    def part(self, name: str):  # type: ignore[no-untyped-def]  # Playwright's Locator
        return self.page.get_by_test_id(name)

    async def expect_state(self, state: str, *, limit_s: float = 20) -> None:
        await expect(self.part("state").first).to_have_attribute("data-state", state, timeout=limit_s * 1000)

    async def dial(self, number: str) -> None:
        await self.part("number").first.fill(number)
        await self.part("call").first.click()

    async def moments(self) -> list[tuple[str, float]]:
        """State names and when they came, in ms of the wall clock."""
        return [(name, at) for name, at in await self.page.evaluate("window.__moments")]

    async def record(self) -> None:
        await self.page.evaluate(RECORD)

    async def recorded(self) -> Samples:
        """What the person at the page heard, 48 kHz."""
        data = base64.b64decode(await self.page.evaluate(TAKE))
        return np.frombuffer(data, np.int16) / 32768.0

    async def picture(self, name: str) -> None:
        await self.page.screenshot(path=self._pictures / f"{name}.png")


async def open_softphone(
    browser: Browser, bank: TestBank, pictures: Path, *, key: str | None = None, **options: object
) -> Softphone:
    """Open the page with a key (the server's first) in the address, as the demo's link does."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860}, **options)  # type: ignore[arg-type]
    await context.add_init_script(PLAIN_MICROPHONE)
    await context.add_init_script(WATCH_STATE)
    page = await context.new_page()
    await page.goto(f"{bank.server.url}/#key={key or bank.server.api_key}")
    await expect(page.get_by_test_id("call").first).to_be_visible(timeout=20_000)
    return Softphone(page, pictures)

"""A bank on emulated modems, a real browser with a microphone that speaks, and a place for pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.support.bank import ROOT, TestBank, start_bank
from tests.support.invariants import check_invariants
from tests.support.sound import make_speech, read_wav, resample, write_wav

CHROMIUM = "/usr/bin/chromium"
PICTURES = ROOT / "tests" / "output" / "screens"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence at 48 kHz, as a microphone would give it."""
    return make_speech(tmp_path_factory.mktemp("speech") / "speech.wav")


@pytest.fixture(scope="session")
def telephone_speech(speech: Path) -> Path:
    """The same sentence at 8 kHz, as a modem would give it."""
    samples, rate = read_wav(speech)
    path = speech.with_name("speech8.wav")
    write_wav(path, resample(samples, rate, 8000), 8000)
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    """Three modems and a server for all tests of a file."""
    async with start_bank(tmp_path_factory.mktemp("bank"), modems=3) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bank(shared_bank: TestBank) -> AsyncIterator[TestBank]:
    """The bank without calls; after the test the invariants are checked."""
    yield shared_bank
    await check_invariants(shared_bank)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(speech: Path) -> AsyncIterator[Browser]:
    """Chromium whose microphone speaks the sentence again and again."""
    assert Path(CHROMIUM).exists(), "Chromium is missing: apt-get install chromium"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={speech}",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--disable-quic",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield chromium
        await chromium.close()


@pytest.fixture
def pictures() -> Path:
    """Where screenshots for review go."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES

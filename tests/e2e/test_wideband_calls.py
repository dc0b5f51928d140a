"""A SIM7600 at 16 kHz through the front door: what is above 4 kHz reaches a client over Opus and G.722."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from modembank.media.records import WIDE_RATE_HZ, CodecName
from modembank.webrtc.client import ToneVoice, WebrtcClient
from tests.support.bank import TestBank, start_bank
from tests.support.sound import Samples, level_dbfs, read_wav

pytestmark = pytest.mark.asyncio(loop_scope="module")
HZ = 6000.0
TONE_DBFS = -10.0  # of the emulator's tone parties: the peak of the sine against full scale


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    """One SIM7600."""
    folder = tmp_path_factory.mktemp("wide")
    async with start_bank(folder, modems=1, family="simcom-sim7600", party_speed=5) as running:
        yield running


def _loud(samples: Samples) -> float:
    return float(20 * np.log10(max(np.sqrt((samples**2).mean()), 1e-6)))


async def _sounds(bank: TestBank, codec: CodecName) -> tuple[Samples, Samples]:
    """What the client and the far party have heard of the last second of a call; both say 6 kHz."""
    client = WebrtcClient(ToneVoice(HZ, rate_hz=WIDE_RATE_HZ), codecs=(codec,), rate_hz=WIDE_RATE_HZ)
    number = bank.parties["wide_tone"]
    try:
        call = await bank.dial(number, webrtc={"type": "offer", "sdp": await client.offer()})
        await client.accept(call["webrtc"]["sdp"])
        await bank.wait_status(call["id"], "in_progress")
        await asyncio.sleep(3)
        heard = np.frombuffer(client.heard, np.int16)[-WIDE_RATE_HZ:] / 32768.0
        answer = await bank.emulator.call("heard", number=number)
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        await bank.wait_status(call["id"], "completed")
    finally:
        await client.close()
    far, rate_hz = read_wav(Path(str(answer["path"])))
    assert rate_hz == WIDE_RATE_HZ
    return heard, far[-WIDE_RATE_HZ:]


@pytest.mark.parametrize("codec", [CodecName.OPUS, CodecName.G722])
async def test_6_khz_arrives_on_both_sides(bank: TestBank, codec: CodecName) -> None:
    heard, far = await _sounds(bank, codec)
    assert level_dbfs(heard, HZ, WIDE_RATE_HZ) == pytest.approx(TONE_DBFS, abs=1)
    assert level_dbfs(far, HZ, WIDE_RATE_HZ) == pytest.approx(-12 + 3.01, abs=1)  # said as RMS, measured as a peak


async def test_over_pcmu_it_leaves_no_trace(bank: TestBank) -> None:
    heard, far = await _sounds(bank, CodecName.PCMU)
    assert _loud(heard) < -60
    assert _loud(far) < -60

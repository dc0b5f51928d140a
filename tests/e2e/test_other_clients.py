"""Opus, the command line as a telephone, and a client that vanishes; watchdog times are shortened by settings."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from modembank.media.records import CodecName
from modembank.webrtc.client import ToneVoice, WebrtcClient
from tests.support.bank import Json, TestBank, start_bank
from tests.support.sound import correlation, level_dbfs, read_wav

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE_HZ = 8000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    """Opus first, and a peer that is silent for 3 s is lost."""
    settings = {
        "MODEMBANK_MEDIA__CODECS": '["opus", "PCMA"]',
        "MODEMBANK_MEDIA__SILENT_AFTER_S": "1",
        "MODEMBANK_MEDIA__LOST_AFTER_S": "3",
    }
    async with start_bank(tmp_path_factory.mktemp("bank"), modems=2, settings=settings) as running:
        yield running


async def test_opus_keeps_a_tone(bank: TestBank) -> None:
    client = WebrtcClient(ToneVoice(440), codecs=(CodecName.OPUS,))
    try:
        call = await bank.dial(bank.parties["tone"], webrtc={"type": "offer", "sdp": await client.offer()})
        await client.accept(call["webrtc"]["sdp"])
        await bank.wait_status(call["id"], "in_progress")
        await asyncio.sleep(4)
        heard = np.frombuffer(client.heard, np.int16)[-RATE_HZ:] / 32768.0
        assert level_dbfs(heard, 1000, RATE_HZ) == pytest.approx(-10, abs=1)
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    finally:
        await client.close()
    ended = await bank.wait_status(call["id"], "completed")
    assert ended["quality"]["codec"] == "opus"


async def test_the_command_line_talks_and_records(bank: TestBank, telephone_speech: Path, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    process = await _call(bank, bank.parties["echo"], "--play", str(telephone_speech), "--record", str(heard))
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    types = [json.loads(line)["type"] for line in output.decode().splitlines()]
    assert [kind for kind in types if kind in ("call.ringing", "call.answered", "call.ended")] == [
        "call.ringing",
        "call.answered",
        "call.ended",
    ]
    said, rate = read_wav(telephone_speech)
    back, back_rate = read_wav(heard)
    assert rate == back_rate == RATE_HZ
    assert correlation(said, back, RATE_HZ) >= 0.8  # Opus at 24 kbit/s there and back is not a waveform codec


async def test_a_client_that_vanishes_frees_the_line(bank: TestBank, telephone_speech: Path) -> None:
    events: list[Json] = []
    async with bank.watching(events):
        process = await _call(bank, bank.parties["tone"], "--play", str(telephone_speech))
        assert process.stdout is not None
        while b"call.answered" not in (line := await asyncio.wait_for(process.stdout.readline(), 30)):
            assert line, "the call ended before it was answered"
        call_id = json.loads(line)["data"]["call"]["id"]
        await asyncio.sleep(1)
        process.kill()
        await process.communicate()
        ended = await bank.wait_status(call_id, "completed")
    assert (ended["hangup"]["source"], ended["hangup"]["cause"]) == ("system", "media_lost")
    states = [event["data"]["state"] for event in events if event["type"] == "call.media"]
    assert states[-2:] == ["silent", "lost"]


async def _call(bank: TestBank, number: str, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from modembank.cli import main; main()", "call", number, *options),
        *("--url", bank.server.url, "--key", bank.server.api_key, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

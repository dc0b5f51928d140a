"""Modems whose voice goes through sound cards, and modems on serial ports: alsa-lib itself, by the front door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from modembank.webrtc.client import ToneVoice, WebrtcClient
from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.media_call import level
from tests.support.sound import read_wav

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAMILIES = "quectel-ec25-uac,simcom-sim800,simcom-a7670,quectel-m95"
UAC, SIM800, A7670, M95, SECOND_UAC = range(5)
TONE_RMS_DBFS = -10.0 - 3.01  # of the emulator's tone party


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    """Two EC25 with USB audio, two analog modules with a card each, and one without."""
    folder = tmp_path_factory.mktemp("cards")
    ports = folder / "emulator" / "dev"
    modems = [
        {"at": str(ports / f"ttyS{SIM800}"), "family": "simcom-sim800", "audio": "hw:CARD=Line"},
        {"at": str(ports / f"ttyS{A7670}"), "family": "simcom-a7670", "audio": "hw:CARD=Line_1", "baud": 9600},
        {"at": str(ports / f"ttyS{M95}"), "family": "quectel-m95"},
    ]
    settings = {
        "MODEMBANK_SERIAL__MODEMS": json.dumps(modems),
        "ALSA_CONFIG_PATH": str(folder / "emulator" / "alsa" / "asound.conf"),
    }
    async with start_bank(folder, modems=5, family=FAMILIES, party_speed=5, settings=settings) as running:
        yield running


async def _modem(bank: TestBank, index: int) -> Json:
    place = (await bank.emulator.modem(index))["usb_path"]
    return next(one for one in (await bank.get("/v1/modems"))["data"] if one["usb_path"] == place)


async def _sim(bank: TestBank, index: int) -> str:
    return str((await bank.emulator.modem(index))["iccid"])


@asynccontextmanager
async def _talking(bank: TestBank, index: int, to: str) -> AsyncIterator[tuple[Json, WebrtcClient]]:
    client = WebrtcClient(ToneVoice(440, dbfs=-12))
    try:
        offer = {"type": "offer", "sdp": await client.offer()}
        call = await bank.dial(to, webrtc=offer, **{"from": await _sim(bank, index)})
        await client.accept(call["webrtc"]["sdp"])
        yield await bank.wait_status(call["id"], "in_progress"), client
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        await bank.wait_call(call["id"], lambda one: one["ended_at"] is not None)
    finally:
        await client.close()


async def _both_ways(bank: TestBank, index: int) -> None:
    """The far party's 1000 Hz and our 440, each within one decibel."""
    number = bank.parties["tone"]
    async with _talking(bank, index, number) as (_, client):

        async def heard() -> bool | None:
            return abs(level(client.heard, 1000.0) - TONE_RMS_DBFS) <= 1 or None

        async def told() -> bool | None:
            answer = await bank.emulator.call("heard", modem=index, far=True)
            samples, _ = read_wav(Path(str(answer["path"])))
            return abs(level((samples * 32768).astype(np.int16).tobytes(), 440.0) + 12) <= 1 or None

        await until(heard, what="the far party's tone")
        await until(told, what="our tone at the far party")


async def test_each_modem_shows_where_its_sound_is(bank: TestBank) -> None:
    audio = {index: (await _modem(bank, index))["audio_port"] for index in range(5)}
    assert audio == {
        UAC: "hw:CARD=Android,DEV=0",
        SIM800: "hw:CARD=Line",
        A7670: "hw:CARD=Line_1",
        M95: None,
        SECOND_UAC: "hw:CARD=Android_1,DEV=0",
    }
    silent = await _modem(bank, M95)
    assert silent["state"] == "ready"
    assert "no sound" in silent["state_detail"]


@pytest.mark.parametrize("index", [UAC, SIM800, A7670], ids=["usb-audio", "sim800", "a7670"])
async def test_a_tone_each_way(bank: TestBank, index: int) -> None:
    await _both_ways(bank, index)


async def test_two_usb_audio_devices_are_not_mixed_up(bank: TestBank) -> None:
    """Also after they came back in the other order, when each has the id that was the other's."""
    for index in (UAC, SECOND_UAC):
        await bank.emulator.call("drop", modem=index)
    for index in (SECOND_UAC, UAC):
        await bank.emulator.call("readd", modem=index)

    async def swapped() -> bool | None:
        first, second = await _modem(bank, UAC), await _modem(bank, SECOND_UAC)
        ready = first["state"] == second["state"] == "ready"
        return (ready and first["audio_port"] == "hw:CARD=Android_1,DEV=0") or None

    await until(swapped, what="both devices to be back")
    await _both_ways(bank, UAC)
    await _both_ways(bank, SECOND_UAC)


async def test_a_card_that_the_modem_refuses_leaves_the_voice_on_its_tty(bank: TestBank) -> None:
    """Once: the next start tries the card again."""

    async def restarted(start: str) -> Json:
        await bank.emulator.call("drop", modem=SECOND_UAC)
        await bank.emulator.call("readd", modem=SECOND_UAC)

        async def there() -> Json | None:
            modem = await _modem(bank, SECOND_UAC)
            return modem if modem["state"] == "ready" and modem["audio_port"].startswith(start) else None

        return await until(there, what=f"a modem that is ready with its sound at {start}…")

    await bank.emulator.call("fault", modem=SECOND_UAC, name="qpcmv_card_refused", value=True)
    try:
        modem = await restarted(str(bank.emulator.dev / "ttyUSB"))
        assert f"voice is on {modem['audio_port']}, not on sound card hw:CARD=" in modem["state_detail"]
        await _both_ways(bank, SECOND_UAC)
    finally:
        await bank.emulator.call("fault", modem=SECOND_UAC, name="qpcmv_card_refused", value=False)
    modem = await restarted("hw:CARD=")
    assert not modem["state_detail"]
    await _both_ways(bank, SECOND_UAC)


async def test_a_module_without_a_card_carries_calls_without_sound(bank: TestBank) -> None:
    sim = await _sim(bank, M95)
    call = await bank.dial(bank.parties["echo"], **{"from": sim})
    await bank.wait_status(call["id"], "in_progress")
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    await bank.wait_status(call["id"], "completed")
    client = WebrtcClient()
    offer = {"type": "offer", "sdp": await client.offer()}
    body = {"to": bank.parties["echo"], "from": sim, "webrtc": offer}
    refused = await bank.post("/v1/calls", body, status=503)
    await client.close()
    assert refused["code"] == "no_sim_available"
    assert "sound" in refused["detail"]


async def test_a_card_that_is_unplugged_ends_its_call_and_comes_back(bank: TestBank) -> None:
    client = WebrtcClient(ToneVoice(440))
    offer = {"type": "offer", "sdp": await client.offer()}
    call = await bank.dial(bank.parties["tone"], webrtc=offer, **{"from": await _sim(bank, UAC)})
    await client.accept(call["webrtc"]["sdp"])
    await bank.wait_status(call["id"], "in_progress")
    await bank.emulator.call("drop", modem=UAC)
    ended = await bank.wait_call(call["id"], lambda one: one["ended_at"] is not None)
    await client.close()
    assert ended["hangup"]["cause"] == "modem_lost"
    await bank.emulator.call("readd", modem=UAC)

    async def back() -> bool | None:
        return (await _modem(bank, UAC))["state"] == "ready" or None

    await until(back, what="the modem to be back")
    await _both_ways(bank, UAC)


async def test_a_module_on_a_serial_port_restarts_in_place(bank: TestBank) -> None:
    modem = await _modem(bank, SIM800)
    await bank.post(f"/v1/modems/{modem['id']}/at", {"line": "AT+CFUN=1,1", "unrestricted": True})

    async def restarts() -> bool | None:
        return (await _modem(bank, SIM800))["state"] != "ready" or None

    async def ready() -> bool | None:
        return (await _modem(bank, SIM800))["state"] == "ready" or None

    await until(restarts, what="the module to restart")
    await until(ready, what="the module to be ready again")
    await _both_ways(bank, SIM800)

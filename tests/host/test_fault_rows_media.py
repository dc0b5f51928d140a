"""The fault table, rows 33 and 36: the event loop stalls; one direction, or all sound, is missing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from modembank.webrtc.client import SilentVoice, ToneVoice, Voice, WebrtcClient
from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.healing import PATIENCE, modem_at, place_of, steps, told, wait_state, wait_told
from tests.support.invariants import check_invariants

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEMS = 3
STALL_S = 2.0
# Python imports this module before any other; a signal then blocks the server's event loop.
STALLER = f"""
import signal, time
signal.signal(signal.SIGUSR2, lambda number, frame: time.sleep({STALL_S}))
"""
RATE_HZ = 8000
FRAME = 160
LOUD_RMS = 300
GAP_MS = 100


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def systemd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[socket.socket]:
    """The socket that systemd would listen on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path_factory.mktemp("systemd") / "notify"))
        listening.setblocking(False)
        yield listening


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory: pytest.TempPathFactory, systemd: socket.socket) -> AsyncIterator[TestBank]:
    folder = tmp_path_factory.mktemp("media_faults")
    (folder / "staller").mkdir()
    (folder / "staller" / "sitecustomize.py").write_text(STALLER)
    settings = PATIENCE | {
        "PYTHONPATH": str(folder / "staller"),
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "2000000",
        "MODEMBANK_MEDIA__QUIET_AFTER_S": "1",
    }
    async with start_bank(folder, modems=MODEMS, settings=settings, party_speed=10) as running:
        yield running


@contextlib.asynccontextmanager
async def _talking(
    bank: TestBank, index: int, voice: Voice, party: str = "echo"
) -> AsyncIterator[tuple[Json, WebrtcClient]]:
    """A call with a client, until it hangs up."""
    sim = (await modem_at(bank, index))["sim"]
    client = WebrtcClient(voice)
    try:
        call = await bank.dial(
            bank.parties[party], webrtc={"type": "offer", "sdp": await client.offer()}, **{"from": sim["id"]}
        )
        await client.accept(call["webrtc"]["sdp"])
        yield await bank.wait_status(call["id"], "in_progress"), client
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        ended = await bank.wait_status(call["id"], "completed")
        assert ended["hangup"]["cause"] == "normal_clearing"
    finally:
        await client.close()


def _heard(systemd: socket.socket) -> list[bytes]:
    """What systemd was told since the last time."""
    told: list[bytes] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            told.append(systemd.recv(100))
    return told


def _longest_gap_ms(pcm: bytes) -> int:
    """The longest time without the tone."""
    frames = np.frombuffer(pcm, np.int16)[: len(pcm) // 2 // FRAME * FRAME].reshape(-1, FRAME).astype(float)
    longest = gap = 0
    for loud in np.sqrt((frames**2).mean(axis=1)) >= LOUD_RMS:
        gap = 0 if loud else gap + 1
        longest = max(longest, gap)
    return 20 * longest


async def test_row_33_the_event_loop_stalls_in_a_call(bank: TestBank, systemd: socket.socket) -> None:
    """The audio does not need the loop, people hear nothing of it, and the log says where it hung."""
    async with _talking(bank, 0, ToneVoice(440.0)) as (call, client):

        async def echoed() -> bool | None:
            return _longest_gap_ms(client.heard[-RATE_HZ:]) == 0 or None

        await until(echoed, what="the echo of the tone")
        before = (await bank.get("/readyz"))["event_loop"]["stalls"]
        client.forget()
        began_s = time.monotonic()
        os.kill(bank.server.pid, signal.SIGUSR2)
        await asyncio.sleep(STALL_S - 0.2)
        assert "READY=1" in {one.decode() for one in _heard(systemd)}
        after = await bank.get("/readyz")  # answered when the loop runs again
        took_s = time.monotonic() - began_s
        heard = client.heard
        assert took_s >= STALL_S - 0.1, "the loop did stall"
        assert len(heard) / 2 / RATE_HZ >= 0.8 * STALL_S, "the sound did not wait for the loop"
        assert _longest_gap_ms(heard) < GAP_MS
        assert after["event_loop"]["stalls"] > before
        assert after["event_loop"]["lag_max_ms"] >= 1000 * (STALL_S - 0.2)
        assert after["status"] == "ok"
        assert (await bank.get(f"/v1/calls/{call['id']}"))["status"] == "in_progress"
    log = bank.server.log_text()
    assert "the event loop has not run for" in log
    assert log.count("sitecustomize.py") == 1, "the place where it hung, once"
    assert re.search(r"the event loop stood still for (1\.9|2\.\d) s", log)

    async def fed() -> bool | None:
        return b"WATCHDOG=1" in _heard(systemd) or None

    await until(fed, what="a sign of life for systemd")
    await check_invariants(bank)


async def _fault(bank: TestBank, index: int, name: str, value: object) -> None:
    await bank.emulator.call("fault", modem=index, name=name, value=value)


async def _quiet(bank: TestBank, call: Json, *directions: str) -> None:
    """The call goes on, and exactly these directions of it are said to be quiet."""
    found = await bank.wait_call(call["id"], lambda now: now["quiet"] == list(directions))
    assert found["status"] == "in_progress"


def _told_quiet(events: list[Json], call: Json) -> list[list[str]]:
    calls = [event["data"]["call"] for event in events if event["type"] == "call.quiet"]
    return [one["quiet"] for one in calls if one["id"] == call["id"]]


@pytest.mark.parametrize("fault", ["downlink_muted", "uplink_muted"])
async def test_row_36_a_direction_is_muted_in_the_modem(bank: TestBank, fault: str) -> None:
    """The party says back what it hears: either way nothing comes from the modem, while we say something."""
    events: list[Json] = []
    async with bank.watching(events):
        async with _talking(bank, 1, ToneVoice(440.0)) as (call, _):
            await _fault(bank, 1, fault, True)
            await _quiet(bank, call, "from_modem")
            await _fault(bank, 1, fault, False)
            await _quiet(bank, call)
        assert _told_quiet(events, call) == [["from_modem"], []], "once per stretch"
    await check_invariants(bank)


async def test_row_36_nothing_comes_from_the_far_side(bank: TestBank) -> None:
    """A call that is muted, or held, is silent because somebody wants it so."""
    events: list[Json] = []
    async with bank.watching(events):
        async with _talking(bank, 1, SilentVoice(), party="tone") as (call, client):
            actions = f"/v1/calls/{call['id']}/actions"
            for wanted, undone in (("mute", "unmute"), ("hold", "unhold")):
                await _quiet(bank, call, "from_far")
                await bank.post(f"{actions}/{wanted}")
                await _quiet(bank, call)
                told_before = len(_told_quiet(events, call))
                await asyncio.sleep(1.6)
                assert len(_told_quiet(events, call)) == told_before, "not while it is wanted"
                await bank.post(f"{actions}/{undone}")
            await _quiet(bank, call, "from_far")
            client.say(ToneVoice(440.0))
            await _quiet(bank, call)
        assert _told_quiet(events, call) == [["from_far"], []] * 3
    await check_invariants(bank)


async def test_row_36_a_modem_whose_sound_stands_still_is_healed_after_the_call(bank: TestBank) -> None:
    """One such call may be an accident. After the second the modem is healed, though AT never failed."""
    events: list[Json] = []
    async with bank.watching(events):
        place = await place_of(bank, 2)
        for _ in range(2):
            assert not told(events, place, "modem.healing")
            async with _talking(bank, 2, ToneVoice(440.0)) as (call, _):
                await _fault(bank, 2, "stall_audio", True)
                await _quiet(bank, call, "from_modem")
                assert not told(events, place, "modem.healing"), "not during the call"
            await wait_state(bank, 2, "ready", "opening", "starting")
            ended = await bank.get(f"/v1/calls/{call['id']}")
            assert ended["quiet"] == ["from_modem"], "the record keeps it"
            await _fault(bank, 2, "stall_audio", False)
        healing = await wait_told(events, place, "modem.healing")
        assert healing["data"]["healing"]["trouble"] == "no_audio"
        await wait_told(events, place, "modem.healed")
        assert steps(events, place) == ["reopen"]
    await wait_state(bank, 2, "ready")
    async with _talking(bank, 2, ToneVoice(440.0)):
        pass
    await check_invariants(bank)

"""Break the N-th AT exchange, for every N of bring-up, dial, answer, and of a message out and in.

An exchange breaks in four ways: its answer is lost, it is ERROR, it is garbage, or the port vanishes. Whatever breaks,
each call ends once with a cause, nothing is dialled twice, no call and no claim is left, and the modem comes back.
Each case has a modem of its own, so that all of one story run at once. `make soak` takes every N; here it is every
fifth.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.bank import Json, Server, TestBank, start_bank, until
from tests.support.emulator import start_emulator
from tests.support.healing import PATIENCE, modem_at
from tests.support.invariants import check_invariants

WAYS = ("no_answer", "error", "garbage", "vanish")
ENDED = ("completed", "failed", "no_answer", "busy", "canceled", "rejected")
SAMPLE = 5  # every so-many-th exchange outside the soak
# So many exchanges, at least, has each story; the last ones of calls are polls of +CLCC, and the hang-up among them.
LENGTHS = {"dial": 16, "answer": 14, "sms_out": 5, "sms_in": 5}
BRING_UP = 22


@dataclass(frozen=True, slots=True)
class Case:
    """A modem and what breaks on it."""

    index: int
    at: int
    way: str


def cases(length: int, step: int, *, first: int = 0) -> list[Case]:
    """Every `step`-th exchange in each way; the ways start at different exchanges, so that samples differ."""
    pairs = [(at, way) for turn, way in enumerate(WAYS) for at in range(1 + turn % step, length + 1, step)]
    return [Case(index, at, way) for index, (at, way) in enumerate(pairs, first)]


async def arm(bank_call: Callable[..., Awaitable[object]], case: Case) -> None:
    await bank_call("fault", modem=case.index, name="break_how", value=case.way)
    await bank_call("fault", modem=case.index, name="break_at", value=case.at)


async def dial(bank: TestBank, case: Case) -> None:
    """Dial, talk if it comes so far, hang up."""
    sim = (await modem_at(bank, case.index))["sim"]["id"]
    await arm(bank.emulator.call, case)
    async with bank.client() as client:
        answer = await client.post("/v1/calls", json={"to": bank.parties["echo"], "from": sim})
    if answer.status_code != 201:
        return  # refused: its record is closed, or there is none
    call = await bank.wait_status(answer.json()["id"], "in_progress", *ENDED, limit_s=60)
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    await bank.wait_status(call["id"], *ENDED, limit_s=60)


async def answer(bank: TestBank, case: Case) -> None:
    """A caller rings, is answered, and hangs up."""
    modem = await modem_at(bank, case.index)
    await arm(bank.emulator.call, case)
    await bank.emulator.call("incoming", to=case.index, talk_s=1.0, ring_s=6.0)

    async def rings() -> Json | None:
        found = (await bank.get("/v1/calls?direction=inbound&limit=200"))["data"]
        return next((one for one in found if one["sim"] and one["sim"]["id"] == modem["sim"]["id"]), None)

    try:
        call = await until(rings, what="the ring", limit_s=10)
    except AssertionError:
        return  # what broke was the question that would have confirmed the ring
    async with bank.client() as client:
        await client.post(f"/v1/calls/{call['id']}/actions/answer", json={})
    await bank.wait_status(call["id"], *ENDED, limit_s=60)


async def sms_out(bank: TestBank, case: Case) -> None:
    """Send a message: it is handed to the network once at most."""
    sim = (await modem_at(bank, case.index))["sim"]
    await arm(bank.emulator.call, case)
    text = f"case {case.index}"
    body = {"to": bank.parties["sms_silent"], "text": text, "from": sim["id"]}
    message = await bank.post("/v1/messages", body, status=201)

    async def settled() -> Json | None:
        now = await bank.get(f"/v1/messages/{message['id']}")
        return now if now["status"] in {"sent", "failed", "unknown"} else None

    found = await until(settled, what=f"{case} to settle", limit_s=100)
    sent = (await bank.emulator.call("sms_sent", number=sim["number"]))["messages"]
    assert isinstance(sent, list)
    assert len(sent) <= 1, f"{case}: the network got it {len(sent)} times"
    assert found["status"] != "sent" or len(sent) == 1, case


async def sms_in(bank: TestBank, case: Case) -> None:
    """Receive a message: it is stored once, and nothing of it is lost."""
    sim = (await modem_at(bank, case.index))["sim"]
    await arm(bank.emulator.call, case)
    await bank.emulator.call("sms", to=case.index, text=f"case {case.index}")

    async def received() -> list[Json] | None:
        return (await bank.get(f"/v1/messages?sim_id={sim['id']}&direction=inbound"))["data"] or None

    found = await until(received, what=f"{case} to be received", limit_s=100)
    assert [one["text"] for one in found] == [f"case {case.index}"], case


STORIES: Mapping[str, Callable[[TestBank, Case], Awaitable[None]]] = {
    "dial": dial,
    "answer": answer,
    "sms_out": sms_out,
    "sms_in": sms_in,
}


async def all_ready(bank: TestBank, count: int) -> None:
    """Every modem is well again; what broke is used up, or was never reached."""
    for index in range(count):
        await bank.emulator.call("fault", modem=index, name="break_at", value=0)

    async def look() -> bool | None:
        listed = (await bank.get("/v1/modems?limit=500"))["data"]
        return all(modem["state"] == "ready" for modem in listed) or None

    await until(look, what="every modem to be ready again", limit_s=90)


async def sweep(tmp_path: Path, stories: Sequence[str], step: int) -> None:
    """Run all cases of these stories at once, each on a modem of its own."""
    chosen: list[tuple[str, Case]] = []
    for story in stories:
        chosen += [(story, case) for case in cases(LENGTHS[story], step, first=len(chosen))]
    async with start_bank(tmp_path, modems=len(chosen), settings=PATIENCE, party_speed=10) as bank:
        await asyncio.gather(*(STORIES[story](bank, case) for story, case in chosen))
        await all_ready(bank, len(chosen))
        await check_invariants(bank)


@asynccontextmanager
async def broken_from_the_start(tmp_path: Path, chosen: list[Case]) -> AsyncIterator[TestBank]:
    """As `start_bank`, with what breaks armed before the server comes."""
    async with start_emulator(tmp_path, modems=len(chosen), party_speed=10) as emulator:
        for case in chosen:
            await arm(emulator.call, case)
        environment = {
            "MODEMBANK_DATA_DIR": str(tmp_path / "data"),
            "MODEMBANK_SERIAL__SYSFS_ROOT": str(emulator.sys),
            "MODEMBANK_SERIAL__DEV_ROOT": str(emulator.dev),
            **PATIENCE,
        }
        server = Server(environment, tmp_path / "server.log")
        await server.start()
        try:
            yield TestBank(emulator, server, tmp_path / "data")
        finally:
            await server.stop()


async def bring_up(tmp_path: Path, step: int) -> None:
    chosen = cases(BRING_UP, step)
    async with broken_from_the_start(tmp_path, chosen) as bank:
        await bank.wait_ready(len(chosen))
        await all_ready(bank, len(chosen))
        await check_invariants(bank)


async def test_every_fifth_exchange_breaks(tmp_path: Path) -> None:
    await sweep(tmp_path, tuple(STORIES), SAMPLE)


async def test_every_fifth_exchange_of_bring_up_breaks(tmp_path: Path) -> None:
    await bring_up(tmp_path, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES)
async def test_every_exchange_breaks(tmp_path: Path, story: str) -> None:
    await sweep(tmp_path, (story,), 1)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_every_exchange_of_bring_up_breaks(tmp_path: Path) -> None:
    await bring_up(tmp_path, 1)

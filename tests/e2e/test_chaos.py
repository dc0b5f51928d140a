"""Calls while everything goes wrong at once. `CHAOS_SEED` repeats a run; `CHAOS_S` makes it longer."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

from tests.support.bank import TestBank, start_bank
from tests.support.invariants import check_invariants

SEED = int(os.environ.get("CHAOS_SEED", "20"))
LASTS_S = float(os.environ.get("CHAOS_S", "20"))
EVERY_S = 0.5
MODEMS = 8
AT_ONCE = 4
WHO = ("echo", "speech", "busy", "rejects", "unassigned", "announcement", "no_alerting", "drops", "dtmf", "congestion")


async def _caller(bank: TestBank, chance: random.Random, until_s: float) -> int:
    """One person who calls again and again; return how often a call came about."""
    made = 0
    while time.monotonic() < until_s:
        async with bank.client() as client:
            answer = await client.post("/v1/calls", json={"to": bank.parties[chance.choice(WHO)], "timeout_s": 10})
            assert answer.status_code != 500, answer.text
            if answer.status_code != 201:
                await asyncio.sleep(0.3)
                continue
            made += 1
            await asyncio.sleep(chance.uniform(0.1, 3.0))
            await client.post(f"/v1/calls/{answer.json()['id']}/actions/hangup", json={})
    return made


async def test_chaos_breaks_no_invariant(tmp_path: Path) -> None:
    options = {"seed": SEED, "chaos": SEED, "chaos_every_s": EVERY_S, "family": "mixed", "party_speed": 6}
    settings = {"MODEMBANK_SERIAL__RESCAN_S": "0.3"}
    print(f"CHAOS_SEED={SEED}")  # pytest shows it when the test fails
    async with start_bank(tmp_path, modems=MODEMS, ready=2, settings=settings, **options) as bank:
        until_s = time.monotonic() + LASTS_S
        callers = [_caller(bank, random.Random(f"{SEED}:{n}"), until_s) for n in range(AT_ONCE)]
        made = await asyncio.gather(*callers)
        assert sum(made) > AT_ONCE, "hardly any call came about: nothing was tested"
        await bank.emulator.call("calm")
        await check_invariants(bank)
        voices = sum(modem["family"] != "generic" for modem in (await bank.emulator.call("status"))["modems"])
        await bank.wait_ready(voices)

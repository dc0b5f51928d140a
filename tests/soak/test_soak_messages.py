"""10,000 messages in and out while the server is killed at random: sent is stored, nothing lost, nothing twice.

`SOAK_MESSAGES` (each way) and `SOAK_SEED` change it while you work on it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.bank import start_bank
from tests.support.message_storm import Storm

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]

MESSAGES = int(os.environ.get("SOAK_MESSAGES", "10000"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
MODEMS = 8
MESSAGES_PER_KILL = 250


async def test_ten_thousand_messages_with_random_kills(tmp_path: Path) -> None:
    kills = max(3, MESSAGES // MESSAGES_PER_KILL)
    async with start_bank(tmp_path, modems=MODEMS, party_speed=10) as bank:
        storm = Storm(bank, MESSAGES, SEED)
        await storm.run(kills, (2.0, 10.0))
        statuses = await storm.check()
    print(f"{MESSAGES} each way, {storm.kills} kills, seed {SEED}: out {dict(statuses)}")
    assert statuses["delivered"] >= MESSAGES - MODEMS * kills, "one message of each SIM at most is in doubt"

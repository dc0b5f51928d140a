"""200 messages each way while the server is killed: nothing lost, nothing twice (I3). `make soak` does 10,000."""

from __future__ import annotations

from pathlib import Path

from tests.support.bank import start_bank
from tests.support.message_storm import Storm

MESSAGES = 200
KILLS = 2
SEED = 7


async def test_a_killed_server_loses_and_doubles_no_message(tmp_path: Path) -> None:
    async with start_bank(tmp_path, modems=4, party_speed=10) as bank:
        storm = Storm(bank, MESSAGES, SEED)
        await storm.run(KILLS, (0.3, 1.5))
        statuses = await storm.check()
    assert statuses["delivered"] >= MESSAGES - 4 * KILLS, f"{statuses}: one message of each SIM at most is in doubt"

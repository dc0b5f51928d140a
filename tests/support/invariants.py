"""The design's invariants, checked against a running bank after a test (docs/explanation/architecture.md)."""

from __future__ import annotations

import re
from collections import Counter

from tests.support.bank import Json, TestBank, until

# An E.164 number that nobody masked; six digits and more in a row after a plus.
NUMBER = re.compile(r"\+\d{6,15}")


async def end_all_calls(bank: TestBank) -> list[Json]:
    """Hang up whatever is left and return all calls of the bank, newest first."""
    for call in await _open_calls(bank):
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")

    async def look() -> bool | None:
        return None if await _open_calls(bank) else True

    await until(look, what="all calls to end")
    return (await bank.get("/v1/calls?limit=200"))["data"]


async def check_invariants(bank: TestBank) -> None:
    """Fail with the invariant's number."""
    calls = await end_all_calls(bank)

    async def nobody_talks() -> bool | None:
        status = await bank.emulator.call("status")
        return all(not modem["calls"] for modem in status["modems"]) or None

    await until(nobody_talks, what="I2: no call without a living owner", limit_s=15)
    sims = (await bank.get("/v1/sims?limit=500"))["data"]
    assert all(sim["call_id"] is None for sim in sims), "I1: a SIM is claimed by a call that is over"
    for call in calls:
        assert call["ended_at"] is not None and call["hangup"] is not None, f"I6: {call['id']} has no end or no cause"
    atds = await dialled(bank)
    ordered = Counter(call["to"] for call in calls if call["dialing_at"] is not None)
    for number, count in atds.items():
        assert count <= ordered[number], f"I4: {number} was dialled {count} times for {ordered[number]} calls"
    found = NUMBER.search(bank.server.log_text())
    assert found is None, "I7: a number stands in the log"


async def _open_calls(bank: TestBank) -> list[Json]:
    return [call for call in (await bank.get("/v1/calls?limit=200"))["data"] if call["ended_at"] is None]


async def dialled(bank: TestBank) -> Counter[str]:
    """Numbers as the modems saw them in ATD."""
    seen: Counter[str] = Counter()
    for modem in (await bank.emulator.call("status"))["modems"]:
        log = await bank.emulator.call("at_log", modem=modem["index"], limit=5000)
        for line in log["lines"]:
            if line["port"] == "at" and line["direction"] == "received":  # our own port
                seen.update(re.findall(r"ATD(\+?\d+);", line["bytes"]))
    return seen

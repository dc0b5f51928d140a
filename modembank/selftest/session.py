"""A whole self-test: many calls, each line in one at a time, within a budget."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from modembank.errors import LimitReachedError
from modembank.selftest.blame import line_verdicts
from modembank.selftest.pairs import Pair
from modembank.selftest.rack import Budget
from modembank.selftest.result import Line, Report
from modembank.selftest.run import LONGEST_CALL_S, Bank, Plan, Ran, judge_run, run_call


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of one call, for people who wait."""

    number: int
    of: int
    pair: Pair
    step: str


async def run_selftest(
    bank: Bank,
    pairs: Sequence[Pair],
    plan: Plan,
    budget: Budget,
    *,
    at_once: int = 1,
    show: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Test all pairs and say what is wrong with which line.

    Calls that would pass a limit of the budget are not made; the report says so.
    """
    started = time.monotonic()
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    free = asyncio.Semaphore(at_once)
    locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    stopped: list[str] = []

    async def one(number: int, pair: Pair) -> Ran | None:
        # The locks first, in one order for all: who waits for a line holds no place, and nobody waits in a ring.
        first, second = sorted(pair, key=lambda line: line.sim_id)
        async with locks[first.sim_id], locks[second.sim_id], free:
            try:
                ticket = budget.take_call(LONGEST_CALL_S)
            except LimitReachedError as error:
                stopped.append(str(error))
                return None
            ran = None
            try:
                turn = replace(plan, hung_up_by_caller=number % 2 == 1)
                ran = await run_call(bank, *pair, turn, lambda step: show(Progress(number, len(pairs), pair, step)))
            finally:
                budget.settle_call(ticket, ran.times.talk_s if ran else LONGEST_CALL_S)
            return ran

    done = await asyncio.gather(*(one(number, pair) for number, pair in enumerate(pairs, 1)))
    # Measured when no voice is on its way any more: the arithmetic would hold it up.
    calls = tuple(judge_run(ran, plan.limits) for ran in done if ran is not None)
    return Report(
        started_at=stamp,
        took_s=round(time.monotonic() - started, 1),
        calls=calls,
        lines=line_verdicts(_lines(pairs), calls),
        spent=budget.spent(),
        stopped=stopped[0] if stopped else "",
    )


def _lines(pairs: Sequence[Pair]) -> tuple[Line, ...]:
    return tuple(dict.fromkeys(line for pair in pairs for line in pair))

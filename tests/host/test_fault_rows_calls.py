"""The fault table, rows 34 and 37, through the front door: a call that will not end, a number that a modem refuses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.healing import PATIENCE, modem_at, place_of, steps, wait_state, wait_told
from tests.support.invariants import check_invariants

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZOMBIE, STUBBORN, FIRST, GHOST = range(4)
HANG_UP_S = 0.5  # how long +CHUP may take, at a tenth of the usual patience
BLACKLIST_S = 8


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    settings = {**PATIENCE, "MODEMBANK_CALLS__BLACKLIST_FIRST_S": str(BLACKLIST_S)}
    folder = tmp_path_factory.mktemp("fault_rows")
    async with start_bank(folder, modems=4, settings=settings, party_speed=10) as running:
        yield running


async def _sim(bank: TestBank, index: int) -> str:
    return str((await modem_at(bank, index))["sim"]["id"])


async def _fault(bank: TestBank, index: int, name: str, value: object) -> None:
    await bank.emulator.call("fault", modem=index, name=name, value=value)


async def _commands(bank: TestBank, index: int) -> list[tuple[float, str]]:
    """What our port wrote to the modem, with the emulator's time of each line."""
    log = (await bank.emulator.call("at_log", modem=index, limit=5000))["lines"]
    assert isinstance(log, list)
    return [
        (float(line["at"]), str(line["bytes"]).removeprefix("b'").removesuffix("\\r'"))
        for line in log
        if line["direction"] == "received" and line["port"] == "at"
    ]


def _of_sim(events: list[Json], sim: str) -> list[Json]:
    return [one for one in events if one["type"] == "sim.changed" and one["data"]["sim"]["id"] == sim]


async def _ends_once(bank: TestBank, index: int, ignored: int) -> list[tuple[float, str]]:
    """Hang up a call whose modem ignores so many hang-ups; return what was written to it from then on."""
    events, sim = list[Json](), await _sim(bank, index)
    async with bank.watching(events):
        call = await bank.dial(bank.parties["echo"], **{"from": sim})
        await bank.wait_status(call["id"], "in_progress")
        before = (await _commands(bank, index))[-1][0]
        await _fault(bank, index, "hangup_ignored", ignored)
        await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        ended = await bank.wait_status(call["id"], "completed")
        assert ended["hangup"]["cause"] == "normal_clearing"

        async def quiet() -> bool | None:
            modem = await modem_at(bank, index)
            gone = not (await bank.emulator.modem(index))["calls"]
            free = (await bank.get(f"/v1/sims/{sim}"))["call_id"] is None
            return (gone and free and modem["state"] == "ready") or None

        await until(quiet, what="the call to be gone and its SIM free", limit_s=30)
        again = await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
        assert (again["ended_at"], again["hangup"]) == (ended["ended_at"], ended["hangup"])
        ends = [one for one in events if one["type"] == "call.ended" and one["data"]["call"]["id"] == call["id"]]
        assert len(ends) == 1
    claims = [one["data"]["sim"]["call_id"] for one in _of_sim(events, sim)]
    changes = [now for before_, now in zip([None, *claims], claims, strict=False) if before_ != now]
    assert changes == [call["id"], None], "the claim was taken once and freed once"
    await _fault(bank, index, "hangup_ignored", 0)
    return [one for one in await _commands(bank, index) if one[0] > before]


async def test_row_34_a_hang_up_that_is_ignored(bank: TestBank) -> None:
    written = await _ends_once(bank, ZOMBIE, 1)
    hung_up = next(at_s for at_s, line in written if line == "AT+CHUP")
    by_index = [at_s for at_s, line in written if line.startswith("AT+CHLD=1")]
    assert len(by_index) == 1
    assert by_index[0] - hung_up >= HANG_UP_S, "CHLD must not come before +CHUP had its time"
    asked = [at_s for at_s, line in written if line == "AT+CLCC" and hung_up < at_s < by_index[0]]
    assert len(asked) >= 2, "+CLCC is the witness"
    assert not any(line.startswith(("AT+CFUN", "ATD")) for _, line in written)
    await check_invariants(bank)


async def test_row_34_a_call_that_ignores_every_command_loses_its_radio(bank: TestBank) -> None:
    written = [line for _, line in await _ends_once(bank, STUBBORN, 99)]
    rungs = [line for line in written if re.match(r"AT\+(CHUP|CHLD=1|CFUN)", line)]
    assert [rung[:7] for rung in rungs] == ["AT+CHUP", "AT+CHLD", "AT+CFUN", "AT+CFUN"]
    await check_invariants(bank)


async def _fails(bank: TestBank, number: str, index: int) -> Json:
    call = await bank.dial(number, **{"from": await _sim(bank, index)})
    return await bank.wait_call(call["id"], lambda one: one["ended_at"] is not None)


@pytest.mark.parametrize("how", ["report", "code"])
async def test_row_37_a_number_that_its_modem_refuses(bank: TestBank, how: str) -> None:
    number = bank.parties["unassigned" if how == "report" else "congestion"]
    await _fault(bank, FIRST, "blacklist_how", how)
    await _fault(bank, FIRST, "blacklist_after", 2)
    for _ in range(2):
        assert (await _fails(bank, number, FIRST))["hangup"]["cause"] != "number_blacklisted"
    refused = await _fails(bank, number, FIRST)
    assert (refused["status"], refused["hangup"]["cause"]) == ("failed", "number_blacklisted")
    assert (refused["hangup"]["source"], refused["hangup"]["q850"]) == ("system", None)
    assert "refuses this number" in refused["hangup"]["detail"]

    first = await _sim(bank, FIRST)
    problem = await bank.post("/v1/calls", {"to": number, "from": first}, status=503)
    assert problem["code"] == "no_sim_available"
    assert problem["removed"]["number_blacklisted"] == 1
    assert "number_blacklisted removed 1" in problem["detail"]
    other = await bank.dial(number)  # the refused SIM would come before those that were used since
    assert other["sim"]["id"] != first
    assert {"name": "number_blacklisted", "removed": 1} in other["why"]["filters"]
    await bank.wait_call(other["id"], lambda one: one["ended_at"] is not None)
    assert [line for _, line in await _commands(bank, FIRST)].count(f"ATD{number};") == 3, "no hammering"
    elsewhere = await bank.dial(bank.parties["echo"], **{"from": first})  # the SIM itself is as good as ever
    await bank.wait_status(elsewhere["id"], "in_progress")

    await _fault(bank, FIRST, "blacklist_after", 0)
    await check_invariants(bank)
    if how == "code":
        return  # the wait is the same

    async def admitted() -> Json | None:
        async with bank.client() as client:
            answer = await client.post("/v1/calls", json={"to": number, "from": first})
        return answer.json() if answer.status_code == 201 else None

    tried = await until(admitted, what="the end of the wait", limit_s=BLACKLIST_S + 20)
    ended = await bank.wait_call(tried["id"], lambda one: one["ended_at"] is not None)
    assert ended["hangup"]["cause"] != "number_blacklisted"
    await check_invariants(bank)


async def test_a_call_that_only_a_restart_ends_is_a_trouble_to_heal(bank: TestBank) -> None:
    """`call_stuck`: nobody's call, which outlives every hang-up and the radio's pause."""
    events: list[Json] = []
    place = await place_of(bank, GHOST)
    async with bank.watching(events):
        await _fault(bank, GHOST, "ghost_call", True)
        tried = await wait_told(events, place, "modem.healing")
        assert tried["data"]["healing"]["trouble"] == "call_stuck"
        await wait_told(events, place, "modem.healed")
    assert steps(events, place) == ["radio", "restart"]
    await wait_state(bank, GHOST, "ready")
    await check_invariants(bank)

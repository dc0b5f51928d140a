"""SIGKILL in the middle of a call: after the restart nothing rings on, and every call has exactly one end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.bank import TestBank, start_bank, until
from tests.support.databases import new_postgres_database, postgres_cluster
from tests.support.invariants import dialled

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def shared_bank(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TestBank]:
    """The whole bank, once on each database."""
    folder = tmp_path_factory.mktemp(f"bank-{request.param}")
    if request.param == "sqlite":
        async with start_bank(folder, modems=3) as running:
            yield running
        return
    with postgres_cluster() as socket:
        url = await new_postgres_database(socket, "killed")
        async with start_bank(folder, modems=3, settings={"MODEMBANK_DATABASE__URL": url}) as running:
            yield running


async def test_a_killed_server_leaves_no_call_behind(bank: TestBank) -> None:
    answered = await bank.dial(bank.parties["echo"])
    ringing = await bank.dial(bank.parties["no_answer"])
    await bank.wait_status(answered["id"], "in_progress")
    await bank.wait_status(ringing["id"], "ringing")
    await bank.server.kill()
    status = await bank.emulator.call("status")
    assert sum(len(modem["calls"]) for modem in status["modems"]) == 2, "the calls outlive the server"

    await bank.server.start()

    async def quiet() -> bool | None:
        status = await bank.emulator.call("status")
        return all(not modem["calls"] for modem in status["modems"]) or None

    await until(quiet, what="the left-over calls to be hung up (I2)", limit_s=30)
    for call in (answered, ringing):
        ended = await bank.wait_status(call["id"], "failed")
        assert (ended["hangup"]["cause"], ended["hangup"]["source"]) == ("server_restart", "system")
    atds = await dialled(bank)
    assert (atds[answered["to"]], atds[ringing["to"]]) == (1, 1), "one call, one ATD (I4)"
    await bank.wait_ready(3)
    sims = (await bank.get("/v1/sims"))["data"]
    assert all(sim["call_id"] is None for sim in sims), "no claim outlives its call (I1)"
    again = await bank.dial(bank.parties["echo"])
    await bank.wait_status(again["id"], "in_progress")


async def test_a_stopped_server_ends_its_calls_first(bank: TestBank) -> None:
    call = await bank.dial(bank.parties["echo"])
    await bank.wait_status(call["id"], "in_progress")
    assert await bank.server.stop() == 0
    status = await bank.emulator.call("status")
    assert all(not modem["calls"] for modem in status["modems"])
    await bank.server.start()
    ended = await bank.get(f"/v1/calls/{call['id']}")
    assert ended["hangup"]["cause"] == "server_restart"
    assert ended["ended_at"] is not None


async def test_a_modem_that_is_pulled_out_ends_its_call_and_comes_back(bank: TestBank) -> None:
    await bank.wait_ready(3)  # the tests before this one killed the server
    call = await bank.dial(bank.parties["echo"])
    talking = await bank.wait_status(call["id"], "in_progress")
    status = await bank.emulator.call("status")
    index = next(modem["index"] for modem in status["modems"] if modem["usb_path"] == talking["modem"]["usb_path"])
    await bank.emulator.call("drop", modem=index)
    ended = await bank.wait_status(call["id"], "failed")
    assert ended["hangup"]["cause"] == "modem_lost"
    await bank.emulator.call("readd", modem=index)
    await bank.wait_ready(3)
    sims = (await bank.get("/v1/sims"))["data"]
    assert len(sims) == 3, "the SIM is the same one, wherever its ports are now"

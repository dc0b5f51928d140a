"""A second server on the same bank leaves at once, and the calls of the first go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bank import TestBank, start_bank
from tests.support.databases import new_postgres_database, postgres_cluster


@pytest.fixture(params=["data_dir", "sqlite_file", "postgresql"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[TestBank, dict[str, str], str]]:
    """A bank, the settings that a second server changes, and what it must complain about."""
    elsewhere = {"MODEMBANK_DATA_DIR": str(tmp_path / "elsewhere")}
    if request.param == "data_dir":
        async with start_bank(tmp_path, modems=1) as bank:
            yield bank, {}, str(bank.data_dir)
    elif request.param == "sqlite_file":
        database = {"MODEMBANK_DATABASE__URL": f"sqlite+aiosqlite:///{tmp_path}/file/bank.db"}
        async with start_bank(tmp_path, modems=1, settings=database) as bank:
            yield bank, elsewhere, str(tmp_path / "file")
    else:
        with postgres_cluster() as socket:
            database = {"MODEMBANK_DATABASE__URL": await new_postgres_database(socket, "alone")}
            async with start_bank(tmp_path, modems=1, settings=database) as bank:
                yield bank, elsewhere, "runs already on this database"


async def test_a_second_server_is_refused_until_the_first_is_gone(
    shared: tuple[TestBank, dict[str, str], str],
) -> None:
    bank, changed, complaint = shared
    call = await bank.dial(bank.parties["echo"])
    await bank.wait_status(call["id"], "in_progress")

    status, stderr = await bank.server.another(**changed)

    assert status == 1
    assert complaint in stderr
    assert "Traceback" not in stderr
    assert (await bank.get(f"/v1/calls/{call['id']}"))["status"] == "in_progress"
    emulated = await bank.emulator.call("status")
    assert [len(modem["calls"]) for modem in emulated["modems"]] == [1], "the call is up on the modem too"

    await bank.server.kill()
    await bank.server.start()
    await bank.wait_ready(1)

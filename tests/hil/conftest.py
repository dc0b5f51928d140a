"""Hardware in the loop: the same tests on emulated modems and, with `--hil RACK.toml`, on real ones.

Nothing is dialled or sent but through `Bench`, which asks the rack file first.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from modembank.selftest.rack import Rack, read_rack
from tests.hil.bench import Bench
from tests.support.bank import BankClient, Server, start_bank
from tests.support.emulator import RunningEmulator

EMULATED_MODEMS = 3
USSD_CODE = "*100#"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/hil" in str(item.path):
            item.add_marker("hil")
            item.add_marker("e2e")  # whole programs, and sound that wants the machine to itself
            item.add_marker(pytest.mark.timeout(600))  # a real network takes its time


@pytest.fixture(scope="session")
def rack_path(request: pytest.FixtureRequest) -> Path | None:
    """The rack file of real modems, or None for emulated ones."""
    path: Path | None = request.config.getoption("--hil")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bench(rack_path: Path | None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """A server on two lines that may call each other, and the guard in front of it."""
    folder = tmp_path_factory.mktemp("hil")
    world = _emulated(folder) if rack_path is None else _real(folder, rack_path)
    async with world as running:
        yield running


@asynccontextmanager
async def _real(folder: Path, path: Path) -> AsyncIterator[Bench]:
    rack = read_rack(path)
    server = Server({"MODEMBANK_DATA_DIR": str(folder / "data"), **_settings(rack)}, folder / "server.log")
    await server.start()
    try:
        yield Bench(BankClient(server, folder / "data"), rack, emulated=False)
    finally:
        await server.stop()


@asynccontextmanager
async def _emulated(folder: Path) -> AsyncIterator[Bench]:
    codes = json.dumps([USSD_CODE])
    settings = {"MODEMBANK_USSD__CODES": codes}
    async with start_bank(folder, modems=EMULATED_MODEMS, family="mixed", settings=settings) as bank:
        path = folder / "rack.toml"
        path.write_text("\n".join(await _rack_lines(bank.emulator)))
        yield Bench(bank, read_rack(path), emulated=True)


async def _rack_lines(emulator: RunningEmulator) -> Iterable[str]:
    """Write the file that a person would write for the emulated rack."""
    lines = ["[limits]", "calls = 12", "minutes = 24", "messages = 4"]
    for name, index, other in (("A", 0, "B"), ("B", 1, "A")):
        modem = await emulator.modem(index)
        lines += ["[[sim]]", f'name = "{name}"', f'slot = "{modem["usb_path"]}"', f'number = "{modem["number"]}"']
        lines += [f'may_call = ["{other}"]', f'may_text = ["{other}"]', f'ussd = "{USSD_CODE}"']
    return lines


def _settings(rack: Rack) -> dict[str, str]:
    codes = [sim.ussd for sim in rack.sim if sim.ussd]
    return {"MODEMBANK_USSD__CODES": json.dumps(codes)} if codes else {}

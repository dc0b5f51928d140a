"""Scenario files and chaos."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modembank.cli.emulate import app
from modembank.emulator.operations import OPERATIONS
from modembank.emulator.scenario import MISHAPS, chaos, read_scenario
from modembank.emulator.settings import Faults
from modembank.errors import EmulatorError
from tests.support.emulator import start_emulator

SCENARIO = """
[[step]]
at_s = 0.6
op = "remove_sim"
modem = 0

[[step]]
at_s = 0.2
op = "signal"
modem = 0
rssi = 3

[[step]]
at_s = 0.4
op = "readd"
modem = 0

[[step]]
at_s = 0.8
op = "sms"
to = 1
text = "at its time"
"""


async def test_a_scenario_happens_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(SCENARIO)
    async with start_emulator(tmp_path, modems=2, scenario=file) as running:
        async with asyncio.timeout(20):
            while not (await running.call("sms_inbox", modem=1))["messages"]:
                await asyncio.sleep(0.05)
        facts = await running.modem(0)
        assert (facts["rssi"], facts["iccid"]) == (3, None)


@pytest.mark.parametrize(
    "text",
    [
        "step = 1",
        "[[step]]\nop = 'reset'",
        "[[step]]\nat_s = -1\nop = 'reset'",
        "[[step]]\nat_s = 1\nop = 'nonsense'",
        "x = 1\n[[step]]\nat_s = 1\nop = 'reset'",
        "[[",
    ],
)
def test_a_wrong_scenario_is_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    with pytest.raises(EmulatorError):
        read_scenario(file)
    refused = CliRunner().invoke(app, ["--dir", str(tmp_path / "emulator"), "--scenario", str(file)])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")


def test_chaos_repeats_with_its_seed_and_ends_what_it_began() -> None:
    first, again, other = (list(itertools.islice(chaos(seed, 8, 1.0), 2000)) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert [step.at_s for step in first] == sorted(step.at_s for step in first)
    begun = sum(step.op == "mute" and step.values["on"] is True for step in first)
    ended = sum(step.op == "mute" and step.values["on"] is False for step in first)
    assert begun > 5
    assert begun - ended in (0, 1)


def test_mishaps_are_operations_and_faults_that_exist() -> None:
    kinds = {field.name: type(field.default) for field in fields(Faults)}
    for mishap in MISHAPS:
        for op, values in filter(None, (mishap.begin, mishap.end)):
            assert op in OPERATIONS
            if op == "fault":
                assert type(values["value"]) is kinds[str(values["name"])]


async def test_an_emulator_lives_through_chaos_and_tells_its_seed(tmp_path: Path) -> None:
    options = {"chaos": 42, "chaos_every_s": 0.01, "family": "mixed", "party_speed": 10}
    async with start_emulator(tmp_path, modems=8, **options) as running:
        events = running.control.watch()
        steps = 0
        async with asyncio.timeout(60):
            async for event in events:
                steps += event["event"] == "step"
                if steps == 200:
                    break
        await events.aclose()
        assert len((await running.call("status"))["modems"]) == 8

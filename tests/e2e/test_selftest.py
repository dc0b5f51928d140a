"""`modembank selftest` with emulated modems: good lines pass, and each injected fault fails its own check."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from modembank.selftest.result import Aspect
from tests.support.bank import ROOT, Json, TestBank, start_bank
from tests.support.invariants import check_invariants

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER = "+4477009000{:02}"
NUMBERS = [NUMBER.format(index) for index in range(8)]
RUN_LIMIT_S = 110.0
# A machine that runs other tests beside this one loses a frame now and then; the faults below are much worse.
LENIENT = {
    "DROP_OUT_MAX_PERCENT": "12",
    "SLIPS_MAX": "40",
    "RESPONSE_MAX_DB": "4",
    "SPEECH_MIN_MATCH": "0.3",
    "PESQ_MIN": "1",
    "STOOD_STILL_MAX_MS": "400",
    "DELAY_MAX_MS": "1000",
}
FAULTS: dict[int, dict[str, object]] = {
    0: {"uplink_muted": True},
    2: {"uplink_db": -25, "no_alerting": True},
    3: {"downlink_muted": True},
    4: {"uplink_lost_every": 4},
    5: {"uplink_muffled": True},
}
CALLS = {
    ("A", "B"): {("A", "B"): {Aspect.SOUND}},
    ("C", "D"): {("", ""): {Aspect.ALERTING}, ("C", "D"): {Aspect.SOUND}},
    ("E", "F"): {("E", "F"): {Aspect.DROP_OUTS}, ("F", "E"): {Aspect.RESPONSE}},
    ("G", "H"): {},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    async with start_bank(tmp_path_factory.mktemp("selftest"), modems=8) as running:
        yield running
        await check_invariants(running)


async def rack_file(bank: TestBank, path: Path, pairs: list[tuple[str, str]], **limits: object) -> Path:
    """Write who may call whom; the SIM of the n-th modem has the n-th letter for a name."""
    iccids = {sim["number"]: sim["iccid"] for sim in (await bank.get("/v1/sims"))["data"]}
    lines = ["[limits]", *(f"{name} = {value}" for name, value in limits.items())]
    for index, number in enumerate(NUMBERS):
        name = "ABCDEFGH"[index]
        allowed = [callee for caller, callee in pairs if caller == name]
        lines += ["[[sim]]", f'name = "{name}"', f'iccid = "{iccids[number]}"', f'number = "{number}"']
        lines.append(f"may_call = {json.dumps(allowed)}")
    path.write_text("\n".join(lines))
    return path


async def run(bank: TestBank, *arguments: str) -> tuple[int, str, str]:
    """Run the command as a person would: exit status, what it printed, and its progress."""
    settings = {f"MODEMBANK_SELFTEST__{name}": value for name, value in LENIENT.items()}
    server = {"MODEMBANK_URL": bank.server.url, "MODEMBANK_API_KEY": bank.server.api_key}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from modembank.cli import main; main()", "selftest", *arguments),
        env=os.environ | server | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), RUN_LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def failures(call: Json) -> dict[tuple[str, str], set[str]]:
    """Return the failed checks of a call by direction; those of the call itself stand under no names."""
    found = {("", ""): {check["aspect"] for check in call["checks"] if check["verdict"] == "fail"}}
    for way in call["directions"]:
        ends = (way["speaker"]["label"], way["listener"]["label"])
        found[ends] = {check["aspect"] for check in way["checks"] if check["verdict"] == "fail"}
    return {ends: aspects for ends, aspects in found.items() if aspects}


async def test_each_fault_fails_its_own_check_and_no_other(bank: TestBank, tmp_path: Path) -> None:
    for modem, switches in FAULTS.items():
        for name, value in switches.items():
            await bank.emulator.call("fault", modem=modem, name=name, value=value)
    rack = await rack_file(bank, tmp_path / "rack.toml", list(CALLS), calls=4, minutes=8)
    record, page = tmp_path / "report.json", tmp_path / "report.html"
    # Each line is named, so that the pairs are ours: `--pairs` makes every pair, the rack file lets four through.
    status, out, err = await run(
        bank, "--all", "--pairs", "--quick", "--at-once", "4", "--rack", str(rack),
        *("--json", str(record), "--html", str(page)),
    )  # fmt: skip
    assert status == 1, err
    report = json.loads(record.read_text())
    calls = {(call["caller"]["label"], call["callee"]["label"]): call for call in report["calls"]}
    assert {call["problem"] for call in report["calls"]} == {""}
    assert {pair: failures(call) for pair, call in calls.items()} == CALLS
    assert {one["line"]["label"]: one["verdict"] for one in report["lines"] if one["verdict"] != "fail"} == {
        "G": "ok",
        "H": "ok",
    }
    assert report["spent"].startswith("4 calls, 4 minutes")
    good = calls["G", "H"]["directions"]
    assert [way["sound"]["level_dbm0"] for way in good] == pytest.approx([-10, -10], abs=1)
    assert all(0 <= way["sound"]["delay_ms"] < 500 for way in good)
    assert all(way["sound"]["speech_match"] > 0.7 for way in good)
    assert [way["sound"]["digits_told"] for way in good] == ["159#", "159#"]
    times = calls["G", "H"]["times"]
    assert times["out_ringing"] <= times["answer"] <= times["out_answered"] + 0.5 < times["hang_up"]
    assert "G → H: answered; G speaks to H" in err
    assert "Others hear nothing of it" in out
    assert "<svg" in page.read_text()


async def test_nothing_is_dialled_that_the_rack_file_does_not_allow(bank: TestBank, tmp_path: Path) -> None:
    before = len((await bank.get("/v1/calls"))["data"])
    rack = await rack_file(bank, tmp_path / "rack.toml", [("A", "B")], calls=4, minutes=8)
    status, _, err = await run(bank, "--sim", NUMBERS[6], "--sim", NUMBERS[7], "--rack", str(rack))
    assert (status, "does not let G call" in err) == (1, True), err
    rack = await rack_file(bank, tmp_path / "rack.toml", [("G", "H"), ("H", "G")], calls=4, minutes=1)
    status, out, err = await run(bank, "--sim", NUMBERS[6], "--sim", NUMBERS[7], "--rack", str(rack))
    assert (status, "limit of 1 minutes" in out) == (2, True), out + err
    assert len((await bank.get("/v1/calls"))["data"]) == before

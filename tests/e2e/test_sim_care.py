"""Care for cards through the whole house: emulated modems, the real server, REST and the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.invariants import check_invariants

COMMAND = Path(sys.executable).parent / "modembank"
PIN, OTHER_PIN, PUK = "471193", "860257", "87654321"
ELSEWHERE = "+447700900990"


NUMBER_RULES = json.dumps([{"plmn": "00101", "code": "*135#", "pattern": "number is (?P<number>[0-9 ]+)"}])


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[TestBank]:
    settings = {"MODEMBANK_SIMS__FORWARDING_FIRST_S": "0", "MODEMBANK_SIMS__NUMBER_RULES": NUMBER_RULES}
    async with start_bank(tmp_path, modems=2, settings=settings) as running:
        yield running
        await check_invariants(running)


async def sim_in(bank: TestBank, index: int) -> Json:
    iccid = (await bank.emulator.modem(index))["iccid"]
    sims = (await bank.get("/v1/sims"))["data"]
    return next(sim for sim in sims if sim["iccid"] == iccid)


async def becomes(bank: TestBank, sim_id: str, state: str) -> Json:
    async def look() -> Json | None:
        sim = await bank.get(f"/v1/sims/{sim_id}")
        return sim if sim["state"] == state else None

    return await until(look, what=f"{sim_id} to be {state}")


async def modembank(bank: TestBank, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        str(COMMAND),
        *arguments,
        env=os.environ | {"MODEMBANK_URL": bank.server.url, "MODEMBANK_API_KEY": bank.server.api_key, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def power_cycle(bank: TestBank, index: int) -> None:
    await bank.emulator.call("reset", modem=index)


async def test_a_card_is_opened_by_its_pin_and_after_a_wrong_one_by_a_person(bank: TestBank) -> None:
    sim = await sim_in(bank, 0)
    status, out, err = await modembank(bank, "sims", "pin", sim["iccid"], stdin=f"{PIN}\n")
    assert status == 0 and "PIN stored" in out, err
    key_file = bank.data_dir / "pin.keys"
    assert key_file.stat().st_mode & 0o077 == 0

    await bank.emulator.call("pin", modem=0, pin=PIN)  # locks now
    await until(lambda: _unlocked(bank, 0), what="the card to be opened")
    opened = await becomes(bank, sim["id"], "ready")
    assert opened["pin"] == {"state": "stored", "note": ""}

    await bank.emulator.call("pin", modem=0, pin=OTHER_PIN)  # the card has another PIN now
    locked = await until(lambda: _bad(bank, sim["id"]), what="the wrong PIN to be noticed")
    assert (locked["state"], locked["lock"]["pin_left"]) == ("sim_pin", 2)
    await power_cycle(bank, 0)
    await asyncio.sleep(1.5)
    again = await becomes(bank, sim["id"], "sim_pin")
    assert again["lock"] == {"kind": "pin", "pin_left": 2, "puk_left": 10}

    await bank.emulator.call("pin", modem=0, pin=OTHER_PIN, tries=0, puk=PUK)
    blocked = await becomes(bank, sim["id"], "sim_puk")
    assert blocked["lock"]["puk_left"] == 10
    assert "PUK tries left: 10" in (await modembank(bank, "sims"))[1]
    status, _, err = await modembank(bank, "sims", "puk", sim["id"], stdin="n\n")
    assert status != 0 and "Tries left: 10" in err
    status, _, err = await modembank(
        bank, "sims", "puk", sim["id"], "--confirm-tries", "10", "--store", stdin=f"{PUK}\n{PIN}\n"
    )
    assert status == 0, err
    assert (await becomes(bank, sim["id"], "ready"))["pin"]["state"] == "stored"
    everything = bank.server.log_text() + (bank.data_dir / "modembank.db").read_bytes().decode("latin-1")
    everything += json.dumps(await bank.get(f"/v1/modems/{opened['modem']['id']}/trace?limit=1000"))
    for secret in (PIN, OTHER_PIN, PUK):
        assert secret not in everything


async def _unlocked(bank: TestBank, index: int) -> bool | None:
    return (await bank.emulator.modem(index))["pin"] == "READY" or None


async def _bad(bank: TestBank, sim_id: str) -> Json | None:
    sim = await bank.get(f"/v1/sims/{sim_id}")
    return sim if sim["pin"]["state"] == "bad" and sim["lock"] and sim["lock"]["pin_left"] == 2 else None


async def test_a_forwarding_is_found_told_and_ended(bank: TestBank) -> None:
    sim, other = await sim_in(bank, 0), await sim_in(bank, 1)

    async def asked() -> bool | None:
        return (await bank.get(f"/v1/sims/{sim['id']}"))["forwarding"] == [] or None

    await until(asked, what="the network to be asked at bring-up")
    await bank.emulator.call("forward", modem=0, number=ELSEWHERE)
    told: list[Json] = []
    async with bank.watching(told):
        status, out, _ = await modembank(bank, "sims", "forwarding", sim["id"], "--check")
        assert (status, out) == (1, f"unconditional: {ELSEWHERE}\n")

        async def alarm() -> Json | None:
            return next((event for event in told if event["type"] == "sim.forwarding"), None)

        assert (await until(alarm, what="the alarm"))["data"]["active"] is True
    assert "CALLS ARE FORWARDED" in (await modembank(bank, "sims"))[1]
    status, out, _ = await modembank(bank, "sims", "forwarding", sim["id"], "--clear", "--json")
    assert (status, json.loads(out)["forwarding"]) == (0, [])

    call = await bank.dial(bank.parties["echo"], **{"from": other["id"]})
    await bank.wait_status(call["id"], "in_progress")
    refused = await bank.post(f"/v1/sims/{other['id']}/actions/check_forwarding", status=409)
    assert refused["code"] == "wrong_state"


async def test_a_roaming_sim_calls_only_when_it_may_and_a_denied_one_says_why(bank: TestBank) -> None:
    sim, other = await sim_in(bank, 0), await sim_in(bank, 1)
    await bank.emulator.call("registration", modem=1, stat=3, cause=11)
    denied = await becomes(bank, other["id"], "denied")
    assert "network not allowed (cause 11)" in denied["state_detail"]
    await bank.emulator.call("registration", modem=0, stat=5)

    async def roams() -> bool | None:
        return (await bank.get(f"/v1/sims/{sim['id']}"))["registration"] == "roaming" or None

    await until(roams, what="the SIM to roam")
    listed = (await modembank(bank, "sims"))[1].splitlines()
    assert next(line for line in listed if sim["id"] in line).rstrip().endswith("roaming")
    assert "network not allowed (cause 11)" in next(line for line in listed if other["id"] in line)
    problem = await bank.post("/v1/calls", {"to": bank.parties["echo"]}, status=503)
    assert problem["code"] == "no_sim_available" and problem["removed"]["roaming"] == 1
    status, _, err = await modembank(bank, "sims", "set", sim["id"], "--roaming", "--operator", "00101")
    assert status == 0, err
    call = await bank.dial(bank.parties["echo"])
    assert {count["name"] for count in call["why"]["filters"]} >= {"roaming", "operator"}
    await bank.wait_status(call["id"], "in_progress")
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    status, out, err = await modembank(bank, "sims", "operator", sim["id"], "00101")
    assert status == 0, err + out


async def test_the_history_shows_when_a_network_was_lost(bank: TestBank) -> None:
    sim = await sim_in(bank, 1)
    await bank.emulator.call("registration", modem=1, stat=3, cause=11)
    await becomes(bank, sim["id"], "denied")
    await bank.emulator.call("registration", modem=1, stat=1)
    await becomes(bank, sim["id"], "ready")
    for path in (f"/v1/sims/{sim['id']}/history", f"/v1/modems/{sim['modem']['id']}/history?step_s=60"):
        told = (await bank.get(path))["data"]
        assert "denied" in [moment["registration"] for moment in told]
        assert told[-1]["registration"] == "home"
    status, out, err = await modembank(bank, "sims", "history", sim["id"])
    assert status == 0 and "-> denied" in out, out + err


async def test_an_operator_is_asked_once_for_the_number_that_a_card_does_not_know(bank: TestBank) -> None:
    sim, other = await sim_in(bank, 0), await sim_in(bank, 1)
    await bank.emulator.call("ussd_script", modem=0, code="*135#", menu="Your number is 07700 900321.")
    await bank.emulator.call("ussd_script", modem=1, code="*135#", menu="Try again later.")
    for index in (0, 1):
        await bank.emulator.call("fault", modem=index, name="cnum_empty", value=True)
        await power_cycle(bank, index)
    await becomes(bank, sim["id"], "ready")
    await becomes(bank, other["id"], "ready")
    for one in (sim, other):  # as if the cards had never told
        status, _, err = await modembank(bank, "sims", "set", one["id"], "--number", "")
        assert status == 0, err

    async def told() -> Json | None:
        now = await bank.get(f"/v1/sims/{sim['id']}")
        return now if now["number"] else None

    found = await until(told, what="the operator to tell the number")
    assert (found["number"], found["number_source"]) == ("+447700900321", "ussd")

    async def sessions(one: Json) -> list[Json]:
        return [run for run in (await bank.get("/v1/ussd"))["data"] if run["sim"]["id"] == one["id"]]

    async def asked() -> bool | None:
        return len(await sessions(other)) == 1 or None

    await until(asked, what="the other SIM to be asked")
    await bank.server.kill()
    await bank.server.start()
    await bank.wait_ready(2)
    await asyncio.sleep(3)
    assert [len(await sessions(one)) for one in (sim, other)] == [1, 1]
    assert (await bank.get(f"/v1/sims/{other['id']}"))["number"] is None
    assert "900321" not in bank.server.log_text()
    call = await bank.dial(bank.parties["echo"], **{"from": "+447700900321"})
    assert call["sim"]["id"] == sim["id"]


async def lines_of(bank: TestBank, sim: Json, start: str) -> list[str]:
    trace = (await bank.get(f"/v1/modems/{sim['modem']['id']}/trace?limit=1000"))["data"]
    return [line["text"] for line in trace if line["out"] and line["text"].startswith(start)]


async def ask_slowly(bank: TestBank, sim: Json, delay_s: float) -> asyncio.Task[Json]:
    """Have modem 0 ask for forwarding, which its network answers late."""
    before = len(await lines_of(bank, sim, "AT+CCFC"))
    await bank.emulator.call("fault", modem=0, name="ccfc_s", value=delay_s)
    check = asyncio.create_task(bank.post(f"/v1/sims/{sim['id']}/actions/check_forwarding", status=409))

    async def out() -> bool | None:
        return len(await lines_of(bank, sim, "AT+CCFC")) > before or None

    await until(out, what="the question to be out")
    return check


async def test_a_slow_network_that_is_asked_about_forwarding_fails_no_call(bank: TestBank) -> None:
    sim, other = await sim_in(bank, 0), await sim_in(bank, 1)

    async def asked() -> bool | None:
        return (await bank.get(f"/v1/sims/{sim['id']}"))["forwarding"] == [] or None

    await until(asked, what="the network to be asked at bring-up")
    asked_before = len(await lines_of(bank, sim, "AT+CCFC"))
    check = await ask_slowly(bank, sim, 4)
    call = await bank.dial(bank.parties["echo"], **{"from": sim["id"]})
    assert (await check)["code"] == "wrong_state"
    await bank.wait_status(call["id"], "in_progress")
    assert len(await lines_of(bank, sim, "AT+CCFC")) == asked_before + 1, "the call waited for more than one question"
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")

    newer = await bank.dial(bank.parties["echo"], **{"from": other["id"]})  # so that `sim` is the least recently used
    await bank.wait_status(newer["id"], "in_progress")
    await bank.post(f"/v1/calls/{newer['id']}/actions/hangup")
    await bank.wait_ready(2)

    dials = len(await lines_of(bank, sim, "ATD"))
    check = await ask_slowly(bank, sim, 16)
    refusal, elsewhere = await asyncio.gather(
        bank.post("/v1/calls", {"to": bank.parties["echo"], "from": sim["id"]}, status=503),
        bank.dial(bank.parties["echo"]),
    )
    assert not check.done() and len(await lines_of(bank, sim, "ATD")) == dials
    assert refusal["code"] == "line_busy"
    assert (await bank.get(f"/v1/calls/{refusal['call_id']}"))["hangup"]["cause"] == "congestion"
    assert elsewhere["sim"]["id"] == other["id"]
    assert (await check)["code"] == "wrong_state"
    again = await bank.dial(bank.parties["echo"], **{"from": sim["id"]})
    await bank.wait_status(again["id"], "in_progress")

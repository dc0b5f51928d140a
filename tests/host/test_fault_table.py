"""The fault table, rows 1 to 17: what a rack suffers, and what must follow, with the invariants after each.

One server and one rack for all rows; each row has modems of its own. Row 14 takes a whole hub.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from modembank.at.command import PING
from modembank.errors import PortLostError
from modembank.tty.backends import PortOpener
from modembank.tty.channel import AtChannel
from modembank.tty.discovery import survey
from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.healing import PATIENCE, modem_at, place_of, poke, wait_state, wait_told
from tests.support.invariants import check_invariants
from tests.support.pty_port import Pty

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEMS = 21
HUB = range(7, 14)  # the seven ports of hub 1-1.2
ROW = {number: index for index, number in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15))}
ROW = {number: index if index < HUB.start else index + len(HUB) for number, index in ROW.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    folder = tmp_path_factory.mktemp("faults")
    async with start_bank(folder, modems=MODEMS, settings=PATIENCE, party_speed=10) as running:
        yield running


async def _dial(bank: TestBank, index: int, party: str = "echo") -> Json:
    sim = (await modem_at(bank, index))["sim"]
    return await bank.dial(bank.parties[party], **{"from": sim["id"]})


async def _talking(bank: TestBank, index: int) -> Json:
    call = await _dial(bank, index)
    return await bank.wait_status(call["id"], "in_progress")


async def _talks_and_ends(bank: TestBank, index: int) -> None:
    call = await _talking(bank, index)
    await bank.post(f"/v1/calls/{call['id']}/actions/hangup")
    ended = await bank.wait_status(call["id"], "completed")
    assert ended["hangup"]["cause"] == "normal_clearing"


async def _ask(bank: TestBank, index: int, line: str) -> tuple[int, Json]:
    modem = await modem_at(bank, index)
    async with bank.client() as client:
        answer = await client.post(f"/v1/modems/{modem['id']}/at", json={"line": line})
    return answer.status_code, answer.json()


async def _fault(bank: TestBank, index: int, name: str, value: object) -> None:
    await bank.emulator.call("fault", modem=index, name=name, value=value)


async def test_row_01_the_tty_disappears_in_a_call(bank: TestBank) -> None:
    one = ROW[1]
    before = await modem_at(bank, one)
    call = await _talking(bank, one)
    await bank.emulator.call("drop", modem=one)
    ended = await bank.wait_status(call["id"], "failed")
    assert ended["hangup"]["cause"] == "modem_lost"
    await wait_state(bank, one, "lost")
    sim = await bank.get(f"/v1/sims/{before['sim']['id']}")
    assert sim["state"] == "absent"
    await bank.emulator.call("readd", modem=one)
    after = await wait_state(bank, one, "ready")
    assert after["id"] == before["id"]
    assert after["sim"]["id"] == before["sim"]["id"]
    await check_invariants(bank)


async def test_row_02_the_modem_hangs_in_a_call(bank: TestBank) -> None:
    two, events = ROW[2], list[Json]()
    async with bank.watching(events):
        call = await _talking(bank, two)
        await _fault(bank, two, "stuck", "restart")
        ended = await bank.wait_status(call["id"], "failed")
        assert ended["hangup"]["cause"] in {"modem_lost", "modem_failed"}
        await wait_told(events, await place_of(bank, two), "modem.healed")
    await wait_state(bank, two, "ready")
    await check_invariants(bank)


async def test_row_03_a_late_answer_satisfies_nobody(bank: TestBank) -> None:
    three = ROW[3]  # the console waits for 30 s, here a tenth of that
    await _fault(bank, three, "delay_reply_s", 3.3)
    status, problem = await _ask(bank, three, "AT+CSQ")
    assert status != 200
    assert problem["code"] == "at_timeout"
    assert await _ask(bank, three, "AT+CGMM") == (200, {"lines": ["EC25"]})
    await _talks_and_ends(bank, three)
    await check_invariants(bank)


async def test_row_04_garbage(bank: TestBank) -> None:
    four = ROW[4]
    await _fault(bank, four, "break_how", "garbage")
    await _fault(bank, four, "break_at", 1)
    await poke(bank, four)
    assert (await _ask(bank, four, "AT+CGMM"))[1] == {"lines": ["EC25"]}
    await _talks_and_ends(bank, four)
    await check_invariants(bank)


async def test_row_05_lines_in_pieces(bank: TestBank) -> None:
    five = ROW[5]
    for name in ("urc_split", "double_cr", "odd_reads"):
        await _fault(bank, five, name, True)
    await _talks_and_ends(bank, five)
    await check_invariants(bank)


async def test_row_06_a_flood_drowns_no_call_line(bank: TestBank) -> None:
    """Below what counts as a flood (see test_healing), status lines by the hundred, and the call's own among them."""
    six = ROW[6]
    await _fault(bank, six, "urc_flood", 150.0)
    await asyncio.gather(_talks_and_ends(bank, six), _talks_and_ends(bank, ROW[5]))
    await _fault(bank, six, "urc_flood", 0.0)
    await check_invariants(bank)


async def test_row_07_lines_of_others_inside_answers(bank: TestBank) -> None:
    seven = ROW[7]
    for name in ("urc_inside_answer", "late_no_carrier"):
        await _fault(bank, seven, name, True)
    for _ in range(2):  # the NO CARRIER of the first call comes into the second
        await _talks_and_ends(bank, seven)
    await check_invariants(bank)


async def test_row_08_stuck_in_the_prompt_of_a_message(bank: TestBank) -> None:
    eight = ROW[8]
    sim = (await modem_at(bank, eight))["sim"]["id"]
    await _fault(bank, eight, "prompt_missing", 1)
    body = {"to": bank.parties["sms_silent"], "text": "one", "from": sim}
    first = await bank.post("/v1/messages", body, status=201)

    async def settled() -> Json | None:
        message = await bank.get(f"/v1/messages/{first['id']}")
        return message if message["status"] in {"sent", "failed", "unknown"} else None

    await until(settled, what="the message whose prompt never came", limit_s=60)
    await wait_state(bank, eight, "ready")
    await _talks_and_ends(bank, eight)
    await check_invariants(bank)


async def test_row_09_messages_that_look_like_results(bank: TestBank) -> None:
    nine = ROW[9]
    sim = (await modem_at(bank, nine))["sim"]["id"]
    texts = ["OK", "RING", '+CMTI: "ME",1', "NO CARRIER"]
    for text in texts:
        await bank.emulator.call("sms", to=nine, text=text)

    async def received() -> bool | None:
        found = (await bank.get(f"/v1/messages?sim_id={sim}&direction=inbound"))["data"]
        return sorted(one["text"] for one in found) == sorted(texts) or None

    await until(received, what="the four messages", limit_s=60)
    assert (await modem_at(bank, nine))["state"] == "ready"
    await _talks_and_ends(bank, nine)
    await check_invariants(bank)


async def test_row_10_the_sim_is_taken_out_and_another_put_in(bank: TestBank) -> None:
    ten, donor = ROW[10], ROW[11]
    before = (await modem_at(bank, ten))["sim"]
    first = before["id"]
    await bank.emulator.call("remove_sim", modem=ten)
    await wait_state(bank, ten, "no_sim")
    assert (await bank.get(f"/v1/sims/{first}"))["state"] == "absent"
    other = (await bank.emulator.call("remove_sim", modem=donor))["iccid"]
    await bank.emulator.call("insert_sim", modem=ten, iccid=other)
    after = await wait_state(bank, ten, "ready")
    assert after["sim"]["iccid"] == other
    refused = await bank.post("/v1/calls", {"to": bank.parties["echo"], "from": first}, status=503)
    assert refused["code"] == "no_sim_available"
    await _talks_and_ends(bank, ten)
    await bank.emulator.call("insert_sim", modem=donor, iccid=before["iccid"])
    assert (await wait_state(bank, donor, "ready"))["sim"]["id"] == first
    await check_invariants(bank)


async def test_row_11_a_pin_is_never_tried_by_itself(bank: TestBank) -> None:
    eleven = ROW[11]
    await bank.emulator.call("pin", modem=eleven, pin="4711", tries=2)
    locked = await wait_state(bank, eleven, "sim_locked")
    assert locked["healing"] is None, "a person's task is no trouble to heal"
    log = (await bank.emulator.call("at_log", modem=eleven, limit=500))["lines"]
    assert isinstance(log, list)
    assert not any("+CPIN=" in line["bytes"] for line in log if line["direction"] == "received")
    await bank.emulator.call("pin", modem=eleven, pin="")
    await wait_state(bank, eleven, "ready")
    await check_invariants(bank)


async def test_row_12_registration_denied_and_back(bank: TestBank) -> None:
    twelve = ROW[12]
    sim = (await modem_at(bank, twelve))["sim"]["id"]
    await bank.emulator.call("registration", modem=twelve, stat=3)
    await wait_state(bank, twelve, "denied")
    refused = await bank.post("/v1/calls", {"to": bank.parties["echo"], "from": sim}, status=503)
    assert refused["code"] == "no_sim_available"
    await bank.emulator.call("registration", modem=twelve, stat=1)
    await wait_state(bank, twelve, "ready")
    await _talks_and_ends(bank, twelve)
    await check_invariants(bank)


async def test_row_13_the_modem_restarts_by_itself_in_a_call(bank: TestBank) -> None:
    thirteen = ROW[13]
    call = await _talking(bank, thirteen)
    await bank.emulator.call("reset", modem=thirteen)
    ended = await bank.wait_status(call["id"], "failed")
    assert ended["hangup"]["cause"] in {"modem_lost", "modem_failed"}
    await wait_state(bank, thirteen, "lost", "opening", "starting")
    await wait_state(bank, thirteen, "ready")
    await check_invariants(bank)


async def test_row_14_a_hub_loses_its_power(bank: TestBank) -> None:
    """One incident, not seven. Two modems do not come back with it: their port's power is switched, which helps."""
    events: list[Json] = []
    async with bank.watching(events):
        calls = await asyncio.gather(*(_talking(bank, index) for index in list(HUB)[:3]))
        await asyncio.gather(*(bank.emulator.call("drop", modem=index) for index in HUB))
        for call in calls:
            ended = await bank.wait_status(call["id"], "failed")
            assert ended["hangup"]["cause"] == "modem_lost"

        async def incident(kind: str) -> Json | None:
            return next((event["data"] for event in events if event["type"] == kind), None)

        began = await until(lambda: incident("host.incident"), what="the incident")
        assert began["hub"] == "1-1.2"
        assert len(began["modems"]) == len(HUB)
        late = list(HUB)[-2:]
        for index in HUB:
            if index not in late:
                await bank.emulator.call("readd", modem=index)
        over = await until(lambda: incident("host.incident_over"), what="the end of the incident")
        assert over["missing"] == [await place_of(bank, index) for index in late]
        for index in HUB:
            await wait_state(bank, index, "ready")
        assert sum(event["type"] == "host.incident" for event in events) == 1
        tried = {event["data"]["modem"]["usb_path"] for event in events if event["type"] == "modem.healing"}
        assert tried == set(over["missing"]), "only those that were missing were touched"
    await check_invariants(bank)


async def test_row_15_other_tty_numbers(bank: TestBank) -> None:
    fifteen = ROW[15]
    before = await modem_at(bank, fifteen)
    await bank.emulator.call("drop", modem=fifteen)
    await bank.emulator.call("readd", modem=fifteen)

    async def renumbered() -> Json | None:
        modem = await modem_at(bank, fifteen)
        return modem if modem["state"] == "ready" and modem["at_port"] != before["at_port"] else None

    after = await until(renumbered, what="the modem under other numbers", limit_s=60)
    assert (after["id"], after["sim"]["id"]) == (before["id"], before["sim"]["id"])
    await _talks_and_ends(bank, fifteen)
    await check_invariants(bank)


async def test_row_16_a_device_without_endpoints_is_named(bank: TestBank) -> None:
    """A controller that has no endpoints left leaves a device without interfaces; so does a logged-off one."""
    spare = ROW[9]
    place = await place_of(bank, spare)
    switch = bank.emulator.sys / "bus" / "usb" / "devices" / place / "authorized"
    switch.write_text("0")
    await wait_state(bank, spare, "lost")
    problems = {one.usb_path: one.advice for one in survey(bank.emulator.sys, bank.emulator.dev).problems}
    assert "serial port" in problems[place]
    switch.write_text("1")
    await wait_state(bank, spare, "ready")
    await check_invariants(bank)


async def test_row_17_more_than_1023_files() -> None:
    pty_port = Pty()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= 2048
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    null = os.open("/dev/null", os.O_RDONLY)
    held = [os.dup(null) for _ in range(1100)]

    class Sink:
        def urc_received(self, line: str) -> None:
            """Not looked at."""

        def channel_lost(self, error: PortLostError) -> None:
            raise AssertionError(error)

    try:
        assert held[-1] > 1023
        channel = await AtChannel.open(PortOpener(), pty_port.path, Sink())
        for _ in range(20):
            assert await channel.run(PING) == ()
        await channel.close()
    finally:
        for one in (*held, null):
            os.close(one)
        pty_port.vanish()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

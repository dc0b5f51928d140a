"""Messages and USSD from the REST front door to emulated modems and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.bank import Json, TestBank, start_bank, until
from tests.support.databases import outage
from tests.support.invariants import check_invariants

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAR = "+447700900950"
SECRET = "one-time code 4711 for nobody else"
RULE = {"plmn": "00101", "code": "*100#", "pattern": "balance is £(?P<amount>[0-9.]+)", "unit": "GBP"}
SETTINGS = {
    "MODEMBANK_USSD__CODES": json.dumps(["*100#", "*123#"]),
    "MODEMBANK_BALANCE__RULES": json.dumps([RULE]),
    "MODEMBANK_MESSAGES__RETRY_S": "0.2",
    "MODEMBANK_MESSAGES__PARTIAL_AFTER_S": "2",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestBank]:
    """Two modems with messages; what was written to the log is looked at in the end."""
    async with start_bank(tmp_path_factory.mktemp("bank"), modems=2, settings=SETTINGS, party_speed=10) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bank(shared_bank: TestBank) -> AsyncIterator[TestBank]:
    """No fault outlives its test, and no text gets into the log (I7)."""
    yield shared_bank
    for index in range(2):
        for name, value in (("sms_send_s", 0.2), ("slow_s", 0), ("sms_capacity", 0), ("sms_twice", False)):
            await shared_bank.emulator.call("fault", modem=index, name=name, value=value)
    await shared_bank.wait_ready(2)
    await check_invariants(shared_bank)
    assert SECRET not in shared_bank.server.log_text(), "I7: a text stands in the log"


async def sim_of(bank: TestBank, index: int) -> Json:
    number = f"+4477009{index:05d}"
    return next(sim for sim in (await bank.get("/v1/sims"))["data"] if sim["number"] == number)


async def inbound(bank: TestBank, sender: str) -> list[Json]:
    return (await bank.get(f"/v1/messages?direction=inbound&number={sender.replace('+', '%2B')}&limit=500"))["data"]


async def arrived(bank: TestBank, sender: str, count: int) -> list[Json]:
    async def look() -> list[Json] | None:
        found = await inbound(bank, sender)
        done = [message for message in found if message["status"] == "received"]
        return found if len(done) >= count else None

    return await until(look, what=f"{count} messages")


async def reached(bank: TestBank, message_id: str, *statuses: str) -> Json:
    async def look() -> Json | None:
        message = await bank.get(f"/v1/messages/{message_id}")
        return message if message["status"] in statuses else None

    return await until(look, what=f"{message_id} to be {statuses}")


async def stored(bank: TestBank, index: int) -> list[Json]:
    return list((await bank.emulator.call("sms_store", modem=index))["messages"])


async def emptied(bank: TestBank, index: int) -> None:
    async def look() -> bool | None:
        return not await stored(bank, index) or None

    await until(look, what="the card to be emptied", limit_s=60)


async def seen(bank: TestBank, text: str) -> int:
    """How often the network took this text."""
    return [one["text"] for one in (await bank.emulator.call("sms_sent", number=FAR))["messages"]].count(text)


async def test_there_and_back_with_a_delivery_report(bank: TestBank) -> None:
    events: list[Json] = []
    async with bank.watching(events):
        sent = await bank.post("/v1/messages", {"to": bank.parties["sms_echo"], "text": f"{SECRET} 😀"}, status=201)
        done = await reached(bank, sent["id"], "delivered")
        (echo,) = await arrived(bank, bank.parties["sms_echo"], 1)
    assert (done["encoding"], done["sim"]["id"], done["delivery_report"]) == ("ucs2", echo["sim"]["id"], True)
    assert (echo["text"], echo["from"]) == (f"{SECRET} 😀", bank.parties["sms_echo"])
    kinds = [event["type"] for event in events if event["type"].startswith("sms.")]
    assert sorted(kinds) == ["sms.delivered", "sms.queued", "sms.received", "sms.sent"]
    told = [event["sequence"] for event in events if event["data"].get("message", {}).get("id") == sent["id"]]
    assert told == [1, 2, 3]


async def test_one_sim_writes_to_another_and_long_texts_are_whole(bank: TestBank) -> None:
    text = "A long text [with] brackets€ " * 20
    first, second = await sim_of(bank, 0), await sim_of(bank, 1)
    sent = await bank.post("/v1/messages", {"to": second["number"], "from": first["id"], "text": text}, status=201)
    (message,) = await arrived(bank, first["number"], 1)
    assert (message["text"], message["parts"]["total"]) == (text, sent["parts"]["total"])
    await reached(bank, sent["id"], "delivered")


async def test_parts_shuffled_repeated_and_lost(bank: TestBank) -> None:
    sender, text = "+447700900931", "shuffled " * 40
    await bank.emulator.call("sms", to=0, text=text, **{"from": sender, "parts": [3, 1, 3, 2, 1]})
    (message,) = await arrived(bank, sender, 1)
    assert (message["text"], message["parts"]) == (text, {"total": 3, "done": 3})
    events: list[Json] = []
    lost = "+447700900932"
    async with bank.watching(events):
        await bank.emulator.call("sms", to=0, text=text, **{"from": lost, "parts": [3, 1], "ref": 77})

        async def told() -> Json | None:
            return next((one["data"]["message"] for one in events if one["type"] == "sms.partial"), None)

        partial = await until(told, what="sms.partial")
    assert (partial["status"], "[…]" in partial["text"]) == ("partial", True)
    await bank.emulator.call("sms", to=0, text=text, **{"from": lost, "parts": [2], "ref": 77})
    assert [one["text"] for one in await arrived(bank, lost, 1)] == [text]


async def test_repeated_deliveries_and_flash(bank: TestBank) -> None:
    sender = "+447700900933"
    await bank.emulator.call("fault", modem=1, name="sms_twice", value=True)
    await bank.emulator.call("sms", to=1, text="twice", **{"from": sender})
    await bank.emulator.call("sms", to=1, text="at once", flash=True, **{"from": sender})
    messages = await arrived(bank, sender, 2)
    await emptied(bank, 1)
    assert {(one["text"], one["flash"]) for one in await inbound(bank, sender)} == {("twice", False), ("at once", True)}
    assert len(messages) == 2


async def test_a_full_store_is_told_of_and_drained(bank: TestBank) -> None:
    sender = "+447700900934"
    await bank.server.stop()
    await bank.emulator.call("fault", modem=0, name="sms_capacity", value=5)
    for place in range(12):
        await bank.emulator.call("sms", to=0, text=f"m{place}", **{"from": sender})

    async def full() -> bool | None:
        return len(await stored(bank, 0)) == 5 or None

    await until(full, what="the store to be full")
    await bank.server.start()
    messages = await arrived(bank, sender, 12)
    assert sorted(one["text"] for one in messages) == sorted(f"m{place}" for place in range(12))
    async with bank.client() as client:
        answer = await client.get("/v1/messages?limit=1")
    assert answer.status_code == 200
    await emptied(bank, 0)
    assert "store ME is full" in bank.server.log_text()


async def test_killed_between_reading_and_committing(bank: TestBank) -> None:
    sender = "+447700900935"
    url = f"sqlite+aiosqlite:///{bank.data_dir / 'modembank.db'}"
    with outage(url):  # it is read, and cannot be written down
        await bank.emulator.call("sms", to=0, text="survives", **{"from": sender})
        await asyncio.sleep(1)
        assert len(await stored(bank, 0)) == 1, "nothing is deleted that is not on record"
        await bank.server.kill()
    await bank.server.start()
    messages = await arrived(bank, sender, 1)
    await emptied(bank, 0)
    assert [one["text"] for one in messages] == ["survives"]


async def test_killed_between_committing_and_deleting(bank: TestBank) -> None:
    sender = "+447700900936"
    await bank.emulator.call("fault", modem=0, name="slow_s", value=1.5)
    await bank.emulator.call("sms", to=0, text="once", **{"from": sender})
    await arrived(bank, sender, 1)
    await bank.server.kill()
    assert len(await stored(bank, 0)) == 1, "this test is about the moment before the deletion"
    await bank.emulator.call("fault", modem=0, name="slow_s", value=0)
    await bank.server.start()
    await emptied(bank, 0)
    assert [one["text"] for one in await inbound(bank, sender)] == ["once"]


@pytest.mark.parametrize(("report", "end"), [(False, "unknown"), (True, "delivered")])
async def test_killed_while_the_network_has_it(bank: TestBank, report: bool, end: str) -> None:
    """Unknown, and never sent again; only a delivery report can tell more."""
    text = f"in doubt {report}"
    sim = await sim_of(bank, 1)
    await bank.emulator.call("fault", modem=1, name="sms_send_s", value=4)
    sent = await bank.post(
        "/v1/messages", {"to": FAR, "text": text, "from": sim["id"], "delivery_report": report}, status=201
    )

    async def taken() -> bool | None:
        return await seen(bank, text) == 1 or None

    await until(taken, what="the network to have it")
    await bank.server.kill()
    await bank.server.start()
    done = await reached(bank, sent["id"], end)
    assert "unknown" in [step["status"] for step in done["history"]]
    await asyncio.sleep(2)
    assert await seen(bank, text) == 1, "the network saw it once"


async def test_a_refused_message_fails_with_its_cause(bank: TestBank) -> None:
    sent = await bank.post("/v1/messages", {"to": bank.parties["sms_fail"], "text": "no"}, status=201)
    done = await reached(bank, sent["id"], "failed")
    assert (done["cms"], done["attempts"]) == (38, 4)
    assert "network out of order" in done["detail"]


async def test_ussd_menu_balance_and_refusals(bank: TestBank) -> None:
    session = await bank.post("/v1/ussd", {"code": "*123#"}, status=201, key="menu-1")
    assert session["status"] == "waiting"
    again = await bank.post("/v1/ussd", {"code": "*123#"}, status=201, key="menu-1")
    assert again["id"] == session["id"]
    answered = await bank.post(f"/v1/ussd/{session['id']}/actions/answer", {"text": "1"})
    assert (answered["status"], answered["text"]) == ("done", "Your balance is £12.34. Thank you!")
    assert [turn["text"] for turn in answered["turns"] if turn["out"]] == ["*123#", "1"]
    sim = await sim_of(bank, 0)
    read = await bank.post(f"/v1/sims/{sim['id']}/balance")
    assert (read["balance"]["amount"], read["balance"]["unit"]) == ("12.34", "GBP")
    for code in ("**21*07700900901#", "*#06#", "*101#"):
        refused = await bank.post("/v1/ussd", {"code": code}, status=403)
        assert refused["code"] == "ussd_refused"
    open_one = await bank.post("/v1/ussd", {"code": "*123#", "from": sim["id"]}, status=201)
    busy = await bank.post("/v1/ussd", {"code": "*100#", "from": sim["id"]}, status=409)
    assert busy["code"] == "wrong_state"
    ended = await bank.post(f"/v1/ussd/{open_one['id']}/actions/cancel")
    assert ended["status"] == "canceled"
    one_shots = [bank.post("/v1/ussd", {"code": "*100#", "from": sim["id"]}, status=201) for _ in range(3)]
    assert {one["status"] for one in await asyncio.gather(*one_shots)} == {"done"}

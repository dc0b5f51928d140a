"""Two lines, real or emulated: bring-up, identity, signal, messages, service codes, reset. No call is made here."""

from __future__ import annotations

import secrets

import pytest

from modembank.errors import NotInRackError
from modembank.selftest.rack import RackSim
from tests.hil.bench import Bench
from tests.support.bank import Json, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

MESSAGE_LIMIT_S = 180.0
STRANGER = "+447700900999"


async def test_both_lines_become_ready_and_have_a_voice(bench: Bench) -> None:
    for member in (bench.a, bench.b):
        modem = await bench.modem(member)
        assert modem["voice"], modem["state_detail"]
        assert modem["audio_port"]


async def test_identity(bench: Bench) -> None:
    found = [await bench.modem(member) for member in (bench.a, bench.b)]
    for member, modem in zip((bench.a, bench.b), found, strict=True):
        assert modem["imei"].isdigit()
        assert len(modem["imei"]) == 15
        assert modem["model"]
        assert modem["revision"]
        sim = await bench.sim(member)
        assert sim is not None
        assert 18 <= len(sim["iccid"]) <= 20
        assert member.iccid in (None, sim["iccid"])
        assert sim["imsi"] is None or 14 <= len(sim["imsi"]) <= 15
    assert found[0]["usb_path"] != found[1]["usb_path"]


async def test_signal_and_registration(bench: Bench) -> None:
    for member in (bench.a, bench.b):

        async def look(member: RackSim = member) -> Json | None:
            modem = await bench.modem(member)
            return modem if modem["rssi_dbm"] is not None else None

        modem = await until(look, what="the signal", limit_s=60)
        assert -113 <= modem["rssi_dbm"] <= -51
        assert modem["registration"] in ("home", "roaming")
        assert modem["operator"] or modem["plmn"]


async def test_a_message_from_a_to_b(bench: Bench) -> None:
    word = secrets.token_hex(4)
    text = f"modembank test {word}"
    sent = await bench.text(bench.a, bench.b.number, text)

    async def has_it() -> Json | None:
        listed = await bench.bank.get("/v1/messages?direction=inbound&limit=50")
        return next((one for one in listed["data"] if word in (one["text"] or "")), None)

    async def left() -> Json | None:
        message = await bench.bank.get(f"/v1/messages/{sent['id']}")
        return message if message["status"] not in ("queued", "sending") else None

    told = await until(left, what="the message to leave", limit_s=MESSAGE_LIMIT_S)
    assert told["status"] in ("sent", "delivered"), told["detail"]
    got = await until(has_it, what="the message to arrive", limit_s=MESSAGE_LIMIT_S)
    receiver = await bench.sim(bench.b)
    assert receiver is not None
    assert (got["text"], got["sim"]["id"]) == (text, receiver["id"])
    assert got["from"] == bench.a.number


async def test_a_service_code_is_answered(bench: Bench) -> None:
    for member in (bench.a, bench.b):
        if member.ussd is not None:
            sim = await bench.ready(member)
            answer = await bench.bank.post("/v1/ussd", {"code": member.ussd, "from": sim["id"]}, status=201)
            assert answer["status"] in ("done", "waiting", "completed"), answer
            if answer["status"] == "waiting":
                await bench.bank.post(f"/v1/ussd/{answer['id']}/actions/cancel")


async def test_what_is_not_in_the_rack_file_is_refused_before_anything_is_sent(bench: Bench) -> None:
    calls = (await bench.bank.get("/v1/calls"))["data"]
    messages = (await bench.bank.get("/v1/messages"))["data"]
    used = bench.budget.spent()
    with pytest.raises(NotInRackError):
        async with bench.calling(bench.a, STRANGER):
            pytest.fail("a number that is not in the file was dialled")
    with pytest.raises(NotInRackError):
        await bench.text(bench.a, STRANGER, "no")
    assert (await bench.bank.get("/v1/calls"))["data"] == calls
    assert (await bench.bank.get("/v1/messages"))["data"] == messages
    assert bench.budget.spent() == used


async def test_a_modem_that_is_reset_comes_back(bench: Bench) -> None:
    modem = await bench.modem(bench.b)
    before = await bench.bank.get(f"/v1/modems/{modem['id']}")
    async with bench.bank.client() as client:
        # The modem may be gone before it has answered; what counts is that it goes and comes.
        await client.post(f"/v1/modems/{modem['id']}/at", json={"line": "AT+CFUN=1,1", "unrestricted": True})

    async def gone() -> bool | None:
        sim = await bench.sim(bench.b)
        return sim is None or sim["state"] != "ready" or None

    await until(gone, what="the modem to go", limit_s=60)
    sim = await bench.ready(bench.b)
    after = await bench.bank.get(f"/v1/modems/{sim['modem']['id']}")
    assert (after["imei"], after["usb_path"]) == (before["imei"], before["usb_path"])
    async with bench.bank.client() as client:
        answer = await client.post(f"/v1/modems/{after['id']}/at", json={"line": "AT+CSQ"})
    assert answer.status_code == 200, answer.text

"""Messages and USSD at the front door: requests, lists, and who may read a text."""

from __future__ import annotations

import pytest

from modembank.config import UssdSettings
from tests.support.api import eventually, take

SECRET = "4711 is your code"


async def send(api, **fields):
    answer = await api.client.post("/v1/messages", json={"to": api.number, "text": SECRET, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def sent(api, message_id):
    async def ask():
        return (await api.client.get(f"/v1/messages/{message_id}")).json()

    return await eventually(ask, lambda message: message["status"] == "sent")


async def test_a_message_is_queued_followed_and_listed(api):
    async with api.sse() as events:
        message = await send(api, **{"from": "+447700900001", "metadata": {"order": "12"}})
        told = await take(events, "sms.sent")
    assert (message["status"], message["to"], message["metadata"]) == ("queued", api.number, {"order": "12"})
    assert told["data"]["message"]["id"] == message["id"]
    done = await sent(api, message["id"])
    assert [step["status"] for step in done["history"]] == ["queued", "sending", "sent"]
    listed = (await api.client.get("/v1/messages", params={"direction": "outbound", "status": "sent"})).json()
    assert [one["id"] for one in listed["data"]] == [message["id"]]
    assert (await api.client.get("/v1/messages", params={"number": "+447700900999"})).json()["data"] == []


async def test_one_key_one_message(api):
    headers = {"Idempotency-Key": "order-12"}
    body = {"to": api.number, "text": "once"}
    first = await api.client.post("/v1/messages", json=body, headers=headers)
    again = await api.client.post("/v1/messages", json=body, headers=headers)
    assert (first.json()["id"], again.headers["Idempotent-Replayed"]) == (again.json()["id"], "true")
    assert first.headers["Location"] == f"/v1/messages/{first.json()['id']}"
    other = await api.client.post("/v1/messages", json={**body, "text": "other"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    call = await api.client.post("/v1/calls", json={"to": api.number}, headers=headers)
    assert call.json()["code"] == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"to": "999"}, 403, "emergency_number"),
        ({"to": "12345"}, 422, "invalid_number"),
        ({"text": ""}, 422, "validation_failed"),
        ({"text": "a\x00b"}, 422, "validation_failed"),
        ({"text": "x" * 2000}, 422, "sms_format"),
        ({"text": "漢", "encoding": "gsm7"}, 422, "sms_format"),
        ({"pool": "nobody"}, 503, "no_sim_available"),
        ({"validity_s": 1}, 422, "validation_failed"),
    ],
)
async def test_what_cannot_be_sent(api, fields, status, code):
    answer = await api.client.post("/v1/messages", json={"to": api.number, "text": "hello", **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await api.client.get("/v1/messages")).json()["data"] == []


async def test_only_a_key_with_the_scope_reads_texts(api):
    message = await send(api)
    await sent(api, message["id"])
    _, blind = await api.bank.keys.create_key("blind", ("sms:read", "sms:send", "events:read", "ussd:run"))
    async with api.anonymous() as client:
        headers = {"Authorization": f"Bearer {blind}"}
        for path in ("/v1/messages", f"/v1/messages/{message['id']}"):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 200
            assert SECRET not in answer.text
        async with client.sse("/v1/events", headers=headers) as source:
            await send(api)
            async for line in source:
                event = line.json()
                if event["type"] == "sms.sent":
                    break
        assert (event["data"]["message"]["text"], event["data"]["message"]["to"]) == (None, api.number)
    assert (await api.client.get(f"/v1/messages/{message['id']}")).json()["text"] == SECRET


async def test_ussd_is_refused_unless_it_is_allowed(api):
    refused = await api.client.post("/v1/ussd", json={"code": "*100#"})
    assert (refused.status_code, refused.json()["code"]) == (403, "ussd_refused")
    assert "ussd.codes" in refused.json()["detail"]
    api.bank.ussd._codes = UssdSettings(codes=("*100#",)).codes
    done = await api.client.post("/v1/ussd", json={"code": "*100#"})
    assert (done.status_code, done.json()["status"]) == (201, "done")
    assert done.json()["text"] == "Your balance is £12.34."
    listed = (await api.client.get("/v1/ussd")).json()["data"]
    assert [one["id"] for one in listed] == [done.json()["id"]]
    over = await api.client.post(f"/v1/ussd/{done.json()['id']}/actions/answer", json={"text": "1"})
    assert (over.status_code, over.json()["code"]) == (409, "wrong_state")
    nothing = await api.client.post(f"/v1/sims/{listed[0]['sim']['id']}/balance")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")

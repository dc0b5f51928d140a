"""Texts that UTF-8 cannot carry: refused at the door, and harmless where one is inside already."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from modembank.bank.records import DialRequest
from tests.support.api import take

HALF = b"cut \\ud83d"  # JSON's spelling of the first half of a surrogate pair
DIALS = [
    b'{"to":"07700900904","metadata":{"a":"%b"}}',
    b'{"to":"07700900904","metadata":{"%b":"a"}}',
    b'{"to":"07700900904","from":"%b"}',
    b'{"to":"07700900904","pool":"%b"}',
    b'{"to":"07700900904%b"}',
    b'{"to":"07700900904","%b":1}',
    b'{"to":"07700900904","webrtc":{"type":"offer","sdp":"%b"}}',
]


@pytest.mark.parametrize("body", DIALS)
async def test_half_a_surrogate_pair_is_refused_and_nothing_is_dialled(api, body):
    refused = await api.post_json(body % HALF)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed"), refused.text
    assert (await api.client.get("/v1/calls")).json()["data"] == []
    assert api.host.commands == []


@pytest.mark.parametrize("field", [b'"label":"%b"', b'"notes":"%b"', b'"number":"%b"', b'"tags":["%b"]'])
@pytest.mark.parametrize("kind", ["sims", "modems"])
async def test_half_a_surrogate_pair_is_no_label(api, kind, field):
    before = (await api.client.get(f"/v1/{kind}")).json()["data"][0]
    refused = await api.client.patch(
        f"/v1/{kind}/{before['id']}",
        content=b"{%b}" % (field % HALF),
        headers={"Content-Type": "application/json"},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed"), refused.text
    assert (await api.client.get(f"/v1/{kind}")).json()["data"][0] == before


async def test_one_inside_already_breaks_neither_lists_nor_streams(api):
    first = await api.dial()
    async with api.websocket() as stream:
        broken = await api.bank.dial(DialRequest(to="07700900904", metadata={"a": "cut \ud83d"}), actor="test")
        while (queued := json.loads(await stream.recv()))["data"].get("call", {}).get("id") != broken.call.id:
            continue
        assert queued["data"]["call"]["metadata"] == {"a": "cut ?"}
    listed = (await api.client.get("/v1/calls")).json()["data"]
    assert {call["id"]: call["metadata"] for call in listed} == {first["id"]: {}, broken.call.id: {"a": "cut ?"}}
    async with api.sse(f"?after={queued['id']}&levels=true") as events:
        await take(events, "call.dialing")
        api.bank.events.publish_levels(datetime.now(UTC), {"call_id": "cut \ud83d"})
        assert (await take(events, "call.levels"))["data"] == {"call_id": "cut ?"}

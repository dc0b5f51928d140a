"""Calls over REST: the one money is spent with."""

from __future__ import annotations

import asyncio
import json
import re

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modembank.bus.commands import AddCandidate, Answer, Attach, Dial, HangUp, SendDtmf
from modembank.bus.vocabulary import Cause, HangupSource
from modembank.ids import new_id
from tests.support.api import OFFER, eventually


async def test_a_dial_answers_with_the_call(api):
    answer = await api.client.post(
        "/v1/calls", json={"to": "07700 900123", "metadata": {"order": "7"}, "timeout_s": 30}
    )
    assert answer.status_code == 201
    call = answer.json()
    assert answer.headers["location"] == f"/v1/calls/{call['id']}"
    assert call["to"] == "+447700900123"
    assert (call["direction"], call["metadata"], call["timeout_s"]) == ("outbound", {"order": "7"}, 30.0)
    assert call["why"]["winner"] == call["sim"]["id"]
    assert "webrtc" not in call or call["webrtc"] is None
    (command,) = api.host.asked(Dial)
    assert (command.number, command.iccid) == ("+447700900123", call["sim"]["iccid"])


async def test_an_offer_is_answered(api):
    call = await api.dial(webrtc={"type": "offer", "sdp": OFFER})
    assert call["webrtc"]["type"] == "answer"
    assert "a=setup:active" in call["webrtc"]["sdp"]
    assert api.host.asked(Dial)[0].media_first


async def test_ringing_and_answered_are_told_apart(api):
    call_id = (await api.dial())["id"]
    api.host.ring(call_id)
    ringing = await api.reached(call_id, "ringing")
    assert ringing["ringing_at"]
    assert ringing["answered_at"] is None
    api.host.pick_up(call_id)
    talking = await api.reached(call_id, "in_progress")
    assert talking["answered_at"] > ringing["ringing_at"]
    api.host.end(call_id, HangupSource.CALLEE)
    ended = await api.reached(call_id, "completed")
    assert ended["hangup"] == {"source": "callee", "cause": "normal_clearing", "q850": 16, "detail": "scripted"}
    assert ended["duration_s"] == 1.5


async def test_times_are_rfc3339_utc_with_milliseconds(api):
    call = await api.dial()
    assert len(call["created_at"]) == len("2026-11-22T15:00:00.123Z")
    assert call["created_at"].endswith("Z")


async def test_from_names_a_sim(api):
    sims = (await api.client.get("/v1/sims")).json()["data"]
    for sim, name in zip(sims, ("id", "iccid", "number"), strict=False):
        call = await api.dial(**{"from": sim[name]})
        assert call["sim"]["id"] == sim["id"], name


async def test_actions_reach_the_host(api):
    call_id = (await api.dial())["id"]
    api.host.pick_up(call_id)
    await api.reached(call_id, "in_progress")
    assert (await api.act(call_id, "dtmf", {"digits": "12#"})).status_code == 200
    assert api.host.asked(SendDtmf)[0].digits == "12#"
    for action, name in (("mute", "muted"), ("hold", "held")):
        assert (await api.act(call_id, action)).status_code == 200
        await eventually(lambda: api.call(call_id), lambda call, name=name: call[name] is True)
        assert (await api.act(call_id, f"un{action}")).status_code == 200
        await eventually(lambda: api.call(call_id), lambda call, name=name: call[name] is False)
    attached = await api.client.post(f"/v1/calls/{call_id}/webrtc", json={"type": "offer", "sdp": OFFER})
    assert attached.json()["type"] == "answer"
    assert len(api.host.asked(Attach)) == 1
    candidate = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdp_mid": "0", "sdp_m_line_index": 0}
    trickled = await api.client.patch(f"/v1/calls/{call_id}/webrtc", json=candidate)
    assert (trickled.status_code, trickled.content) == (204, b"")
    assert api.host.asked(AddCandidate)[0].sdp_mid == "0"


async def test_hanging_up_twice_is_harmless(api):
    call_id = (await api.dial())["id"]
    assert (await api.act(call_id, "hangup")).status_code == 200
    await api.reached(call_id, "canceled")
    again = await api.act(call_id, "hangup")
    assert (again.status_code, again.json()["status"]) == (200, "canceled")
    assert api.host.asked(HangUp)[0].source is HangupSource.CALLER


async def test_acting_on_an_ended_call_is_a_conflict(api):
    call_id = (await api.dial())["id"]
    api.host.end(call_id, HangupSource.CALLEE, Cause.USER_BUSY)
    await eventually(lambda: api.call(call_id), lambda call: call["ended_at"])
    for action, body in (("dtmf", {"digits": "1"}), ("mute", None), ("answer", None), ("reject", None)):
        answer = await api.act(call_id, action, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state"), action


async def test_only_dtmf_digits_are_sent(api):
    call_id = (await api.dial())["id"]
    for digits in ("", "x", "1,2", "1" * 65, "१"):
        assert (await api.act(call_id, "dtmf", {"digits": digits})).status_code == 422, digits
    assert not api.host.asked(SendDtmf)


async def incoming(api) -> str:
    call_id = new_id("call")
    api.host.incoming(call_id, api.host.modems[0], "+447700900777")
    await eventually(lambda: api.client.get("/v1/calls?direction=inbound"), lambda answer: answer.json()["data"])
    return call_id


async def test_an_incoming_call_is_answered_by_the_first(api):
    call_id = await incoming(api)
    ringing = await api.call(call_id)
    assert (ringing["direction"], ringing["status"], ringing["from"]) == ("inbound", "ringing", "+447700900777")
    first = await api.act(call_id, "answer", {"webrtc": {"type": "offer", "sdp": OFFER}})
    assert first.status_code == 200, first.text
    assert first.json()["webrtc"]["type"] == "answer"
    await api.reached(call_id, "in_progress")
    second = await api.act(call_id, "answer")
    assert (second.status_code, second.json()["code"]) == (409, "wrong_state")
    assert len(api.host.asked(Answer)) == 1


async def test_an_incoming_call_is_rejected(api):
    call_id = await incoming(api)
    assert (await api.act(call_id, "reject")).status_code == 200
    ended = await eventually(lambda: api.call(call_id), lambda call: call["ended_at"])
    assert ended["hangup"]["cause"] == "call_rejected"


async def post(api, key: str, **body) -> httpx2.Response:
    return await api.client.post("/v1/calls", json={"to": api.number} | body, headers={"Idempotency-Key": key})


async def test_a_repeated_post_dials_once(api):
    offer = {"webrtc": {"type": "offer", "sdp": OFFER}}
    first = await post(api, "k1", **offer)
    again = await post(api, "k1", **offer)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["webrtc"] == first.json()["webrtc"]
    assert len(api.host.asked(Dial)) == 1


async def test_the_order_of_names_is_no_other_body(api):
    key = {"Idempotency-Key": "k1"}
    first = await api.post_json(b'{"to":"+447700900123","pool":null}', **key)
    again = await api.post_json(b'{ "pool": null, "to": "+447700900123" }', **key)
    assert again.json()["id"] == first.json()["id"]


async def test_a_used_key_with_another_body_is_refused(api):
    assert (await post(api, "k1")).status_code == 201
    other = await post(api, "k1", timeout_s=20)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert len(api.host.asked(Dial)) == 1


async def test_keys_of_two_callers_do_not_meet(api):
    first = await post(api, "k1")
    _, secret = await api.bank.keys.create_key("other", ("*",))
    async with httpx2.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {secret}"}) as client:
        other = await client.post("/v1/calls", json={"to": api.number}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


async def test_concurrent_posts_with_one_key_dial_once(api):
    gate = api.host.hold_back(Dial)
    posts = [asyncio.create_task(post(api, "k1")) for _ in range(10)]
    await eventually(lambda: asyncio.sleep(0, sum(one.done() for one in posts)), lambda done: done == 9)
    gate.set()
    answers = await asyncio.gather(*posts)
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [409] * 9
    running = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(running) == {"idempotency_running"}
    assert len(api.host.asked(Dial)) == 1
    assert (await post(api, "k1")).headers["idempotent-replayed"] == "true"


async def test_an_odd_idempotency_key_is_refused(api):
    for key in ["", "a b", "k" * 129, "ü"]:
        headers = {"Idempotency-Key": key.encode()}
        answer = await api.client.post("/v1/calls", json={"to": api.number}, headers=headers)
        assert answer.status_code == 422, key
    assert not api.host.asked(Dial)


@pytest.mark.parametrize("modem_count", [16])
async def test_fifty_dials_on_sixteen_sims(api):
    bodies = [{"to": f"+447700900{n:03d}"} for n in range(200, 250)]
    answers = await asyncio.gather(*(api.client.post("/v1/calls", json=body) for body in bodies))
    calls = [answer.json() for answer in answers if answer.status_code == 201]
    assert len(calls) == 16
    assert len({call["sim"]["id"] for call in calls}) == 16
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "no_sim_available")}
    assert len(api.host.asked(Dial)) == 16


async def test_calls_are_listed_newest_first_in_pages(api):
    made = [(await api.dial())["id"] for _ in range(4)]
    seen: list[str] = []
    query = "?limit=3"
    while query:
        page = (await api.client.get(f"/v1/calls{query}")).json()
        seen += [call["id"] for call in page["data"]]
        cursor = page["next_cursor"]
        query = f"?limit=3&cursor={cursor}" if cursor else ""
    assert seen == made[::-1]


async def test_calls_are_filtered(api):
    call = await api.dial()
    other = await api.dial()
    api.host.pick_up(call["id"])
    await api.reached(call["id"], "in_progress")

    async def ids(query: str) -> list[str]:
        return [found["id"] for found in (await api.client.get(f"/v1/calls?{query}")).json()["data"]]

    assert await ids("status=in_progress") == [call["id"]]
    assert await ids(f"sim_id={other['sim']['id']}") == [other["id"]]
    assert await ids("direction=inbound") == []
    assert (await api.client.get("/v1/calls?status=talking")).status_code == 422


async def test_odd_queries_are_refused(api):
    for query in ["limit=0", "limit=501", "cursor=%00", "sim_id=%00", f"cursor={'x' * 300}"]:
        assert (await api.client.get(f"/v1/calls?{query}")).status_code == 422, query


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.text("+0123456789*#;,()- \r\nATD\0é١", max_size=24) | st.from_regex(r"\+?[0-9]{1,18}", fullmatch=True)
BODIES = st.fixed_dictionaries(
    {"to": NUMBERS | JSON},
    optional={
        "from": st.text(max_size=70) | JSON,
        "pool": st.text(max_size=40) | JSON,
        "timeout_s": st.floats() | st.integers() | JSON,
        "max_duration_s": st.floats() | st.integers() | JSON,
        "metadata": st.dictionaries(st.text(max_size=70), st.text(max_size=30), max_size=4) | JSON,
        "webrtc": st.fixed_dictionaries({"type": st.just("offer"), "sdp": st.text(max_size=40)}) | JSON,
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(bodies=st.lists(BODIES | JSON, min_size=1, max_size=5))
async def test_no_dial_body_makes_a_server_error(api, bodies):
    for body in bodies:
        content = json.dumps(body, allow_nan=True).encode("utf-8", "surrogatepass")
        answer = await api.post_json(content)
        assert answer.status_code < 500 or answer.json()["code"] == "no_sim_available", (body, answer.text)
    for command in api.host.asked(Dial):
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", command.number), command

"""Who gets in: API keys, tickets, origins, and the headers that keep a browser safe."""

from __future__ import annotations

import asyncio
import logging
import re

import httpx2
import pytest
import websockets

from modembank.api.tickets import TICKET_LIFE_S, TICKET_LIMIT, Tickets
from modembank.errors import UnauthorizedError

OPEN = {"/healthz", "/readyz"}


async def test_every_route_but_health_needs_a_key(api):
    spec = (await api.client.get("/openapi.json")).json()
    tried = 0
    async with api.anonymous() as client:
        for path, operations in spec["paths"].items():
            for method in operations:
                concrete = path.replace("{call_id}", "call_" + "0" * 26)
                concrete = concrete.replace("{sim_id}", "sim_" + "0" * 26).replace("{modem_id}", "modem_" + "0" * 26)
                answer = await client.request(method, concrete, json={})
                if path in OPEN:
                    assert answer.status_code == 200, path
                    continue
                assert answer.status_code == 401, f"{method} {path} {answer.status_code}"
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["code"] == "unauthorized"
                tried += 1
    assert tried > 20


async def test_a_wrong_key_is_refused(api):
    async with api.anonymous() as client:
        for header in ["", "Bearer", "Bearer mbk_wrong", "Basic bWJrOng=", "bearer \xe9", "Bearer mbk_a mbk_b"]:
            answer = await client.get("/v1/info", headers={"Authorization": header.encode("latin-1")})
            assert answer.status_code == 401, header
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_revoked_key_is_refused(api):
    record, secret = await api.bank.keys.create_key("short-lived", ("*",))
    async with api.anonymous() as client:
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await client.get("/v1/info", headers=headers)).status_code == 200
        await api.bank.keys.revoke(record.id)
        assert (await client.get("/v1/info", headers=headers)).status_code == 401


async def test_a_ticket_opens_one_stream_once(api):
    ticket = await api.ticket()
    async with api.websocket(f"?ticket={ticket}", key=None) as stream:
        assert stream.response.status_code == 101
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with api.websocket(f"?ticket={ticket}", key=None):
            pass
    assert refused.value.response.status_code == 401
    assert b'"code":"unauthorized"' in refused.value.response.body
    async with api.anonymous() as client:
        assert (await client.get(f"/v1/events?ticket={ticket}")).status_code == 401


async def test_a_ticket_opens_server_sent_events(api):
    async with api.anonymous() as client, client.stream("GET", f"/v1/events?ticket={await api.ticket()}") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_ticket_is_too_old_after_its_life():
    now = 100.0
    tickets = Tickets(clock=lambda: now)
    ticket = tickets.issue("key_1")
    now += TICKET_LIFE_S + 0.1
    with pytest.raises(UnauthorizedError):
        tickets.redeem(ticket)


def test_outstanding_tickets_are_bounded():
    tickets = Tickets()
    first = tickets.issue("key_1")
    last = [tickets.issue("key_1") for _ in range(TICKET_LIMIT)][-1]
    assert tickets.redeem(last) == "key_1"
    with pytest.raises(UnauthorizedError):
        tickets.redeem(first)


async def test_other_origins_may_not_open_the_websocket(api):
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with api.websocket(origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    assert b'"code":"forbidden"' in refused.value.response.body


@pytest.mark.parametrize(
    ("query", "options", "status"),
    [
        ("", {"key": "mbk_wrong"}, 401),
        ("?ticket=used", {"key": None}, 401),
        ("", {"origin": "https://evil.example"}, 403),
        ("?after=nonsense", {}, 422),
    ],
)
async def test_a_refused_handshake_is_no_error_of_ours(api, caplog, query, options, status):
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with api.websocket(query, **options):
            pass
    assert refused.value.response.status_code == status
    assert refused.value.response.headers["content-type"] == "application/problem+json"
    assert (await api.client.get("/v1/info")).status_code == 200  # the server had time to log
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_own_allowed_and_absent_origins_may(api):
    for origin in ("https://crm.example", api.url, None):
        async with api.websocket(origin=origin) as stream:
            assert stream.response.status_code == 101, origin


async def test_cors_answers_allowed_origins_only(api):
    async with api.anonymous() as client:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        good = await client.options("/v1/calls", headers={"Origin": "https://crm.example", **asked})
        bad = await client.options("/v1/calls", headers={"Origin": "https://evil.example", **asked})
    assert good.headers["access-control-allow-origin"] == "https://crm.example"
    assert "access-control-allow-origin" not in bad.headers


async def test_security_headers_are_on_every_answer(api):
    for path in ("/", "/assets/index-abc123.js", "/v1/info", "/v1/nothing", "/healthz"):
        headers = (await api.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe-inline" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]


SCOPES = {
    "dial": "calls:create",
    "answer_call": "calls:create",
    "reject_call": "calls:create",
    "hang_up_call": "calls:create",
    "send_dtmf": "calls:create",
    "hold_call": "calls:create",
    "unhold_call": "calls:create",
    "mute_call": "calls:create",
    "unmute_call": "calls:create",
    "attach": "calls:create",
    "add_candidate": "calls:create",
    "list_calls": "calls:read",
    "get_call": "calls:read",
    "list_sims": "sims:read",
    "get_sim": "sims:read",
    "list_modems": "sims:read",
    "modem_history": "sims:read",
    "sim_history": "sims:read",
    "get_modem": "sims:read",
    "get_trace": "sims:read",
    "list_hosts": "sims:read",
    "patch_sim": "sims:admin",
    "set_pin": "sims:admin",
    "clear_pin": "sims:admin",
    "enter_puk": "sims:admin",
    "check_forwarding": "sims:admin",
    "clear_forwarding": "sims:admin",
    "select_operator": "sims:admin",
    "patch_modem": "sims:admin",
    "release_modem": "sims:admin",
    "run_at": "at:run",
    "send_message": "sms:send",
    "list_messages": "sms:read",
    "get_message": "sms:read",
    "run_ussd": "ussd:run",
    "list_ussd": "ussd:run",
    "get_ussd": "ussd:run",
    "answer_ussd": "ussd:run",
    "cancel_ussd": "ussd:run",
    "read_balance": "ussd:run",
    "create_event_ticket": "events:read",
    "follow_events": "events:read",
}
ANY_KEY = {"get_info", "get_ice_servers"}


async def test_every_route_asks_for_its_scope(api):
    """A key with every scope but the route's is refused; one with only that scope gets past the check."""
    spec = (await api.client.get("/openapi.json")).json()
    named = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            concrete = re.sub(r"\{(\w+)_id\}", lambda part: part[1] + "_" + "0" * 26, path)
            named[operation["operationId"]] = (method, concrete)
    assert set(named) == set(SCOPES) | ANY_KEY | {"healthz", "readyz"}
    every = {*SCOPES.values(), "at:raw"}
    for scope in set(SCOPES.values()):
        also = {"at:raw"} if scope == "at:run" else set()  # what may do more may do less
        _, without = await api.bank.keys.create_key(f"no {scope}", tuple(every - {scope} - also))
        _, only = await api.bank.keys.create_key(f"only {scope}", (scope,))
        async with api.anonymous() as client:
            for operation in [name for name, wanted in SCOPES.items() if wanted == scope] + sorted(ANY_KEY):
                method, path = named[operation]
                for secret, allowed in ((without, operation in ANY_KEY), (only, True)):
                    if allowed and operation == "follow_events":
                        continue  # endless; tested below
                    answer = await client.request(method, path, json={}, headers={"Authorization": f"Bearer {secret}"})
                    assert (answer.status_code != 403) is allowed, f"{operation} {answer.text}"
                    if not allowed:
                        assert answer.json()["code"] == "forbidden"
                        assert scope in answer.json()["detail"]


async def test_following_events_needs_its_scope(api):
    _, reader = await api.bank.keys.create_key("reader", ("events:read",))
    _, caller = await api.bank.keys.create_key("caller", ("calls:create",))
    async with api.websocket(key=reader) as stream:
        assert stream.response.status_code == 101
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with api.websocket(key=caller):
            pass
    assert refused.value.response.status_code == 403


async def test_unrestricted_at_needs_its_scope(api):
    modem = (await api.client.get("/v1/modems")).json()["data"][0]
    _, secret = await api.bank.keys.create_key("no raw AT", ("at:run",))
    body = {"line": "AT+CFUN=1,1", "unrestricted": True}
    async with httpx2.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {secret}"}) as client:
        refused = await client.post(f"/v1/modems/{modem['id']}/at", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    allowed = await api.client.post(f"/v1/modems/{modem['id']}/at", json=body)
    assert allowed.status_code == 200, allowed.text
    assert allowed.json() == {"lines": ["+CSQ: 21,99", "OK"]}


async def test_a_stream_ends_when_its_key_is_revoked(api, monkeypatch):
    monkeypatch.setattr("modembank.api.streams.PING_S", 0.05)
    record, secret = await api.bank.keys.create_key("short-lived", ("*",))
    async with api.websocket(key=secret) as stream:
        await api.bank.keys.revoke(record.id)
        async with asyncio.timeout(30):
            async for _ in stream:
                pass
        assert stream.close_code == 1001

"""Every error is a problem with a stable code."""

from __future__ import annotations

import json

from modembank.api.edge import BODY_LIMIT_BYTES
from modembank.api.problem import title_of
from modembank.bus.commands import Dial
from modembank.errors import ModembankError, StoreError

PROBLEM = "application/problem+json"
FIELDS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def check(answer, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem.keys() >= FIELDS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"/docs#{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


async def test_unknown_path(api):
    problem = check(await api.client.get("/v1/nothing"), 404, "not_found")
    assert problem["instance"] == "/v1/nothing"


async def test_odd_paths_are_not_found(api):
    for path in ["/v1", "/v1/", "/v1/calls/", "/v1/%00", "/v1/calls/call_%00"]:
        check(await api.client.get(path), 404, "not_found")


async def test_wrong_method_tells_the_right_ones(api):
    answer = await api.client.delete("/v1/calls")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


async def test_an_action_is_no_page(api):
    check(await api.client.get("/v1/calls/call_" + "0" * 26 + "/actions/hangup"), 405, "method_not_allowed")


async def test_unknown_ids(api):
    for path in ("calls/call_", "sims/sim_", "modems/modem_"):
        check(await api.client.get(f"/v1/{path}{'0' * 26}"), 404, "not_found")


async def test_validation_names_each_place(api):
    answer = await api.client.post("/v1/calls", json={"to": 5, "timeout_s": "soon", "surprise": 1})
    problem = check(answer, 422, "validation_failed")
    assert {place["location"] for place in problem["errors"]} == {"body.to", "body.timeout_s", "body.surprise"}


WRONG_DIALS = (
    {"timeout_s": 4},
    {"timeout_s": 181},
    {"max_duration_s": 0},
    {"metadata": {"k": 5}},
    {"metadata": {"k": "x" * 513}},
    {"metadata": {"k" * 65: "x"}},
    {"metadata": {str(n): "" for n in range(33)}},
    {"metadata": {"k": "nul\0"}},
    {"pool": "two words"},
    {"from": ""},
    {"webrtc": {"type": "answer", "sdp": "v=0"}},
    {"webrtc": {"type": "offer", "sdp": ""}},
    {"from_": "sim_x"},
)


async def test_the_schema_of_a_dial_is_strict(api):
    for body in WRONG_DIALS:
        check(await api.client.post("/v1/calls", json={"to": api.number} | body), 422, "validation_failed")
    assert not api.host.asked(Dial)


BROKEN = (
    b"",
    b"{",
    b"[1]",
    b"\xff\xfe",
    b'{"to": "\\ud800"}',
    b"[" * 50_000,
    b'{"to":1e999}',
    b"NaN",
)


async def test_a_broken_body_is_the_callers_fault(api):
    for content in BROKEN:
        answer = await api.post_json(content)
        assert answer.status_code in {400, 422}, (content[:20], answer.text)
        assert answer.headers["content-type"] == PROBLEM


async def test_a_large_body_is_refused_by_its_length(api):
    body = json.dumps({"to": "x" * BODY_LIMIT_BYTES})
    check(await api.client.post("/v1/calls", content=body), 413, "body_too_large")


async def test_a_large_body_without_a_length_is_refused_too(api):
    async def chunks():
        for _ in range(BODY_LIMIT_BYTES // 1024 + 2):
            yield b" " * 1024

    check(await api.client.post("/v1/calls", content=chunks()), 413, "body_too_large")


async def test_a_database_that_is_away_is_told_without_internals(api, monkeypatch, caplog):
    async def fails(*_: object) -> None:
        raise StoreError("the database failed: secret at 10.0.0.1")

    monkeypatch.setattr(api.bank, "list_hosts", fails)
    answer = await api.client.get("/v1/hosts")
    check(answer, 503, "store")
    assert int(answer.headers["retry-after"]) > 0
    assert "secret" not in answer.text
    assert "secret" in caplog.text


async def test_an_unhandled_error_shows_no_internals(api, monkeypatch, caplog):
    async def fails(*_: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(api.bank, "list_hosts", fails)
    answer = await api.client.get("/v1/hosts", headers={"X-Request-Id": "mine-1"})
    problem = check(answer, 500, "internal")
    assert "42" not in answer.text
    assert problem["request_id"] == "mine-1"
    assert "the secret is 42" in caplog.text
    assert "mine-1" in caplog.text


REFUSED_NUMBERS = (
    ("12*3", 422, "invalid_number"),
    ("", 422, "invalid_number"),
    ("+44770090012X", 422, "invalid_number"),
    ("*21*07700900123#", 422, "invalid_number"),
    ("07700900123;+CFUN=0", 422, "invalid_number"),
    ("112", 403, "emergency_number"),
    ("999", 403, "emergency_number"),
)


async def test_numbers_that_may_not_be_dialled(api):
    for number, status, code in REFUSED_NUMBERS:
        check(await api.client.post("/v1/calls", json={"to": number}), status, code)
    assert not api.host.asked(Dial)


async def test_no_sim_says_why_and_when_to_retry(api):
    answer = await api.client.post("/v1/calls", json={"to": api.number, "pool": "nobody"})
    problem = check(answer, 503, "no_sim_available")
    assert int(answer.headers["retry-after"]) > 0
    assert sum(problem["removed"].values()) == len(api.host.modems)


async def test_an_offer_without_audio_is_refused(api):
    body = {"to": api.number, "webrtc": {"type": "offer", "sdp": "v=0\r\n"}}
    problem = check(await api.client.post("/v1/calls", json=body), 422, "invalid_offer")
    ended = await api.call(problem["call_id"])
    assert ended["status"] == "failed"


async def test_a_clients_request_id_is_kept_only_when_harmless(api):
    kept = await api.client.get("/healthz", headers={"X-Request-Id": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    odd = await api.client.get("/healthz", headers={"X-Request-Id": "a b<c>"})
    assert odd.headers["x-request-id"].startswith("req_")


def test_titles_of_our_own_faults_are_for_people():
    assert title_of(ModembankError) == "Something went wrong in modembank."
    assert title_of(StoreError) == "The database is not available."

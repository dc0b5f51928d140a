"""SIMs, modems, hosts, health, the page and the OpenAPI document."""

from __future__ import annotations

import pytest

from modembank import __version__
from modembank.api.pages import NOT_BUILT, Pages
from modembank.bus.commands import RunAt
from modembank.bus.vocabulary import ModemState
from tests.support.api import eventually


async def first(api, kind: str) -> dict:
    return (await api.client.get(f"/v1/{kind}")).json()["data"][0]


@pytest.mark.parametrize("kind", ["sims", "modems"])
async def test_lists_come_in_pages(api, kind):
    everything = (await api.client.get(f"/v1/{kind}")).json()
    assert len(everything["data"]) == 4
    assert everything["next_cursor"] is None
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await api.client.get(f"/v1/{kind}?limit=3" + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
    assert seen == [row["id"] for row in everything["data"]]


async def test_a_sim_is_shown_and_changed(api):
    sim = await first(api, "sims")
    assert (sim["state"], sim["operator"], sim["rssi_dbm"]) == ("ready", "Test PLMN", -71)
    patch = {"label": "slot 3", "tags": ["sales", "uk"], "enabled": False, "number": "07700 900500", "notes": "a\nb"}
    changed = await api.client.patch(f"/v1/sims/{sim['id']}", json=patch)
    assert changed.status_code == 200, changed.text
    again = (await api.client.get(f"/v1/sims/{sim['id']}")).json()
    assert again == changed.json()
    assert again["number"] == "+447700900500"
    assert {name: again[name] for name in ("label", "tags", "enabled", "notes")} == {
        name: patch[name] for name in ("label", "tags", "enabled", "notes")
    }


async def test_absent_names_stay(api):
    sim = await first(api, "sims")
    await api.client.patch(f"/v1/sims/{sim['id']}", json={"label": "kept"})
    changed = (await api.client.patch(f"/v1/sims/{sim['id']}", json={"notes": "n"})).json()
    assert (changed["label"], changed["notes"], changed["enabled"]) == ("kept", "n", True)


async def test_a_disabled_sim_is_not_dialled(api):
    sims = (await api.client.get("/v1/sims")).json()["data"]
    for sim in sims[1:]:
        await api.client.patch(f"/v1/sims/{sim['id']}", json={"enabled": False})
    assert (await api.dial())["sim"]["id"] == sims[0]["id"]


async def test_a_pool_is_a_tag(api):
    sims = (await api.client.get("/v1/sims")).json()["data"]
    await api.client.patch(f"/v1/sims/{sims[3]['id']}", json={"tags": ["sales"]})
    assert (await api.dial(pool="sales"))["sim"]["id"] == sims[3]["id"]


WRONG_PATCHES = (
    {"label": "x" * 81},
    {"label": "a\nb"},
    {"tags": ["with space"]},
    {"tags": "sales"},
    {"enabled": "yes"},
    {"iccid": "1"},
    {"notes": "\0"},
    {"notes": "x" * 2001},
)


async def test_a_patch_is_strict(api):
    sim = await first(api, "sims")
    for patch in WRONG_PATCHES:
        assert (await api.client.patch(f"/v1/sims/{sim['id']}", json=patch)).status_code == 422, patch


async def test_a_modem_is_shown_and_changed(api):
    modem = await first(api, "modems")
    assert (modem["state"], modem["model"], modem["voice"]) == ("ready", "EC25", True)
    assert modem["sim"]["iccid"].startswith("8944")
    patch = {"label": "front", "tags": ["left"], "enabled": False, "notes": "n"}
    changed = (await api.client.patch(f"/v1/modems/{modem['id']}", json=patch)).json()
    assert {name: changed[name] for name in patch} == patch
    assert (await api.client.get(f"/v1/modems/{modem['id']}")).json() == changed


async def test_a_modems_trace_is_read(api):
    modem = await first(api, "modems")
    trace = (await api.client.get(f"/v1/modems/{modem['id']}/trace?limit=2")).json()
    assert trace["data"] == [{"at": "2026-11-22T15:00:00.000001Z", "out": True, "text": "AT+CSQ"}] * 2


async def test_the_console_lets_only_harmless_commands_through(api):
    modem = await first(api, "modems")
    allowed = await api.client.post(f"/v1/modems/{modem['id']}/at", json={"line": "AT+CSQ"})
    assert allowed.json() == {"lines": ["+CSQ: 21,99", "OK"]}
    for line in ("ATD+447700900123;", "AT+CFUN=0", "AT+CSQ;D112;", "AT+CSQ\rATD112;"):
        refused = await api.client.post(f"/v1/modems/{modem['id']}/at", json={"line": line})
        assert (refused.status_code, refused.json()["code"]) == (403, "at_refused"), line
    assert len(api.host.asked(RunAt)) == 1


async def test_hosts_are_listed(api):
    (host,) = (await api.client.get("/v1/hosts")).json()["data"]
    assert (host["id"], host["connected"], host["modems"], host["modems_ready"]) == ("host_scripted", True, 4, 4)


async def test_ice_servers_are_those_of_the_settings(api):
    answer = (await api.client.get("/v1/ice-servers")).json()
    assert answer == {"ice_servers": [{"urls": ["stun:stun.example:3478"], "username": None, "credential": None}]}


async def test_info(api):
    assert (await api.client.get("/v1/info")).json() == {
        "version": __version__,
        "country": "GB",
        "scopes": ["*"],
        "max_message_parts": 10,
        "ussd_codes": [],
        "balance_plmns": [],
    }


async def test_health_and_readiness(api):
    async with api.anonymous() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (
            200,
            {"status": "ok", "checks": {"database": True, "hosts": 1, "modems_ready": 4}, "event_loop": None},
        )
        for modem in api.host.modems:
            api.host.change(modem, state=ModemState.SEARCHING)
        unready = await eventually(lambda: client.get("/readyz"), lambda answer: answer.status_code == 503)
        assert unready.json()["status"] == "unavailable"
        assert unready.json()["checks"]["modems_ready"] == 0


async def test_the_page_answers_for_its_own_paths(api):
    async with api.anonymous() as client:
        for path in ["/", "/index.html", "/calls", "/calls/call_1"]:
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache"), path
            assert "modembank" in answer.text


async def test_hashed_files_are_kept_for_ever(api):
    async with api.anonymous() as client:
        answer = await client.get("/assets/index-abc123.js")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
        assert (await client.get("/assets/gone-def456.js")).status_code == 404
        assert (await client.head("/")).status_code == 200
        assert (await client.post("/")).status_code in {404, 405}


async def test_nothing_outside_the_build_is_served(api):
    async with api.anonymous() as client:
        for path in ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "//etc/passwd"]:
            answer = await client.get(path)
            assert "not for the web" not in answer.text, path
            assert "root:" not in answer.text, path


class TestWithoutABuild:
    @pytest.fixture
    def pages(self, tmp_path):
        return Pages(tmp_path / "dist")

    async def test_the_page_says_what_to_do(self, api):
        async with api.anonymous() as client:
            answer = await client.get("/")
        assert answer.text == NOT_BUILT
        assert "make setup" in answer.text


async def test_the_openapi_document_is_whole(api):
    async with api.anonymous() as client:
        spec = (await client.get("/openapi.json")).json()
    assert spec["openapi"].startswith("3.")
    ids = [operation["operationId"] for path in spec["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids)) > 20
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path}"
            assert operation["description"], f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
            named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
            told = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == told, f"{method} {path}"
    lost = [ref for ref in references(spec) if lookup(spec, ref) is None]
    assert not lost


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]
    if isinstance(node, list):
        return [ref for value in node for ref in references(value)]
    return []


def lookup(spec: dict, ref: str) -> object:
    node: object = spec
    for part in ref.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node


async def test_the_reference_is_a_page_of_its_own(api):
    async with api.anonymous() as client:
        page = await client.get("/docs")
        style = await client.get("/docs/style.css")
    assert page.headers["content-type"].startswith("text/html")
    assert style.headers["content-type"].startswith("text/css")
    assert "POST /v1/calls<" in page.text
    assert 'id="no_sim_available"' in page.text
    assert "<script" not in page.text
    assert "https://" not in page.text

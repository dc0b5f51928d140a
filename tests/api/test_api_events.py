"""The event stream: order, resume, slow readers, the end."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import websockets

from modembank.bus.vocabulary import HangupSource
from modembank.ids import new_id
from tests.support.api import take


async def collect(stream, last: str) -> list[dict]:
    """Everything up to the first event of type `last`."""
    events = []
    async with asyncio.timeout(30):
        async for message in stream:
            events.append(json.loads(message) if isinstance(message, str | bytes) else message)
            if events[-1]["type"] == last:
                return events
    raise AssertionError(f"the stream ended before {last}")


async def live_through(api) -> str:
    """One call from dial to end."""
    call_id = (await api.dial())["id"]
    api.host.ring(call_id)
    api.host.pick_up(call_id)
    api.host.level(call_id, -20.0)
    api.host.end(call_id, HangupSource.CALLEE)
    return call_id


LIFE = ["call.queued", "call.dialing", "call.ringing", "call.answered", "call.ended"]


async def test_websocket_tells_a_calls_life(api):
    async with api.websocket() as stream:
        call_id = await live_through(api)
        events = [event for event in await collect(stream, "call.ended") if event["type"].startswith("call.")]
    assert [event["type"] for event in events if event["type"] != "call.levels"] == LIFE
    told = [event for event in events if event["type"] != "call.levels"]
    assert all(event["data"]["call"]["id"] == call_id for event in told)
    assert [event["sequence"] for event in told] == sorted({event["sequence"] for event in told})
    assert told[2]["data"]["call"]["status"] == "ringing"
    (level,) = [event for event in events if event["type"] == "call.levels"]
    assert level["data"]["call_id"] == call_id
    assert level["data"]["to_far_dbfs"] == -20.0


async def test_server_sent_events_tell_the_same_without_levels(api):
    async with api.sse() as events:
        await live_through(api)
        types = [event["type"] for event in await collect(events, "call.ended")]
    assert [kind for kind in types if kind.startswith("call.")] == LIFE


@pytest.mark.parametrize(("query", "wanted"), [("?levels=true", True), ("?levels=false", False)])
async def test_levels_are_a_choice(api, query, wanted):
    async with api.websocket(query) as socket_stream, api.sse(query) as sse_stream:
        await live_through(api)
        for stream in (socket_stream, sse_stream):
            types = {event["type"] for event in await collect(stream, "call.ended")}
            assert ("call.levels" in types) is wanted


async def test_resume_misses_nothing(api):
    async with api.websocket() as stream:
        first = await live_through(api)
        seen = await collect(stream, "call.ringing")
    await api.reached(first, "completed")
    second = await live_through(api)
    after = seen[-1]["id"]
    async with api.websocket(f"?after={after}&levels=false") as stream:
        rest = await collect(stream, "call.ended")
        rest += await collect(stream, "call.ended")
    ids = [event["data"]["call"]["id"] for event in rest if event["type"].startswith("call.")]
    assert ids[:2] == [first, first]
    assert [event["type"] for event in rest if event["data"].get("call", {}).get("id") == first] == LIFE[3:]
    assert [event["type"] for event in rest if event["data"].get("call", {}).get("id") == second] == LIFE
    assert not {event["id"] for event in seen} & {event["id"] for event in rest}


async def test_last_event_id_resumes_server_sent_events(api):
    async with api.sse() as events:
        await live_through(api)
        seen = await collect(events, "call.queued")
    async with api.sse(**{"Last-Event-ID": seen[-1]["id"]}) as events:
        rest = await collect(events, "call.ended")
    assert [event["type"] for event in rest if event["type"].startswith("call.")] == LIFE[1:]


async def test_an_unknown_id_resets_first(api):
    old = new_id("evt")
    async with api.sse(f"?after={old}") as events:
        event = await anext(events)
    assert event["type"] == "stream.reset"
    assert event["data"]["reason"]
    async with api.websocket(f"?after={old}") as stream:
        assert json.loads(await stream.recv())["type"] == "stream.reset"
        await live_through(api)
        assert (await collect(stream, "call.ended"))[-1]["type"] == "call.ended"


async def test_what_is_no_event_id_is_refused(api):
    for after in ["x", "evt_", "evt_%00", "call_" + "0" * 26]:
        assert (await api.client.get(f"/v1/events?after={after}")).status_code == 422
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with api.websocket(f"?after={after}"):
                pass
        assert refused.value.response.status_code == 422
        assert b'"code":"validation_failed"' in refused.value.response.body


async def test_an_incoming_call_rings(api):
    async with api.websocket() as stream:
        api.host.incoming(new_id("call"), api.host.modems[0], None)
        ringing = (await collect(stream, "call.ringing"))[-1]
    assert ringing["data"]["call"]["direction"] == "inbound"
    assert ringing["data"]["call"]["from"] is None


async def test_a_changed_modem_is_told(api):
    async with api.sse() as events:
        api.host.change(api.host.modems[0], rssi_dbm=-105)
        event = await take(events, "modem.changed")
    assert event["data"]["modem"]["rssi_dbm"] == -105


@pytest.mark.parametrize("head", ["websocket", "sse"])
async def test_a_client_that_never_reads_holds_nobody_up(api, head):
    """Fault 24: its queue has a bound, others hear everything, and calls go on."""
    call_id = (await api.dial())["id"]
    with _never_reading(api, head):
        async with api.websocket("?levels=false") as stream:
            for _ in range(30):
                for _ in range(1000):
                    api.host.level(call_id, -20.0)
                await api.host.bus.drained()
            started = time.monotonic()
            assert (await api.act(call_id, "hangup")).status_code == 200
            await collect(stream, "call.ended")
            assert time.monotonic() - started < 15
        assert api.bank.events.dropped > 0


def _never_reading(api, head: str) -> socket.socket:
    address = urlsplit(api.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((address.hostname, address.port))
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    client.sendall(
        f"GET /v1/events?levels=true HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {api.key}\r\n"
        f"{upgrade if head == 'websocket' else ''}\r\n".encode()
    )
    return client


async def test_what_a_client_says_is_ignored(api):
    async with api.websocket() as stream:
        await stream.send("hello")
        await stream.send(b"\0")
        await live_through(api)
        assert (await collect(stream, "call.ended"))[-1]["type"] == "call.ended"


async def test_streams_are_counted_and_limited(api):
    streams = api.server.streams
    assert streams.count == 0
    async with api.sse(), api.websocket():
        assert streams.count == 2
        api.server.streams.limit = 2
        refused = await api.client.get("/v1/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
    async with asyncio.timeout(30):
        while streams.count:
            await asyncio.sleep(0.01)


async def test_stopping_the_server_ends_the_streams_at_once(api):
    async with api.websocket() as socket_stream, api.sse() as sse_stream:
        started = time.monotonic()
        api.server.stop()
        with pytest.raises(websockets.ConnectionClosed):
            async with asyncio.timeout(30):
                while True:
                    await socket_stream.recv()
        async with asyncio.timeout(30):
            async for _ in sse_stream:
                pass
        await asyncio.wait_for(api.serving, 30)
        took = time.monotonic() - started
    assert took < 2.5, "open streams used up the grace of the server's end"

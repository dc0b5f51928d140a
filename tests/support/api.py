"""A client around the real app, for tests of the API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import websockets

from modembank.api.server import ApiServer
from modembank.bank.bank import Bank
from modembank.config import Settings
from tests.support.scripted_host import ScriptedHost

LIMIT_S = 30.0
OTHER_ORIGIN = "https://crm.example"
OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\na=setup:actpass\r\n"

Json = dict[str, Any]


@dataclass
class Api:
    """A running server and what a test needs around it."""

    url: str
    key: str
    client: httpx2.AsyncClient
    bank: Bank
    host: ScriptedHost
    server: ApiServer
    serving: asyncio.Task[None]
    settings: Settings

    @property
    def number(self) -> str:
        return "+447700900123"

    async def dial(self, **fields: Any) -> Json:
        answer = await self.client.post("/v1/calls", json={"to": self.number, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def post_json(self, content: bytes, **headers: str) -> httpx2.Response:
        """POST /v1/calls with exactly these bytes."""
        return await self.client.post(
            "/v1/calls", content=content, headers={"Content-Type": "application/json"} | headers
        )

    async def call(self, call_id: str) -> Json:
        answer = await self.client.get(f"/v1/calls/{call_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def reached(self, call_id: str, status: str) -> Json:
        return await eventually(lambda: self.call(call_id), lambda call: call["status"] == status)

    async def act(self, call_id: str, action: str, body: Json | None = None) -> httpx2.Response:
        return await self.client.post(f"/v1/calls/{call_id}/actions/{action}", json=body)

    def anonymous(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, timeout=LIMIT_S, trust_env=False)

    async def ticket(self) -> str:
        answer = await self.client.post("/v1/event-tickets")
        assert answer.status_code == 201, answer.text
        return answer.json()["ticket"]

    def websocket(self, query: str = "", *, key: str | None = "", **options: Any) -> websockets.connect:
        headers = {"Authorization": f"Bearer {key or self.key}"} if key is not None else {}
        url = f"{self.url.replace('http', 'ws', 1)}/v1/events{query}"
        return websockets.connect(url, additional_headers=headers, proxy=None, **options)

    @contextlib.asynccontextmanager
    async def sse(self, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[Json]]:
        async with self.client.sse(f"/v1/events{query}", headers=headers) as source:
            assert source.response.status_code == 200, source.response
            yield (json.loads(message.data) async for message in source)


async def eventually(ask: Callable[[], Awaitable[Any]], fits: Callable[[Any], bool]) -> Any:
    """Ask until the answer fits; the limit is generous, machines are shared."""
    async with asyncio.timeout(LIMIT_S):
        while not fits(found := await ask()):
            await asyncio.sleep(0.01)
    return found


async def take(events: AsyncIterator[Json], kind: str) -> Json:
    """The next event of this type."""
    async with asyncio.timeout(LIMIT_S):
        async for event in events:
            if event["type"] == kind:
                return event
    raise AssertionError(f"the stream ended before {kind}")

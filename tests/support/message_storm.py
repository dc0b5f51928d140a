"""Many messages in and out of a bank whose server is killed again and again; then the books are compared."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx2

from tests.support.bank import Json, TestBank, until

FAR = "+447700900950"  # takes messages and reports their delivery
ENDS = {"sent", "delivered", "undelivered", "failed", "unknown"}
LONG_EVERY = 10
SENDERS = 8
CALM_S = 240.0


@dataclass
class Storm:
    """What was sent and by whom; `seed` makes a failure happen again, as far as clocks allow."""

    bank: TestBank
    messages: int
    seed: int
    kills: int = 0
    posted: dict[str, str] = field(default_factory=dict)  # text -> id of the message
    sent_in: Counter[str] = field(default_factory=Counter)

    async def run(self, kills: int, pause_s: tuple[float, float]) -> None:
        """Send half in and half out while the server is killed `kills` times, and until all is quiet."""
        chance = random.Random(self.seed)
        modems = (await self.bank.emulator.call("status"))["modems"]
        for modem in modems:
            await self.bank.emulator.call("fault", modem=modem["index"], name="sms_send_s", value=0.02)
        sending = asyncio.gather(self._send_out(), self._send_in(len(modems), random.Random(self.seed + 1)))
        while self.kills < kills:
            await asyncio.sleep(chance.uniform(*pause_s))
            await self.bank.server.kill()
            self.kills += 1
            await self.bank.server.start()
        await sending
        await self._calm()

    async def check(self) -> Counter[str]:
        """Compare what was sent, what is stored and what the network saw; returns the outgoing ones by status."""
        stored = await self._all("inbound")
        texts = Counter(message["text"] for message in stored)
        assert texts == self.sent_in, f"in: lost {self.sent_in - texts}, invented or doubled {texts - self.sent_in}"
        outgoing = {message["text"]: message for message in await self._all("outbound")}
        assert {text: message["id"] for text, message in outgoing.items()} == self.posted
        seen = await self._seen_by_the_network()
        assert not {text: count for text, count in seen.items() if count > 1}, "the network saw a message twice"
        for text, message in outgoing.items():
            status = message["status"]
            assert status in ENDS, f"{message['id']} is {status}"
            if status in ("sent", "delivered"):
                assert seen[text] == 1, f"{message['id']} is {status}, and the network never saw it"
            assert status != "failed" or seen[text] == 0, f"{message['id']} failed, and the network has it"
        await self._cards_are_empty()
        return Counter(message["status"] for message in outgoing.values())

    async def _send_out(self) -> None:
        texts = [f"out {place}" for place in range(self.messages)]
        await asyncio.gather(*(self._post_all(texts[first::SENDERS]) for first in range(SENDERS)))

    async def _post_all(self, texts: list[str]) -> None:
        for text in texts:
            body = {"to": FAR, "text": text}
            headers = {"Idempotency-Key": text.replace(" ", "-")}
            answer = await self._until_answered("POST", "/v1/messages", json=body, headers=headers)
            self.posted[text] = answer["id"]

    async def _until_answered(self, method: str, path: str, **request: object) -> Json:
        """Ask as a careful client does: with the same key again, until the server is back."""
        deadline = time.monotonic() + CALM_S
        while True:
            try:
                async with self.bank.client() as client:
                    answer = await client.request(method, path, **request)  # type: ignore[arg-type]
                if answer.status_code < 500:
                    assert answer.is_success, answer.text
                    return answer.json()
            except httpx2.TransportError:
                pass  # the server was killed meanwhile: nothing is lost, the same request is sent again below
            assert time.monotonic() < deadline, f"{method} {path} was not answered"
            await asyncio.sleep(0.2)

    async def _send_in(self, modems: int, chance: random.Random) -> None:
        for place in range(self.messages):
            text = f"in {place}"
            facts: dict[str, object] = {}
            if place % LONG_EVERY == 0:
                text = f"{text} " + "long " * 70
                order = [1, 2, 3]
                chance.shuffle(order)
                facts = {"parts": [*order, chance.choice(order)], "ref": place // LONG_EVERY % 256}
            self.sent_in[text] += 1
            await self.bank.emulator.call("sms", to=place % modems, text=text, **facts)
            if place % 20 == 0:
                await asyncio.sleep(0.05)

    async def _calm(self) -> None:
        async def look() -> bool | None:
            open_ones = 0
            for status in ("queued", "sending", "partial"):
                page = await self._until_answered("GET", f"/v1/messages?status={status}&limit=1")
                open_ones += len(page["data"])
            waiting = [
                (await self.bank.emulator.call("sms_inbox", modem=modem["index"], since=10**9))["waiting"]
                for modem in (await self.bank.emulator.call("status"))["modems"]
            ]
            stored = sum([len(await self._stored(index)) for index in range(len(waiting))])
            await asyncio.sleep(0.3)
            return True if not open_ones and not any(waiting) and not stored else None

        await until(look, what="all messages to be where they belong", limit_s=CALM_S)

    async def _stored(self, modem: int) -> list[object]:
        return list((await self.bank.emulator.call("sms_store", modem=modem))["messages"])

    async def _cards_are_empty(self) -> None:
        for modem in (await self.bank.emulator.call("status"))["modems"]:
            assert await self._stored(modem["index"]) == [], "what is on record is deleted on the card"

    async def _all(self, direction: str) -> list[Json]:
        found: list[Json] = []
        cursor = ""
        while True:
            query = f"?direction={direction}&limit=500" + (f"&cursor={cursor}" if cursor else "")
            page = await self._until_answered("GET", f"/v1/messages{query}")
            found += page["data"]
            if page["next_cursor"] is None:
                return found
            cursor = page["next_cursor"]

    async def _seen_by_the_network(self) -> Counter[str]:
        seen: Counter[str] = Counter()
        since = 0
        while True:
            answer = await self.bank.emulator.call("sms_sent", number=FAR, since=since)
            if not answer["messages"]:
                return seen
            seen.update(record["text"] for record in answer["messages"])
            since = max(record["n"] for record in answer["messages"])

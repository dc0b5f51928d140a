"""A whole bank for tests: an emulator and a server, each a process of its own, and a client for the front door."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from tests.support.emulator import RunningEmulator, start_emulator

START_LIMIT_S = 60.0
WAIT_LIMIT_S = 30.0
ROOT = Path(__file__).resolve().parents[2]

Json = dict[str, Any]
T = TypeVar("T")


class Server:
    """`modembank serve` as a process; it can be killed and started again on the same data."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = dict(environment)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""
        self.api_key = ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "from modembank.cli import main; main()", "serve", "--port", "0", "--json"),
                env=os.environ | self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), START_LIMIT_S)
        assert line, f"the server did not start:\n{self._log.read_text()}"
        facts = json.loads(line)
        self.url = facts["url"]
        self.api_key = facts.get("api_key") or self.api_key

    async def another(self, **settings: str) -> tuple[int, str]:
        """Start one more on the same settings, with a few changed, and wait for its end: exit status and stderr."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from modembank.cli import main; main()", "serve", "--port", "0", "--json"),
            env=os.environ | self._environment | settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            _, stderr = await asyncio.wait_for(process.communicate(), START_LIMIT_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, stderr.decode()

    async def kill(self) -> None:
        """SIGKILL: no goodbye of any kind."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, as systemd would."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), START_LIMIT_S)

    def log_text(self) -> str:
        return self._log.read_text()


class BankClient:
    """A server and an authorised client; what is behind the server is nobody's business here."""

    def __init__(self, server: Server, data_dir: Path) -> None:
        self.server = server
        self.data_dir = data_dir

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.server.url,
            headers={"Authorization": f"Bearer {self.server.api_key}"},
            timeout=30,
            trust_env=False,
            verify=False,  # plain HTTP; loading certificates for each client takes longer than the request
        )

    async def get(self, path: str) -> Json:
        async with self.client() as client:
            answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Json | None = None, *, status: int = 200, key: str | None = None) -> Json:
        headers = {"Idempotency-Key": key} if key else {}
        async with self.client() as client:
            answer = await client.post(path, json=body or {}, headers=headers)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json()

    async def dial(self, to: str, **fields: Any) -> Json:
        return await self.post("/v1/calls", {"to": to, **fields}, status=201)

    async def wait_call(self, call_id: str, reached: Callable[[Json], bool], *, limit_s: float = WAIT_LIMIT_S) -> Json:
        async def look() -> Json | None:
            call = await self.get(f"/v1/calls/{call_id}")
            return call if reached(call) else None

        return await until(look, what=f"{call_id} to get there", limit_s=limit_s)

    async def wait_status(self, call_id: str, *statuses: str, limit_s: float = WAIT_LIMIT_S) -> Json:
        return await self.wait_call(call_id, lambda call: call["status"] in statuses, limit_s=limit_s)

    async def wait_ready(self, modems: int) -> None:
        async def look() -> bool | None:
            listed = (await self.get("/v1/modems?limit=500"))["data"]
            return sum(modem["state"] == "ready" for modem in listed) >= modems or None

        await until(look, what=f"{modems} modems to be ready", limit_s=START_LIMIT_S)

    @contextlib.asynccontextmanager
    async def watching(self, into: list[Json]) -> AsyncIterator[None]:
        """Collect events over Server-Sent Events, as a script would."""
        connected = asyncio.Event()

        async def read() -> None:
            headers, params = {"Accept": "text/event-stream"}, {"levels": "false"}
            async with (
                self.client() as client,
                client.stream("GET", "/v1/events", headers=headers, params=params, timeout=None) as answer,
            ):
                assert answer.status_code == 200
                connected.set()
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        into.append(json.loads(line.removeprefix("data:")))

        reader = asyncio.create_task(read())
        try:
            await asyncio.wait_for(connected.wait(), WAIT_LIMIT_S)
            yield
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


class TestBank(BankClient):
    """Emulator, server and an authorised client."""

    __test__ = False

    def __init__(self, emulator: RunningEmulator, server: Server, data_dir: Path) -> None:
        super().__init__(server, data_dir)
        self.emulator = emulator

    @property
    def parties(self) -> Mapping[str, str]:
        return self.emulator.parties


async def until(look: Callable[[], Awaitable[T | None]], *, what: str, limit_s: float = WAIT_LIMIT_S) -> T:
    """Ask again and again until there is an answer; the limit is generous because machines are shared."""
    deadline = time.monotonic() + limit_s
    while True:
        found = await look()
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"waited {limit_s:g} s in vain for {what}"
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def start_bank(
    tmp_path: Path,
    *,
    modems: int = 2,
    ready: int | None = None,
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[TestBank]:
    """Run an emulator of `modems` modems and a server on it, from when `ready` are (all); both end with the block."""
    async with start_emulator(tmp_path, modems=modems, **options) as emulator:
        data_dir = tmp_path / "data"
        environment = {
            "MODEMBANK_DATA_DIR": str(data_dir),
            "MODEMBANK_SERIAL__SYSFS_ROOT": str(emulator.sys),
            "MODEMBANK_SERIAL__DEV_ROOT": str(emulator.dev),
            "MODEMBANK_SERIAL__RESCAN_S": "0.5",
            **(settings or {}),
        }
        server = Server(environment, tmp_path / "server.log")
        await server.start()
        bank = TestBank(emulator, server, data_dir)
        try:
            await bank.wait_ready(modems if ready is None else ready)
            yield bank
        finally:
            await server.stop()

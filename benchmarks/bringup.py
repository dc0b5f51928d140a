"""How long a bank of modems takes to be ready, and what the server costs while nothing happens.

One emulator process, one server process, both on this machine. Prints a table; `--json FILE` writes
`{"modems", "ready_s", "idle_core_share", "idle_s", "rss_mb"}`.

Run: `.venv/bin/python benchmarks/bringup.py --modems 64 --idle 30`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

from tests.support.bank import Server
from tests.support.emulator import start_emulator

TICKS = os.sysconf("SC_CLK_TCK")
READY_LIMIT_S = 120.0


async def measure(modems: int, idle_s: float) -> dict[str, float]:
    """Start everything, wait until all modems are ready, then watch the server doing nothing."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        async with start_emulator(root, modems=modems) as emulator:
            server = Server(
                {
                    "MODEMBANK_DATA_DIR": str(root / "data"),
                    "MODEMBANK_SERIAL__SYSFS_ROOT": str(emulator.sys),
                    "MODEMBANK_SERIAL__DEV_ROOT": str(emulator.dev),
                },
                root / "server.log",
            )
            await server.start()
            started = time.monotonic()  # from the moment the server says that it is up
            try:
                ready_s = await _ready(server, modems, started)
                await asyncio.sleep(5)  # the first look at the signal and the like
                before = _cpu_s(server.pid)
                await asyncio.sleep(idle_s)
                share = (_cpu_s(server.pid) - before) / idle_s
                rss_mb = _rss_mb(server.pid)
            finally:
                await server.stop()
    return {"modems": modems, "ready_s": ready_s, "idle_core_share": share, "idle_s": idle_s, "rss_mb": rss_mb}


async def _ready(server: Server, modems: int, started: float) -> float:
    import httpx2

    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as client:
        while time.monotonic() - started < READY_LIMIT_S:
            listed = (await client.get("/v1/modems", params={"limit": 500})).json()["data"]
            if sum(modem["state"] == "ready" for modem in listed) == modems:
                return time.monotonic() - started
            await asyncio.sleep(0.1)
    raise SystemExit(f"not all of {modems} modems were ready within {READY_LIMIT_S:g} s:\n{server.log_text()[-2000:]}")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modems", type=int, default=64)
    parser.add_argument("--idle", type=float, default=30.0, help="seconds of watching")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.modems, arguments.idle))
    print(f"{'modems':>8} {'ready s':>9} {'idle, % of a core':>19} {'RSS MB':>8}")
    print(
        f"{result['modems']:>8} {result['ready_s']:>9.2f} {100 * result['idle_core_share']:>19.2f} "
        f"{result['rss_mb']:>8.0f}"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

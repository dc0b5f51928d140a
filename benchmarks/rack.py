"""A whole rack in one host process: bring-up, idle cost, and what a hung modem and a lost hub do to the others' calls.

One emulator process with modems of all families, one server process, and some calls from here. The server's event loop
is watched from a thread of its own: how late does it run what is handed to it? Prints a table and, as its last line,
JSON; `--json FILE` also writes it there.

Run: `.venv/bin/python benchmarks/rack.py --modems 256 --lost 64`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from modembank.tty.discovery import scan
from modembank.webrtc.client import ToneVoice, WebrtcClient
from tests.support.bank import Json, Server, TestBank, until
from tests.support.emulator import start_emulator

TICKS = os.sysconf("SC_CLK_TCK")
LIMIT_S = 300.0
# Python imports this module before any other. It hands the loop a stamp every 10 ms and notes how late it was taken.
PROBE = """
import asyncio.base_events as base, os, threading, time

def note(file, sent):
    file.write(f"{time.time()} {time.perf_counter() - sent}\\n")

def watch(loop, path):
    with open(path, "a", buffering=1) as file:
        while True:
            sent = time.perf_counter()
            try:
                loop.call_soon_threadsafe(note, file, sent)
            except RuntimeError:
                return
            time.sleep(0.01)

run_forever = base.BaseEventLoop.run_forever

def watched(loop):
    if "RACK_LAG" in os.environ:
        threading.Thread(target=watch, args=(loop, os.environ.pop("RACK_LAG")), daemon=True).start()
    run_forever(loop)

base.BaseEventLoop.run_forever = watched
"""


class Watch:
    """The loop's lags, by phase."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def p99_ms(self, since: float) -> float:
        """The 99th percentile of what was measured since then."""
        lags = self._since(since)
        return 1000 * lags[min(len(lags) - 1, round(0.99 * len(lags)))] if lags else 0.0

    def worst_ms(self, since: float) -> float:
        """The worst lag since then."""
        return 1000 * max(self._since(since), default=0.0)

    def _since(self, since: float) -> list[float]:
        rows = (line.split() for line in self._path.read_text().splitlines())
        return sorted(float(row[1]) for row in rows if len(row) == 2 and float(row[0]) >= since)


async def measure(modems: int, lost: int, calls: int, idle_s: float) -> dict[str, float]:
    """Run all phases and return what they gave."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "probe").mkdir()
        (root / "probe" / "sitecustomize.py").write_text(PROBE)
        async with start_emulator(root, modems=modems, family="mixed") as emulator:
            server = Server(
                {
                    "MODEMBANK_DATA_DIR": str(root / "data"),
                    "MODEMBANK_SERIAL__SYSFS_ROOT": str(emulator.sys),
                    "MODEMBANK_SERIAL__DEV_ROOT": str(emulator.dev),
                    "PYTHONPATH": f"{root / 'probe'}:{Path(__file__).resolve().parents[1]}",
                    "RACK_LAG": str(root / "lag"),
                },
                root / "server.log",
            )
            await server.start()
            try:
                return await _phases(
                    TestBank(emulator, server, root / "data"), Watch(root / "lag"), lost, calls, idle_s
                )
            finally:
                await server.stop()


async def _phases(bank: TestBank, watch: Watch, lost: int, calls: int, idle_s: float) -> dict[str, float]:
    # Of the families, some are on serial ports, which only settings tell; here the USB bus alone is looked at.
    places = {one.usb_path for one in scan(bank.emulator.sys, bank.emulator.dev)}
    all_modems = (await bank.emulator.call("status"))["modems"]
    assert isinstance(all_modems, list)
    usable = [one["index"] for one in all_modems if one["usb_path"] in places]
    modems, gone, hung = len(usable), usable[:lost], usable[lost]
    started, began = time.time(), time.monotonic()
    await _ready(bank, modems)
    result: dict[str, float] = {"modems": modems, "ready_s": time.monotonic() - began}
    result["bring_up_lag_p99_ms"] = watch.p99_ms(started)
    await asyncio.sleep(5)  # the first look at the signal and the like
    started, before = time.time(), _cpu_s(bank.server.pid)
    await asyncio.sleep(idle_s)
    result["idle_core_share"] = (_cpu_s(bank.server.pid) - before) / idle_s
    result["idle_lag_p99_ms"] = watch.p99_ms(started)
    clients = [WebrtcClient(ToneVoice(400.0 + 50 * number)) for number in range(calls)]
    try:
        # The last modems carry the calls; the first ones are lost.
        ids = [await _call(bank, client, usable[-1 - number]) for number, client in enumerate(clients)]
        started = time.time()
        await bank.emulator.call("mute", modem=hung, on=True)
        await asyncio.gather(*(bank.emulator.call("drop", modem=index) for index in gone))
        began = time.monotonic()
        await asyncio.sleep(10)
        await asyncio.gather(*(bank.emulator.call("readd", modem=index) for index in gone))
        back = time.monotonic()
        await _ready(bank, modems - 1)  # all but the mute one, which is being healed
        result["hub_back_s"] = time.monotonic() - back
        await asyncio.sleep(max(0.0, 30 - (time.monotonic() - began)))
        result["failure_lag_p99_ms"], result["failure_lag_worst_ms"] = watch.p99_ms(started), watch.worst_ms(started)
        states = [(await bank.get(f"/v1/calls/{call_id}"))["status"] for call_id in ids]
        result["calls"], result["calls_still_up"] = calls, states.count("in_progress")
        ended = [await bank.post(f"/v1/calls/{call_id}/actions/hangup") for call_id in ids]
        result["frames_concealed"] = sum((call["quality"] or {}).get("concealed", 0) for call in ended)
    finally:
        await asyncio.gather(*(client.close() for client in clients))
    result["rss_mb"] = _rss_mb(bank.server.pid)
    return result


async def _call(bank: TestBank, client: WebrtcClient, index: int) -> str:
    iccid = (await bank.emulator.modem(index))["iccid"]
    offer = {"type": "offer", "sdp": await client.offer()}
    call = await bank.dial(bank.parties["echo"], webrtc=offer, **{"from": iccid})
    await client.accept(call["webrtc"]["sdp"])
    await bank.wait_status(call["id"], "in_progress", limit_s=60)
    return str(call["id"])


async def _ready(bank: TestBank, modems: int) -> None:
    async def look() -> bool | None:
        listed: Sequence[Json] = (await bank.get("/v1/modems?limit=500"))["data"]
        ready = sum(modem["state"] in ("ready", "in_call") for modem in listed)
        if ready < modems:
            await asyncio.sleep(0.3)
        return ready >= modems or None

    await until(look, what=f"{modems} modems to be ready", limit_s=LIMIT_S)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modems", type=int, default=256)
    parser.add_argument("--lost", type=int, default=64, help="how many of the first modems lose their hubs")
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--idle", type=float, default=30.0, help="seconds of watching")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.modems, arguments.lost, arguments.calls, arguments.idle))
    for name, value in result.items():
        print(f"{name:>24} {value:10.2f}")
    print(json.dumps(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

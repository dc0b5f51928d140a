"""A naive aiortc bridge and modembank's, one after the other in this run, under the same load.

    python benchmarks/media.py --codec pcmu --calls 20 --seconds 10 --json media.json

Three processes each time: the bridge (alone on one core where there are two), the modems (ptys) and the WebRTC
peers, over loopback. CPU is the bridge process's own, in the steady window only. `late_fraction`: frames of
both directions more than 20 ms behind the fastest of the last second. `added_ms`: from a block's writing on one
side to the same sample's availability on the other, codec included, [p50, p99]. `rss_kb_per_call`: growth from
the first call to the last. `ratio`: modembank's CPU by the naive bridge's; with `--engine both` the C core is
`modembank`, and `modembank_python` and `ratio_python` stand beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_lines import Answer, Child, added_ms

SETTLE_S = 2.0
OURS = "direct_bridge.py"
CODECS = {"pcmu": "PCMU", "pcma": "PCMA", "opus": "opus"}


@dataclass(frozen=True, slots=True)
class Figures:
    cpu_ms_per_call_s: float
    late_fraction: float
    to_client_ms: tuple[float, float]
    to_modem_ms: tuple[float, float]
    rss_kb_per_call: float
    marks: int

    def as_json(self) -> dict[str, Any]:
        return {
            "cpu_ms_per_call_s": round(self.cpu_ms_per_call_s, 3),
            "late_fraction": round(self.late_fraction, 5),
            "added_ms": {
                "to_client": [round(value, 2) for value in self.to_client_ms],
                "to_modem": [round(value, 2) for value in self.to_modem_ms],
            },
            "rss_kb_per_call": round(self.rss_kb_per_call, 1),
        }


async def measure(bridge_of: tuple[str, ...], codec: str, calls: int, seconds: float) -> Figures:
    """Run one bridge (script and arguments) under the load."""
    cpus = sorted(os.sched_getaffinity(0))
    own, others = {cpus[-1]}, set(cpus[:-1]) or set(cpus)
    bridge = await Child.start(*bridge_of, cpus=own)
    modems = await Child.start("bench_modems.py", str(calls), cpus=others)
    peers = await Child.start("bench_peers.py", CODECS[codec], str(calls), cpus=others)
    try:
        ports = (await modems.ask("ports"))["ports"]
        first_rss_kb = 0
        for call, port in enumerate(ports):
            offer = (await peers.ask("offer", call=call))["offer"]
            answer = (await bridge.ask("attach", port=port, offer=offer))["answer"]
            await peers.ask("accept", call=call, answer=answer)
            if call == 0:
                await asyncio.sleep(1.0)
                first_rss_kb = (await bridge.ask("usage"))["rss_kb"]
        await asyncio.sleep(SETTLE_S)
        start, before = time.monotonic(), await bridge.ask("usage")
        await asyncio.sleep(seconds)
        end, after = time.monotonic(), await bridge.ask("usage")
        modem_side = await modems.ask("collect", start=start, end=end)
        peer_side = await peers.ask("collect", start=start, end=end)
    finally:
        for child in (bridge, peers, modems):
            await child.stop()
    cpu_ms = 1000 * (after["cpu_s"] - before["cpu_s"]) / (calls * (end - start))
    rss_kb = (after["rss_kb"] - first_rss_kb) / max(1, calls - 1)
    return figures(cpu_ms, rss_kb, modem_side["calls"], peer_side["calls"])


def figures(cpu_ms: float, rss_kb: float, modems: list[Answer], peers: list[Answer]) -> Figures:
    """Put the two ends' notes together."""
    down = [ms for modem, peer in zip(modems, peers, strict=True) for ms in added_ms(modem["said"], peer["marks"])]
    up = [ms for modem, peer in zip(modems, peers, strict=True) for ms in added_ms(peer["said"], modem["marks"])]
    frames = sum(side["frames"] for side in (*modems, *peers))
    late = sum(side["late"] for side in (*modems, *peers))
    return Figures(cpu_ms, late / max(1, frames), percentiles(down), percentiles(up), rss_kb, min(len(down), len(up)))


def percentiles(values: list[float]) -> tuple[float, float]:
    """Return p50 and p99."""
    if not values:
        return (float("nan"), float("nan"))
    values = sorted(values)
    return values[len(values) // 2], values[min(len(values) - 1, int(len(values) * 0.99))]


def table(codec: str, calls: int, results: dict[str, Figures]) -> str:
    """Return the figures for people."""
    lines = [
        f"{codec}, {calls} calls",
        f"{'':18} {'CPU ms/call-s':>14} {'late':>8} {'to client p50/p99 ms':>22} "
        f"{'to modem p50/p99 ms':>22} {'KB/call':>8}",
    ]
    for name, f in results.items():
        down, up = f.to_client_ms, f.to_modem_ms
        lines.append(
            f"{name:18} {f.cpu_ms_per_call_s:14.2f} {f.late_fraction:8.2%} "
            f"{down[0]:13.2f} /{down[1]:7.2f} {up[0]:13.2f} /{up[1]:7.2f} {f.rss_kb_per_call:8.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codec", choices=sorted(CODECS), default="pcmu")
    parser.add_argument(
        "--engine",
        choices=["auto", "native", "python", "both"],
        default="auto",
        help="which of our engines; auto is what `modembank serve` takes here",
    )
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bridges = {"naive": ("naive_bridge.py",)}
    for engine in ("native", "python") if arguments.engine == "both" else (arguments.engine,):
        bridges["modembank_python" if engine == "python" and len(bridges) > 1 else "modembank"] = (OURS, engine)
    results: dict[str, Figures] = {}
    for name, bridge in bridges.items():
        results[name] = asyncio.run(measure(bridge, arguments.codec, arguments.calls, arguments.seconds))
    naive = results["naive"].cpu_ms_per_call_s
    ratios = {name: figures.cpu_ms_per_call_s / naive for name, figures in results.items() if name != "naive"}
    print(table(arguments.codec, arguments.calls, results))
    for name, ratio in ratios.items():
        print(f"ratio of {name}: {ratio:.3f} (1/{1 / ratio:.1f})")
    if arguments.json:
        report: dict[str, Any] = {"codec": arguments.codec, "calls": arguments.calls, "engine": arguments.engine}
        report |= {name: figure.as_json() for name, figure in results.items()}
        report |= {name.replace("modembank", "ratio"): round(ratio, 4) for name, ratio in ratios.items()}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()

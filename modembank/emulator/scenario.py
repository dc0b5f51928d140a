"""Scenarios: control operations at given times, from a TOML file or by chance from a seed."""

from __future__ import annotations

import logging
import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modembank.emulator.operations import OPERATIONS
from modembank.emulator.request import Request
from modembank.emulator.timers import Timers
from modembank.emulator.world import World
from modembank.errors import EmulatorError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One control operation, `at_s` seconds after the start."""

    at_s: float
    op: str
    values: Mapping[str, object] = field(default_factory=dict)


def read_scenario(path: Path) -> tuple[Step, ...]:
    """Return the steps of a TOML file with `[[step]]` tables, in order of time.

    Raises:
        EmulatorError: the file cannot be read, or a step is wrong; the text names the step.
    """
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EmulatorError(f"{path} cannot be read as a scenario: {error}") from None
    tables = content.get("step")
    if not isinstance(tables, list) or set(content) != {"step"}:
        raise EmulatorError(f"{path} must hold [[step]] tables and nothing else")
    steps = (_step(table, f"step {number} of {path}") for number, table in enumerate(tables, 1))
    return tuple(sorted(steps, key=lambda step: step.at_s))


def _step(table: object, where: str) -> Step:
    if not isinstance(table, dict):
        raise EmulatorError(f"{where} must be a table")
    values = dict(table)
    at_s, op = values.pop("at_s", None), values.pop("op", None)
    if isinstance(at_s, bool) or not isinstance(at_s, int | float) or not 0 <= at_s < float("inf"):
        raise EmulatorError(f"{where} needs at_s, a number of seconds from the start")
    if not isinstance(op, str) or op not in OPERATIONS:
        raise EmulatorError(f"{where} needs op, one of {', '.join(OPERATIONS)}")
    return Step(float(at_s), op, values)


class Player:
    """Plays steps on a world; a step that is refused is told in the journal and the rest goes on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._timers = Timers()

    def play(self, steps: Sequence[Step]) -> None:
        """Run steps at their times from now."""
        for step in steps:
            self._timers.after(step.at_s, self._runner(step))

    def play_chaos(self, seed: int, every_s: float) -> None:
        """Run steps by chance until the end; the same seed gives the same steps."""
        steps = chaos(seed, len(self._world.modems), every_s)
        self._next(steps, 0.0)

    def calm(self) -> None:
        """Play nothing more, and end every mishap that chaos may have begun."""
        self._timers.cancel()
        for modem in self._world.modems:
            for mishap in MISHAPS:
                if mishap.end is not None:
                    op, values = mishap.end
                    self._run(Step(0.0, op, {"modem": modem.index, **values}))

    def close(self) -> None:
        """End what has not been played."""
        self._timers.cancel()

    def _next(self, steps: Iterator[Step], now_s: float) -> None:
        step = next(steps)

        def run() -> None:
            self._run(step)
            self._next(steps, step.at_s)

        self._timers.after(step.at_s - now_s, run)

    def _runner(self, step: Step) -> Callable[[], None]:
        return lambda: self._run(step)

    def _run(self, step: Step) -> None:
        refused = None
        try:
            OPERATIONS[step.op](self._world, Request(step.values, self._world.modem))
        except EmulatorError as error:
            refused = str(error)
            _log.info("step %s was refused: %s", step.op, error)
        self._world.journal.publish("step", op=step.op, values=dict(step.values), refused=refused)


@dataclass(frozen=True, slots=True)
class Mishap:
    """A fault, how it begins and how it ends, as operations without their modem."""

    begin: tuple[str, Mapping[str, object]]
    end: tuple[str, Mapping[str, object]] | None = None


def _fault(name: str, value: object, after: object = None) -> Mishap:
    end = None if after is None else ("fault", {"name": name, "value": after})
    return Mishap(("fault", {"name": name, "value": value}), end)


MISHAPS = (
    Mishap(("mute", {"on": True}), ("mute", {"on": False})),
    Mishap(("hang", {"on": True}), ("hang", {"on": False})),
    Mishap(("slow", {"delay_s": 5.0}), ("slow", {"delay_s": 0.0})),
    Mishap(("drop", {}), ("readd", {})),
    Mishap(("reset", {})),
    Mishap(("remove_sim", {}), ("insert_sim", {})),
    Mishap(("registration", {"stat": 0}), ("registration", {"stat": 1})),
    Mishap(("registration", {"stat": 3}), ("registration", {"stat": 1})),
    Mishap(("registration", {"stat": 5}), ("registration", {"stat": 1})),
    Mishap(("registration", {"stat": 6}), ("registration", {"stat": 1})),
    Mishap(("signal", {"rssi": 2}), ("signal", {"rssi": 20})),
    _fault("swallow_reply", 1),
    _fault("stuck", "reopen"),
    _fault("stuck", "radio"),
    _fault("stuck", "restart"),
    _fault("stuck", "usb"),
    _fault("stuck", "power", ""),
    _fault("break_at", 1),
    _fault("urc_flood", 2000.0, 0.0),
    _fault("delay_reply_s", 3.0),
    _fault("urc_inside_answer", True, False),
    _fault("urc_split", True, False),
    _fault("urc_pair", True, False),
    _fault("double_cr", True, False),
    _fault("late_no_carrier", True, False),
    _fault("hangup_ignored", 1),
    _fault("ring_after_end", True, False),
    _fault("colp_style", True, False),
    _fault("conn_before_ok", True, False),
    _fault("orig_late", True, False),
    _fault("cnum_empty", True, False),
    _fault("glued_lines", True, False),
    _fault("cops_garbage", True, False),
    _fault("gnss", True, False),
    _fault("odd_reads", True, False),
    _fault("burst_audio", True, False),
    _fault("stall_audio", True, False),
    _fault("qpcmv_busy", True, False),
    _fault("ppm", 200.0, 0.0),
    _fault("cms_error", 38, 0),
    _fault("cms_error", 42, 0),
    _fault("cms_error", 500, 0),
    _fault("prompt_missing", 1),
    _fault("sms_twice", True, False),
    _fault("sms_out_of_order", True, False),
    _fault("sms_capacity", 1, 0),
    _fault("cmti_minus_one", True, False),
    _fault("cusd_before_ok", True, False),
    _fault("pcmreg_after_s", 0.6, 0.1),
)
"""Source: hardware facts section 14."""

SHORTEST_S, LONGEST_S = 1.0, 15.0


def chaos(seed: int, modems: int, every_s: float) -> Iterator[Step]:
    """Yield steps without end: mishaps at random times, each ended after a while, in order of time."""
    chance = random.Random(f"chaos:{seed}")
    ends: list[Step] = []
    now_s = 0.0
    while True:
        now_s += chance.expovariate(1 / every_s)
        due = sorted((step for step in ends if step.at_s <= now_s), key=lambda step: step.at_s)
        yield from due
        ends = [step for step in ends if step.at_s > now_s]
        mishap, modem = chance.choice(MISHAPS), chance.randrange(modems)
        lasts_s = chance.uniform(SHORTEST_S, LONGEST_S)
        op, values = mishap.begin
        yield Step(now_s, op, {"modem": modem, **values})
        if mishap.end is not None:
            op, values = mishap.end
            ends.append(Step(now_s + lasts_s, op, {"modem": modem, **values}))

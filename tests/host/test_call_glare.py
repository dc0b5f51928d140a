"""Fault 35: hang-up, answer, reject, RING and NO CARRIER in any order and at any moment, in virtual time.

The keeper, its driver and its calls run on a modem in memory with a network behind it. However the things cross, every
call ends once, the modem has no call left over, and the line is ready for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

import looptime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modembank.at.calls import CLCC_ENDED
from modembank.bus.events import AnyEvent, CallEnded, IncomingCall
from modembank.bus.vocabulary import Cause, HangupSource, ModemState
from modembank.call.media import AudioPlace, MediaSession, MediaSink
from modembank.call.order import Order
from modembank.errors import ModembankError
from modembank.host.keeper import ModemKeeper
from modembank.modem import ModemPorts
from tests.support.fake_modem import GENERIC, ICCID, FakeModem

FAR, CALLER = "+447700900123", "+447700900124"
EC25 = {"+CEREG=2": (), "+CEREG?": ("+CEREG: 2,1",), "+QCCID": (f"+QCCID: {ICCID}",), "^DSCI=1": (),
        "+QPCMV=1,0": (), "+QPCMV?": ("+QPCMV: 1,0",), "+CEER": ("+CEER: 5,16",), "+CHLD=0": ()}  # fmt: skip
ACTIVE, DIALING, ALERTING, INCOMING = 0, 2, 3, 4
RING_EVERY_S = 5.0
ORDERED = "call_ordered_"
DSCI = {ACTIVE: 3, DIALING: 2, ALERTING: 7, INCOMING: 4, CLCC_ENDED: 6}
STEPS = ("dial", "ring", "ring_again", "alerts", "picks_up", "far_hangs_up", "network_drops", "stray_no_carrier",
         "hang_up", "hang_up_twice", "answer", "reject")  # fmt: skip
# Around the driver's own times: events in one moment, the referee, a poll, the unanswered time.
PAUSES_S = (0.0, 0.0, 0.001, 0.03, 0.06, 0.3, 1.0, 4.0)


@dataclass
class Network(FakeModem):
    """A modem with one line of a network; `witness`: it tells its calls by ^DSCI, else only +CLCC shows them."""

    witness: bool = True
    state: int | None = None
    incoming: bool = False
    index: int = 0

    def __post_init__(self) -> None:
        self.table = GENERIC | EC25 | ({} if self.witness else {"^DSCI=1": "ERROR"})
        self.after = self._obey
        self._show()

    def become(self, state: int, *codes: str) -> None:
        """The call takes a step, and the modem says so."""
        self.state = None if state == CLCC_ENDED else state
        self._show()
        number = CALLER if self.incoming else FAR
        told = (f"^DSCI: {self.index},{int(self.incoming)},{DSCI[state]},0,{number},145",) if self.witness else ()
        self.urc(*told, *codes)

    def begin(self, state: int, *codes: str) -> None:
        self.index = self.index % 7 + 1
        self.incoming = state == INCOMING
        self.become(state, *codes)
        if self.incoming:
            asyncio.get_running_loop().call_later(RING_EVERY_S, self._ring, self.index)

    def _ring(self, index: int) -> None:
        if self.state == INCOMING and self.index == index:
            self.urc("RING", f'+CLIP: "{CALLER}",145')
            asyncio.get_running_loop().call_later(RING_EVERY_S, self._ring, index)

    def _show(self) -> None:
        idle = self.state is None
        number = CALLER if self.incoming else FAR
        listed = f'+CLCC: {self.index},{int(self.incoming)},{self.state},0,0,"{number}",145'
        self.table["+CLCC"] = () if idle else (listed,)
        self.table["A"] = () if self.state == INCOMING else "NO CARRIER"
        self.table[f"D{FAR};"] = () if idle else "+CME ERROR: 3"

    def _obey(self, command: str) -> None:
        if command == f"D{FAR};" and self.state is None:
            self.begin(DIALING)
        elif command == "A" and self.state == INCOMING:
            self.become(ACTIVE)
        elif command in {"+CHUP", f"+CHLD=1{self.index}"} and self.state is not None:
            self.become(CLCC_ENDED)


class Silence:
    """The engine of a modem without sound: nobody asks it for anything."""

    async def open(self, call_id: str, audio: AudioPlace, sink: MediaSink) -> MediaSession:
        raise AssertionError("there is no sound to open")


@dataclass
class Bench:
    """One keeper on one network, and what people do with it."""

    network: Network
    keeper: ModemKeeper
    events: list[AnyEvent]
    early: list[AnyEvent]
    ordered: set[str] = field(default_factory=set)
    wishes: list[asyncio.Task[None]] = field(default_factory=list)

    async def take(self, step: str) -> None:
        network, call = self.network, self.keeper.call
        match step:
            case "dial":
                await self._dial()
            case "ring" if network.state is None:
                network.begin(INCOMING, "RING", f'+CLIP: "{CALLER}",145')
            case "ring_again":
                network.urc("RING")  # of a call, or the last one of a call that is over
            case "alerts" if network.state == DIALING:
                network.become(ALERTING)
            case "picks_up" if network.state in (DIALING, ALERTING):
                network.become(ACTIVE)
            case "far_hangs_up" if network.state is not None:
                network.become(CLCC_ENDED, "NO CARRIER")
            case "network_drops" if network.state is not None:
                network.state = None
                network.become(CLCC_ENDED)
            case "stray_no_carrier":
                network.urc("NO CARRIER")
            case "hang_up" if call is not None:
                self._wish(call.hang_up(HangupSource.CALLER, Cause.NORMAL_CLEARING))
            case "hang_up_twice" if call is not None:
                self._wish(call.hang_up(HangupSource.CALLER, Cause.ORIGINATOR_CANCEL))
                self._wish(call.hang_up(HangupSource.SYSTEM, Cause.TIME_LIMIT))
            case "answer" if call is not None:
                self._wish(self._answer())
            case "reject" if call is not None:
                self._wish(call.hang_up(HangupSource.CALLEE, Cause.CALL_REJECTED))

    async def _dial(self) -> None:
        call_id = f"{ORDERED}{len(self.ordered)}"
        with contextlib.suppress(ModembankError):  # the line is in use
            call = self.keeper.new_call(call_id, ICCID)
            self.ordered.add(call_id)
            await call.place(Order(number=FAR, timeout_s=30.0, max_duration_s=60.0, offer=None, media_first=False))

    async def _answer(self) -> None:
        call = self.keeper.call
        if call is not None:
            await call.answer(None, 60.0)

    def _wish(self, work: Coroutine[None, None, object]) -> None:
        async def tolerant() -> None:
            with contextlib.suppress(ModembankError):  # too late, or somebody was faster
                await work

        self.wishes.append(asyncio.create_task(tolerant()))

    async def settle(self) -> None:
        """Hang up what is left, twice, and wait until nobody waits."""
        for _ in range(2):
            if (call := self.keeper.call) is not None:
                self._wish(call.hang_up(HangupSource.SYSTEM, Cause.SERVER_RESTART))
            await asyncio.sleep(40.0)  # virtual; longer than any deadline of a release
        async with asyncio.timeout(1.0):
            await asyncio.gather(*self.wishes)

    def check(self) -> None:
        ends = Counter(event.call_id for event in self.events if isinstance(event, CallEnded))
        told = {event.call_id for event in self.events if isinstance(event, IncomingCall)}
        assert ends == Counter(self.ordered | told), "each call ends once, and no other does"
        for call_id in ends:
            story = [event for event in self.events if getattr(event, "call_id", None) == call_id]
            assert isinstance(story[-1], CallEnded), "nothing is told after the end"
        assert not self.early, "no end is told of a call that the network still has"
        assert self.keeper.call is None
        assert self.network.state is None, "no call without an owner"
        assert len(self.network.sent("D")) <= len(self.ordered), "one ATD a call"
        assert self.keeper.snapshot().state is ModemState.READY


@contextlib.asynccontextmanager
async def bench(witness: bool) -> AsyncIterator[Bench]:
    network, events, early = Network(answers={}, witness=witness), list[AnyEvent](), list[AnyEvent]()

    def publish(event: AnyEvent) -> None:
        events.append(event)
        ours = isinstance(event, CallEnded) and event.call_id.startswith(ORDERED)
        if ours and network.state is not None and not network.incoming:
            early.append(event)

    ports = ModemPorts("1-1", 0, 0, Path("/dev/ttyUSB2"), None, "quectel-ec25", serial=True)
    keeper = ModemKeeper(ports, host_id="host_1", opener=network, engine=Silence(), publish=publish)
    running = asyncio.create_task(keeper.run())
    try:
        async with asyncio.timeout(60.0):
            while keeper.snapshot().state is not ModemState.READY:  # virtual time
                await asyncio.sleep(0.1)
        yield Bench(network, keeper, events, early)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def play(steps: list[tuple[str, float]], witness: bool) -> None:
    async with bench(witness) as table:
        for step, pause_s in steps:
            await table.take(step)
            await asyncio.sleep(pause_s)
        await table.settle()
        table.check()


def run(steps: list[tuple[str, float]], witness: bool) -> None:
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(play(steps, witness))


timed = st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(PAUSES_S)), min_size=2, max_size=14)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.sampled_from(("dial", "ring")), steps=timed, witness=st.booleans())
def test_any_crossing_ends_each_call_once(first: str, steps: list[tuple[str, float]], witness: bool) -> None:
    run([(first, 0.06), *steps], witness)


@pytest.mark.parametrize("pause_s", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("second", ["far_hangs_up", "network_drops", "answer", "reject", "hang_up", "ring_again"])
@pytest.mark.parametrize("first", ["hang_up", "answer", "reject", "far_hangs_up"])
def test_two_things_in_one_moment_at_an_incoming_call(first: str, second: str, pause_s: float) -> None:
    run([("ring", 0.3), (first, pause_s), (second, 0.0), ("stray_no_carrier", 0.3), ("dial", 0.3)], witness=True)

"""Fault 35: whatever happens in whatever order, a call ends exactly once and its SIM is free again."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from modembank.bank.records import CallQuery, DialRequest, PageQuery
from modembank.bus.events import CallEnded, HostStarted
from modembank.bus.vocabulary import CallStatus, Cause, HangupSource
from modembank.config import Settings
from modembank.errors import NoSimAvailableError, WrongStateError
from modembank.ids import new_id
from modembank.store.database import Database
from tests.support.rack import Rack, running
from tests.support.scripted_host import HOST_ID, modem

TO = "+447700900777"
SOURCES = st.sampled_from(HangupSource)


class Glare(RuleBasedStateMachine):
    """Rules only start something; they run together when `settle` waits for them."""

    url = ""
    folder = ""
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = contextlib.AsyncExitStack()
        self.started: list[asyncio.Task[object]] = []
        self.known: set[str] = set()
        self.sims = count(0)

    @initialize()
    def start(self) -> None:
        self.rack: Rack = self.runner.run(self._start())

    async def _start(self) -> Rack:
        database = Database(self.url)
        await database.open()
        self.stack.push_async_callback(database.close)
        rack = await self.stack.enter_async_context(running(database, Settings(data_dir=self.folder), 3))
        # What the example before left behind is over now.
        rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC)))
        for number in range(3):
            rack.host.change(modem(number))
        await rack.told()
        return rack

    def teardown(self) -> None:
        if hasattr(self, "rack"):
            self.runner.run(self._finish())
        self.runner.close()

    async def _finish(self) -> None:
        await self._settle()
        self.rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC)))
        await self.rack.told()
        for call_id in self.known:
            ended = [event for event in await self.rack.call_events(call_id) if event.type == "call.ended"]
            assert len(ended) == 1, call_id
            call = await self.rack.bank.get_call(call_id)
            assert ended[0].data["call"]["hangup"]["cause"] == call.hangup.cause
        assert all(sim.call_id is None for sim in (await self.rack.bank.list_sims(PageQuery(limit=100))).data)
        await self.stack.aclose()

    def begin(self, work) -> None:
        async def started() -> None:
            self.started.append(asyncio.create_task(self._tolerant(work)))

        self.runner.run(started())

    async def _tolerant(self, work) -> None:
        with contextlib.suppress(WrongStateError):
            await work

    @rule(target=calls)
    def dial(self) -> str:
        return self.runner.run(self._dial())

    async def _dial(self) -> str:
        try:
            call_id = (await self.rack.bank.dial(DialRequest(to=TO), actor="test")).call.id
        except NoSimAvailableError:
            return ""
        self.known.add(call_id)
        return call_id

    @rule(target=calls)
    def comes_in(self) -> str:
        call_id = new_id("call")
        self.rack.host.incoming(call_id, self.rack.host.modems[next(self.sims) % 3], "+447700900555")
        self.known.add(call_id)
        self.runner.run(self.rack.told())
        return call_id

    @rule(call_id=calls.filter(bool))
    def hang_up(self, call_id: str) -> None:
        self.begin(self.rack.bank.hang_up(call_id))

    @rule(call_id=calls.filter(bool))
    def answer(self, call_id: str) -> None:
        if call_id in self.rack.host.calls:  # the scripted host knows no other refusal
            self.begin(self.rack.bank.answer(call_id, None))

    @rule(call_id=calls.filter(bool))
    def reject(self, call_id: str) -> None:
        self.begin(self.rack.bank.reject(call_id))

    @rule(call_id=calls.filter(bool), source=SOURCES)
    def the_network_ends_it(self, call_id: str, source: HangupSource) -> None:
        if call_id in self.rack.host.calls:
            self.rack.host.end(call_id, source)

    @rule(call_id=calls.filter(bool))
    def its_end_is_told_again(self, call_id: str) -> None:
        self.rack.host.calls.pop(call_id, None)
        self.rack.bus.publish(
            CallEnded(
                host_id=HOST_ID,
                at=datetime.now(UTC),
                call_id=call_id,
                sequence=99,
                status=CallStatus.FAILED,
                source=HangupSource.SYSTEM,
                cause=Cause.MODEM_LOST,
                q850=None,
                detail="",
                duration_s=0.0,
                quality=None,
            )
        )

    @rule()
    def the_host_starts_again(self) -> None:
        self.rack.host.calls.clear()
        self.rack.bus.publish(HostStarted(host_id=HOST_ID, at=datetime.now(UTC)))
        for number in range(3):
            self.rack.host.change(modem(number))

    @rule()
    def settle(self) -> None:
        self.runner.run(self._settle())

    async def _settle(self) -> None:
        await asyncio.gather(*self.started)
        self.started.clear()
        await self.rack.told()

    @invariant()
    def no_sim_has_two_calls(self) -> None:
        if hasattr(self, "rack"):
            self.runner.run(self._check())

    async def _check(self) -> None:
        """I1, seen in the database: a SIM belongs to an open call of its own, or to none."""
        calls = {call.id: call for call in (await self.rack.bank.list_calls(CallQuery(limit=500))).data}
        for sim in (await self.rack.bank.list_sims(PageQuery(limit=100))).data:
            if sim.call_id is not None:
                assert calls[sim.call_id].sim.id == sim.id


@pytest.mark.timeout(110)
def test_any_interleaving_gives_exactly_one_end(database_url, tmp_path, monkeypatch):
    monkeypatch.setattr("modembank.bank.control.SETTLE_S", 0.05)
    kind = type("GlareOnThisDatabase", (Glare,), {"url": database_url, "folder": str(tmp_path)})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=8, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

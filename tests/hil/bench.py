"""Two lines of a rack, and a guard: what the rack file does not allow is refused before anything is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from modembank.errors import LimitReachedError, ModembankError
from modembank.selftest.rack import Budget, Rack, RackSim
from modembank.selftest.result import Line
from tests.support.bank import BankClient, Json, until

READY_LIMIT_S = 180.0
"""A stick that boots, is switched over by usb_modeswitch and searches its network."""
CALL_LIMIT_S = 60.0
LONGEST_CALL_S = 60.0


class Bench:
    """`a` may call `b`; `emulated` only for bounds that a real network cannot keep."""

    def __init__(self, bank: BankClient, rack: Rack, *, emulated: bool) -> None:
        self.bank = bank
        self.rack = rack
        self.emulated = emulated
        self.budget = Budget(rack.limits)
        names = {sim.name: sim for sim in rack.sim}
        pairs = ((sim, names[target]) for sim in rack.sim for target in sim.may_call if target in names)
        found = next(((sim, other) for sim, other in pairs if sim is not other), None)
        assert found is not None, "the rack file has no SIM that may call another SIM of the file by name"
        self.a, self.b = found

    async def sim(self, member: RackSim) -> Json | None:
        """Return the bank's record of a SIM of the file, or None while it was not seen."""
        for sim in (await self.bank.get("/v1/sims?limit=500"))["data"]:
            if member.iccid is not None and sim["iccid"] == member.iccid:
                return sim
            if member.slot is not None and sim["modem"] is not None:
                modem = await self.bank.get(f"/v1/modems/{sim['modem']['id']}")
                if member.slot in (modem["label"], modem["slot"], modem["usb_path"]):
                    return sim
        return None

    async def ready(self, member: RackSim) -> Json:
        """Wait until a SIM is ready and return it; its number is that of the file."""

        async def look() -> Json | None:
            sim = await self.sim(member)
            return sim if sim is not None and sim["state"] == "ready" else None

        sim = await until(look, what=f"SIM {member.name} to be ready", limit_s=READY_LIMIT_S)
        if sim["number"] != member.number:
            async with self.bank.client() as client:
                await client.patch(f"/v1/sims/{sim['id']}", json={"number": member.number})
        return sim

    async def modem(self, member: RackSim) -> Json:
        """Return the modem in which a ready SIM sits."""
        sim = await self.ready(member)
        return await self.bank.get(f"/v1/modems/{sim['modem']['id']}")

    async def line(self, member: RackSim) -> Line:
        """Return a SIM of the file as the self-test names it."""
        sim, modem = await self.ready(member), await self.modem(member)
        return Line(
            sim["id"], sim["iccid"], member.number, member.name, modem["id"], modem["usb_path"], modem["dialect"]
        )

    def reserve(self, caller: RackSim, to: str, longest_s: float = LONGEST_CALL_S) -> int:
        """Ask the file and the limits for one call; a limit that would be passed ends the run."""
        self.rack.check_call(caller.name, to)
        try:
            return self.budget.take_call(longest_s)
        except LimitReachedError as error:
            pytest.exit(str(error), returncode=1)

    @asynccontextmanager
    async def calling(self, caller: RackSim, to: str) -> AsyncIterator[Json]:
        """Dial, and hang up at the end of the block whatever happened."""
        self.rack.check_call(caller.name, to)
        sim = await self.ready(caller)
        ticket = self.reserve(caller, to)
        talked_s = LONGEST_CALL_S
        try:
            call = await self.bank.dial(to, **{"from": sim["id"]}, max_duration_s=LONGEST_CALL_S)
            try:
                yield call
            finally:
                with suppress(ModembankError):
                    await self.bank.post(f"/v1/calls/{call['id']}/actions/hangup")
                ended = await self.ended(call["id"])
                talked_s = ended["duration_s"]
        finally:
            self.budget.settle_call(ticket, talked_s)

    async def rings(self, member: RackSim) -> Json:
        """Wait until a SIM of the file rings and return its call."""
        sim = await self.sim(member)
        assert sim is not None

        async def look() -> Json | None:
            listed = await self.bank.get(f"/v1/calls?direction=inbound&status=ringing&sim_id={sim['id']}")
            return listed["data"][0] if listed["data"] else None

        return await until(look, what=f"SIM {member.name} to ring", limit_s=CALL_LIMIT_S)

    async def reached(self, call_id: str, status: str) -> Json:
        """Wait until a call has a status."""
        return await self.bank.wait_status(call_id, status, limit_s=CALL_LIMIT_S)

    async def ended(self, call_id: str) -> Json:
        """Wait until a call is over."""
        return await self.bank.wait_call(call_id, lambda call: call["ended_at"] is not None, limit_s=CALL_LIMIT_S)

    async def text(self, sender: RackSim, to: str, text: str) -> Json:
        """Send a message of one part."""
        self.rack.check_text(sender.name, to)
        sim = await self.ready(sender)
        try:
            self.budget.take_message()
        except LimitReachedError as error:
            pytest.exit(str(error), returncode=1)
        return await self.bank.post("/v1/messages", {"to": to, "from": sim["id"], "text": text}, status=201)

"""Carries out what the ladder decides: looks at all modems regularly, uses one rung at a time, and tells of each.

It outlives the keepers: a modem that restarts leaves the bus, and comes back as another device in the same place.
Restarts are staggered, for a hub that has to feed four modems at once may lose them all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from modembank.bus.events import AnyEvent, ModemHealing
from modembank.bus.vocabulary import HealingPhase, HealingStep, Trouble
from modembank.errors import ModembankError, NotFoundError, WrongStateError
from modembank.host import words
from modembank.host.incidents import hubs_of
from modembank.host.ladder import (
    Climb,
    Decision,
    Finding,
    Freed,
    Healed,
    Isolate,
    LadderTimings,
    Patient,
    decide,
    failed,
    free,
)
from modembank.host.vitals import Vitals, VitalTimings, diagnose, is_well

log = logging.getLogger(__name__)

LOOK_S = 1.0  # between two looks at all modems
AWAY_S = 6.0  # a modem that heard the restart has left the bus by then
BACK_S = 90.0  # and is back by then, at the latest
AT_ONCE = 4  # restarts under way on one host
STAGGER_S = 5.0  # between two restarts behind one hub
STEP_LIMIT_S = 180.0  # every step has shorter deadlines of its own; this is for what nobody thought of

_STAGGERED = frozenset({HealingStep.RADIO, HealingStep.RESTART, HealingStep.USB_RESET, HealingStep.PORT_POWER})
_LEAVES = frozenset({HealingStep.RESTART, HealingStep.USB_RESET, HealingStep.PORT_POWER})


class Ward(Protocol):
    """What the doctor needs of a modem's keeper."""

    def vitals(self) -> Vitals:
        """How it is now."""

    def is_attached(self) -> bool:
        """Whether its port is there."""

    async def reopen(self) -> None:
        """Close the port and open it again."""

    async def close(self, detail: str) -> None:
        """Close the port until `reopen`; `detail` says why."""

    async def isolate(self, detail: str) -> None:
        """As `close`, for a quarantine."""

    async def cycle_radio(self) -> None:
        """Radio off and on."""

    async def restart(self) -> None:
        """+CFUN=1,1."""


class Power(Protocol):
    """What the doctor needs of the USB bus; see `tty.power`."""

    def can_reset(self, usb_path: str) -> bool:
        """Whether `reset` is possible."""

    def can_cycle(self, usb_path: str) -> bool:
        """Whether `cycle` is possible."""

    async def reset(self, usb_path: str) -> None:
        """Log the device off and on."""

    async def cycle(self, usb_path: str) -> None:
        """Cut its port's power and give it back."""


class Doctor:
    """Looks after the modems of one host."""

    def __init__(
        self,
        *,
        host_id: str,
        wards: Mapping[str, Ward],
        power: Power,
        publish: Callable[[AnyEvent], None],
        patience: float = 1.0,
    ) -> None:
        """`wards`: the host's own table, which it changes. `patience`: factor on all times."""
        self._host_id = host_id
        self._wards = wards
        self._power = power
        self._publish = publish
        self._patience = patience
        self._ladder = LadderTimings().scaled(patience)
        self._vitals = VitalTimings().scaled(patience)
        self._patients: dict[str, Patient] = {}
        self._expected: dict[str, float] = {}  # away for a reason, back by then
        self._steps: dict[str, asyncio.Task[None]] = {}
        self._started: dict[str, float] = {}  # hub -> its last restart

    async def run(self) -> None:
        """Look regularly, until cancelled; steps under way are ended then."""
        try:
            while True:
                await asyncio.sleep(LOOK_S * min(1.0, self._patience))
                self.look()
        finally:
            tasks = list(self._steps.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def look(self) -> None:
        """Look at every modem once."""
        now_s = asyncio.get_running_loop().time()
        for usb_path in {*self._wards, *self._expected, *self._patients}:
            if usb_path not in self._steps:
                self._look_at(usb_path, now_s)

    def release(self, usb_path: str) -> None:
        """A person ends a quarantine. Raises NotFoundError, WrongStateError."""
        patient = self._patients.get(usb_path)
        if patient is None and usb_path not in self._wards:
            raise NotFoundError(f"no modem at {usb_path} is attached to this host")
        if patient is None or not patient.quarantined or patient.finding is None:
            raise WrongStateError(f"the modem at {usb_path} is not in quarantine")
        if usb_path in self._steps:
            raise WrongStateError(f"the modem at {usb_path} is being closed; try again in a moment")
        self._patients[usb_path] = replace(free(patient), used=(), quarantines=0)
        self._free(usb_path, patient, "released by a person; it is tried again")

    def arrived(self, usb_path: str) -> None:
        """A device came. One that was neither restarted nor lost with its hub, a person has plugged in."""
        patient = self._patients.get(usb_path)
        if self._expected.pop(usb_path, None) is None and patient is not None and patient.quarantined:
            self._patients[usb_path] = replace(free(patient), quarantines=0)
            self._free(usb_path, patient, "plugged in again; it is tried again")

    def is_expected(self, usb_path: str) -> bool:
        """Whether the device is away because of a step."""
        return usb_path in self._expected

    def expect(self, usb_path: str) -> None:
        """The device is away and should come back soon: if it does not, its port's power is switched."""
        self._expected[usb_path] = asyncio.get_running_loop().time() + BACK_S * self._patience

    # inside

    def _look_at(self, usb_path: str, now_s: float) -> None:
        patient = self._patients.get(usb_path, Patient())
        ward = self._wards.get(usb_path)
        if ward is None or not ward.is_attached():
            finding, well, in_call = self._missing(usb_path, now_s), False, False
        else:
            vitals = ward.vitals()
            finding, in_call = diagnose(vitals, now_s, self._vitals), vitals.in_call
            well = is_well(vitals, patient.finding.trouble if patient.finding is not None else None)
        if finding is None and patient == Patient():
            return
        able = self._able(usb_path, ward)
        after, decision = decide(patient, finding, now_s, well=well, in_call=in_call, able=able, timings=self._ladder)
        if isinstance(decision, Climb) and not self._may_start(usb_path, decision.step, now_s):
            return
        if after == Patient() or (ward is None and usb_path not in self._expected and not after.quarantined):
            self._patients.pop(usb_path, None)
        else:
            self._patients[usb_path] = after
        self._carry_out(usb_path, after, decision, now_s)

    def _missing(self, usb_path: str, now_s: float) -> Finding | None:
        due_s = self._expected.get(usb_path)
        if due_s is None or now_s < due_s:
            return None
        return Finding(Trouble.AWAY, due_s, "it did not come back to the bus")

    def _able(self, usb_path: str, ward: Ward | None) -> Collection[HealingStep]:
        able: set[HealingStep] = set()
        if ward is not None:
            able |= {HealingStep.WAKE, HealingStep.REOPEN, HealingStep.RESTART}
            if ward.vitals().fall is None:
                able.add(HealingStep.RADIO)
            if self._power.can_reset(usb_path):
                able.add(HealingStep.USB_RESET)
        if self._power.can_cycle(usb_path):
            able.add(HealingStep.PORT_POWER)
        return able

    def _may_start(self, usb_path: str, step: HealingStep, now_s: float) -> bool:
        if step not in _STAGGERED:
            return True
        if len(self._steps) >= AT_ONCE:
            return False
        hub = next(reversed(hubs_of(usb_path)), usb_path)
        if now_s - self._started.get(hub, float("-inf")) < STAGGER_S * self._patience:
            return False
        self._started[hub] = now_s
        return True

    def _carry_out(self, usb_path: str, patient: Patient, decision: Decision, now_s: float) -> None:
        ward = self._wards.get(usb_path)
        match decision:
            case Climb():
                detail = words.say_climb(decision)
                log.warning("modem %s: %s", usb_path, detail)
                self._tell(usb_path, HealingPhase.TRYING, decision.finding.trouble, decision.step, detail, patient)
                self._start(usb_path, self._climb(usb_path, ward, decision.step, detail))
            case Isolate():
                seconds = decision.until_s - now_s
                detail = words.say_isolated(decision, seconds / 60)
                log.error("modem %s: %s", usb_path, detail)
                trouble, step = decision.finding.trouble, HealingStep.QUARANTINE
                self._tell(usb_path, HealingPhase.QUARANTINED, trouble, step, detail, patient, seconds)
                if ward is not None:
                    self._start(usb_path, ward.isolate(detail))
            case Freed():
                self._free(usb_path, patient, "its quarantine is over; it is tried again")
            case Healed():
                detail = words.say_healed(decision)
                log.info("modem %s: %s", usb_path, detail)
                step = decision.step or HealingStep.WAKE
                self._tell(usb_path, HealingPhase.HEALED, decision.finding.trouble, step, detail, patient)
            case None:
                pass

    def _free(self, usb_path: str, patient: Patient, detail: str) -> None:
        assert patient.finding is not None
        log.info("modem %s: %s", usb_path, detail)
        step = HealingStep.REOPEN
        self._tell(usb_path, HealingPhase.RELEASED, patient.finding.trouble, step, detail, patient)
        ward = self._wards.get(usb_path)
        if ward is not None:
            self._start(usb_path, ward.reopen())

    async def _climb(self, usb_path: str, ward: Ward | None, step: HealingStep, detail: str) -> None:
        if step in _LEAVES:
            self.expect(usb_path)
        if step is HealingStep.REOPEN and ward is not None:
            await ward.reopen()
        elif step is HealingStep.RADIO and ward is not None:
            await ward.cycle_radio()
        elif step is HealingStep.RESTART and ward is not None:
            await ward.restart()
        elif step in (HealingStep.USB_RESET, HealingStep.PORT_POWER):
            if ward is not None:
                await ward.close(detail)
            await (self._power.reset if step is HealingStep.USB_RESET else self._power.cycle)(usb_path)
        if step in _LEAVES and ward is not None:
            await self._see_back(usb_path, ward)

    async def _see_back(self, usb_path: str, ward: Ward) -> None:
        """Open the port of a device that did not leave the bus, or was back before the host looked."""
        left_s = BACK_S
        while left_s > 0 and self._wards.get(usb_path) is ward:
            await asyncio.sleep(AWAY_S * self._patience)
            left_s -= AWAY_S
            if self._wards.get(usb_path) is ward and ward.is_attached():
                self._expected.pop(usb_path, None)
                await ward.reopen()
                return

    def _start(self, usb_path: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._bounded(usb_path, work), name=f"heal:{usb_path}")
        self._steps[usb_path] = task
        task.add_done_callback(lambda _: self._steps.pop(usb_path, None))

    async def _bounded(self, usb_path: str, work: Coroutine[None, None, None]) -> None:
        try:
            async with asyncio.timeout(STEP_LIMIT_S):
                await work
        except (ModembankError, TimeoutError) as error:
            log.warning("modem %s: the step failed: %s", usb_path, error or "it took too long")
            if usb_path in self._patients:
                self._patients[usb_path] = failed(self._patients[usb_path])

    def _tell(
        self,
        usb_path: str,
        phase: HealingPhase,
        trouble: Trouble,
        step: HealingStep,
        detail: str,
        patient: Patient,
        seconds: float | None = None,
    ) -> None:
        at = datetime.now(UTC)
        age = timedelta(seconds=max(0.0, asyncio.get_running_loop().time() - patient.since_s))
        self._publish(
            ModemHealing(
                host_id=self._host_id,
                at=at,
                usb_path=usb_path,
                phase=phase,
                trouble=trouble,
                step=step,
                detail=detail,
                since=at - age,
                until=None if seconds is None else at + timedelta(seconds=seconds),
            )
        )

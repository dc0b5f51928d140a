"""Which step heals a modem: what is known of it and the clock in, the next rung out. Pure.

The ladder only goes up while one trouble lasts, each rung has a budget, and past the last rung there is quarantine,
each time for longer. No rung is used during a call. Source: hardware sheet, sections 8 (reset ladder) and 18.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from modembank.bus.vocabulary import HealingStep, Trouble

S, T = HealingStep, Trouble
ORDER = tuple(HealingStep)

PLANS: Mapping[Trouble, tuple[HealingStep, ...]] = {
    # The radio step needs an answering modem; a restart may be heard by one that only cannot answer.
    T.SILENT: (S.WAKE, S.REOPEN, S.RESTART, S.USB_RESET, S.PORT_POWER),
    T.PORT_LOST: (S.REOPEN, S.REOPEN, S.REOPEN, S.USB_RESET, S.PORT_POWER),
    T.PORT_HANGS: (S.USB_RESET, S.PORT_POWER),  # a second open would hang as the first does
    T.PORT_REFUSED: (S.REOPEN,),  # resetting the device would hit the program that holds it
    T.NOT_STARTING: (S.REOPEN, S.RADIO, S.RESTART, S.USB_RESET, S.PORT_POWER),
    T.UNREGISTERED: (S.RADIO, S.RESTART),
    T.NO_AUDIO: (S.REOPEN, S.RESTART, S.USB_RESET, S.PORT_POWER),
    T.CALL_STUCK: (S.RADIO, S.RESTART, S.USB_RESET, S.PORT_POWER),
    T.NOISY: (S.REOPEN, S.RESTART, S.USB_RESET, S.PORT_POWER),
    T.AWAY: (S.PORT_POWER,),
}

# Nobody but a network, another program or a person can end these: a new round after a rest, and no quarantine.
RESTING = frozenset({T.UNREGISTERED, T.PORT_REFUSED})


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a rung may be used within a window: more would wear the modem out, or annoy a network."""

    count: int
    window_s: float


BUDGETS: Mapping[HealingStep, Budget] = {
    S.WAKE: Budget(20, 600.0),
    S.REOPEN: Budget(10, 600.0),
    S.RADIO: Budget(3, 3600.0),  # each is an attach that the network sees
    S.RESTART: Budget(3, 3600.0),
    S.USB_RESET: Budget(3, 3600.0),
    S.PORT_POWER: Budget(3, 3600.0),
}

PATIENCE_S: Mapping[HealingStep, float] = {
    S.WAKE: 0.0,  # the channel has waited already
    S.REOPEN: 60.0,  # bring-up takes seconds, a busy SIM up to 30
    S.RADIO: 60.0,  # off for 4 s, then SIM and registration
    S.RESTART: 90.0,  # 10 to 30 s away from the bus, then as above
    S.USB_RESET: 90.0,
    S.PORT_POWER: 120.0,  # as a restart, after some seconds without power
}


@dataclass(frozen=True, slots=True)
class LadderTimings:
    """Seconds, each with its reason."""

    pause_s: float = 1.0  # after a failure, doubled by each step: a device that was unplugged has left sysfs by then
    stable_s: float = 300.0  # well for so long, the ladder starts from its foot again
    rest_s: float = 60.0  # between two rounds against what only others can end
    quarantine_s: tuple[float, ...] = (300.0, 1800.0, 7200.0, 28800.0)  # the last one repeats
    patience_s: Mapping[HealingStep, float] = field(default_factory=lambda: dict(PATIENCE_S))
    budgets: Mapping[HealingStep, Budget] = field(default_factory=lambda: dict(BUDGETS))

    def scaled(self, factor: float) -> LadderTimings:
        """All times, windows included, times `factor`."""
        return LadderTimings(
            pause_s=self.pause_s * factor,
            stable_s=self.stable_s * factor,
            rest_s=self.rest_s * factor,
            quarantine_s=tuple(one * factor for one in self.quarantine_s),
            patience_s={step: one * factor for step, one in self.patience_s.items()},
            budgets={step: Budget(one.count, one.window_s * factor) for step, one in self.budgets.items()},
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, when it began or, after a step, began again, and the fact in words."""

    trouble: Trouble
    at_s: float
    detail: str


@dataclass(frozen=True, slots=True)
class Used:
    """A rung that was used."""

    step: HealingStep
    at_s: float


@dataclass(frozen=True, slots=True)
class Patient:
    """What the ladder remembers of one modem. `used` outlives an episode, for the budgets; `tried` does not."""

    finding: Finding | None = None
    since_s: float = 0.0
    tried: tuple[Used, ...] = ()
    used: tuple[Used, ...] = ()
    well_since_s: float | None = None
    quarantines: int = 0
    until_s: float | None = None  # of the quarantine, or of the rest
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Climb:
    """Use this rung; `number` of `total` says how far up it is."""

    step: HealingStep
    finding: Finding
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Isolate:
    """Leave the modem alone until then."""

    finding: Finding
    until_s: float
    tried: tuple[HealingStep, ...]


@dataclass(frozen=True, slots=True)
class Healed:
    """The modem is well again."""

    finding: Finding
    step: HealingStep | None


@dataclass(frozen=True, slots=True)
class Freed:
    """The quarantine is over: the modem is tried again."""

    finding: Finding


Decision = Climb | Isolate | Healed | Freed | None


def decide(
    patient: Patient,
    finding: Finding | None,
    now_s: float,
    *,
    well: bool,
    in_call: bool,
    able: Collection[HealingStep],
    timings: LadderTimings,
) -> tuple[Patient, Decision]:
    """Return what to remember and what to do now.

    Args:
        finding: None when nothing is known to be wrong.
        well: the modem does its work; neither `well` nor a finding: it is on its way, wait.
        in_call: it carries a call that lives: nothing is done then.
        able: the rungs that can be used on this modem now.
    """
    if patient.quarantined:
        if patient.until_s is not None and now_s < patient.until_s:
            return patient, None
        assert patient.finding is not None
        return free(patient), Freed(patient.finding)
    if finding is None:
        return _without_finding(patient, now_s, well, timings)
    if in_call or _must_wait(patient, finding, now_s, timings):
        return patient, None
    tried = _still_counting(patient, finding)
    used = tuple(one for one in patient.used if now_s - one.at_s < timings.budgets[one.step].window_s)
    since_s = patient.since_s if patient.finding is not None else finding.at_s
    patient = replace(
        patient, finding=finding, since_s=since_s, tried=tried, used=used, well_since_s=None, until_s=None
    )
    step = _next_step(patient, finding.trouble, able, timings)
    if step is None:
        return _top_reached(patient, finding, now_s, timings)
    use = Used(step, now_s)
    plan = PLANS[finding.trouble]
    number = min(len(plan), plan.index(step) + 1 + sum(one.step is step for one in tried))
    return replace(patient, tried=(*tried, use), used=(*used, use)), Climb(step, finding, number, len(plan))


def free(patient: Patient) -> Patient:
    """End the quarantine: the ladder starts from its foot."""
    return replace(patient, quarantined=False, until_s=None, tried=(), well_since_s=None)


def failed(patient: Patient) -> Patient:
    """The last rung could not be used after all: there is nothing to wait for."""
    if not patient.tried:
        return patient
    return replace(patient, tried=(*patient.tried[:-1], replace(patient.tried[-1], at_s=float("-inf"))))


def _without_finding(patient: Patient, now_s: float, well: bool, timings: LadderTimings) -> tuple[Patient, Decision]:
    if patient.finding is None or not well:
        return patient, None
    if patient.well_since_s is None:
        step = patient.tried[-1].step if patient.tried else None
        return replace(patient, well_since_s=now_s, until_s=None), Healed(patient.finding, step)
    if now_s - patient.well_since_s >= timings.stable_s:
        return Patient(used=patient.used), None
    return patient, None


def _must_wait(patient: Patient, finding: Finding, now_s: float, timings: LadderTimings) -> bool:
    if patient.until_s is not None and now_s < patient.until_s and patient.finding is not None:
        return patient.finding.trouble is finding.trouble  # another trouble is no reason to rest
    if now_s - finding.at_s < timings.pause_s * 2 ** len(patient.tried):
        return True
    if not patient.tried:
        return False
    last = patient.tried[-1]
    failed_again = finding.at_s > last.at_s
    return not failed_again and now_s - last.at_s < timings.patience_s[last.step]


def _still_counting(patient: Patient, finding: Finding) -> tuple[Used, ...]:
    """The rungs of this episode; a new round after a rest starts from the foot."""
    rested = patient.until_s is not None
    return () if rested else patient.tried


def _next_step(
    patient: Patient, trouble: Trouble, able: Collection[HealingStep], timings: LadderTimings
) -> HealingStep | None:
    """The lowest rung of the plan that is not below one that was tried, and is left, possible and in its budget."""
    foot = max((ORDER.index(one.step) for one in patient.tried), default=0)
    plan = PLANS[trouble]
    for step in dict.fromkeys(plan):
        left = plan.count(step) - sum(one.step is step for one in patient.tried)
        budget = timings.budgets[step].count - sum(one.step is step for one in patient.used)
        if ORDER.index(step) >= foot and left > 0 and budget > 0 and step in able:
            return step
    return None


def _top_reached(patient: Patient, finding: Finding, now_s: float, timings: LadderTimings) -> tuple[Patient, Decision]:
    if finding.trouble in RESTING:
        return replace(patient, until_s=now_s + timings.rest_s), None
    pauses = timings.quarantine_s
    until_s = now_s + pauses[min(patient.quarantines, len(pauses) - 1)]
    steps = tuple(one.step for one in patient.tried)
    patient = replace(patient, quarantined=True, until_s=until_s, quarantines=patient.quarantines + 1)
    return patient, Isolate(finding, until_s, steps)

"""Whether a modem lives, from what its keeper knows; pure.

Three signs: it answered, it is registered, and its last calls had sound. Nothing here needs a modem: a sign that is
late is found by the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from modembank.bus.vocabulary import ModemState, Trouble
from modembank.host.ladder import Finding

# A person must do something about these; until then the modem is as well as it can be.
_FOR_PEOPLE = frozenset({ModemState.NO_SIM, ModemState.SIM_LOCKED, ModemState.DENIED, ModemState.FAILED})
_AT_WORK = frozenset({ModemState.READY, ModemState.IN_CALL})
_UNDER_WAY = frozenset({ModemState.OPENING, ModemState.STARTING})
MUTE_CALLS = 2  # one call without a sound may be the network's fault


@dataclass(frozen=True, slots=True)
class Fall:
    """The driver stopped."""

    trouble: Trouble
    at_s: float
    detail: str


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is known of a modem; times of one monotonic clock. `answered_s` None: it never did since it was opened."""

    state: ModemState
    state_since_s: float
    state_detail: str
    in_call: bool
    fall: Fall | None = None
    answered_s: float | None = None
    mute_calls: int = 0
    mute_since_s: float = 0.0
    stuck_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class VitalTimings:
    """Seconds, each with its reason."""

    answer_s: float = 240.0  # an idle modem is asked each minute; this is for what the channel did not notice
    start_s: float = 120.0  # opening, bring-up, and a SIM that is busy for 30 s, twice
    registration_s: float = 300.0  # a network that was gone takes its modems back within minutes

    def scaled(self, factor: float) -> VitalTimings:
        """All times `factor`."""
        return VitalTimings(*(getattr(self, one.name) * factor for one in fields(self)))


def diagnose(vitals: Vitals, now_s: float, timings: VitalTimings) -> Finding | None:
    """What is wrong, the gravest first; None when nothing is known to be."""
    if vitals.fall is not None:
        return Finding(vitals.fall.trouble, vitals.fall.at_s, vitals.fall.detail)
    if vitals.answered_s is not None and now_s - vitals.answered_s > timings.answer_s:
        return _found(Trouble.SILENT, vitals.answered_s, f"no answer for {timings.answer_s:g} s")
    if vitals.stuck_since_s is not None:
        return _found(Trouble.CALL_STUCK, vitals.stuck_since_s, "it holds a call that nobody owns")
    age_s = now_s - vitals.state_since_s
    if vitals.state in _UNDER_WAY and age_s > timings.start_s:
        detail = vitals.state_detail or str(vitals.state)
        return _found(Trouble.NOT_STARTING, vitals.state_since_s, f"not ready for long: {detail}")
    if vitals.state is ModemState.SEARCHING and age_s > timings.registration_s:
        return _found(Trouble.UNREGISTERED, vitals.state_since_s, f"no network for long: {vitals.state_detail}")
    if vitals.mute_calls >= MUTE_CALLS:
        detail = f"{vitals.mute_calls} answered calls in a row had no sound from it"
        return _found(Trouble.NO_AUDIO, vitals.mute_since_s, detail)
    return None


def is_well(vitals: Vitals, trouble: Trouble | None) -> bool:
    """Whether it does its work, or what is left is for people; of a modem that lost its network: it is back.

    Whether a call is gone is seen only once the modem is ready again.
    """
    if vitals.fall is not None:
        return False
    if vitals.state is ModemState.SEARCHING:
        return trouble not in {None, Trouble.UNREGISTERED, Trouble.CALL_STUCK}
    return vitals.state in _AT_WORK | _FOR_PEOPLE


def _found(trouble: Trouble, since_s: float, detail: str) -> Finding:
    """A state that lasts is no new failure after a step: the step has its time."""
    return Finding(trouble, since_s, detail)

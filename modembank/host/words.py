"""What a step of the ladder is called when a person is told of it."""

from __future__ import annotations

from collections.abc import Mapping

from modembank.bus.vocabulary import HealingStep as S
from modembank.host.ladder import Climb, Healed, Isolate

DOING: Mapping[S, str] = {
    S.WAKE: "it was sent ESC and AT, without an answer",
    S.REOPEN: "its port is closed and opened again",
    S.RADIO: "its radio is switched off and on",
    S.RESTART: "it is restarted by AT+CFUN=1,1",
    S.USB_RESET: "it is logged off the USB bus and on again",
    S.PORT_POWER: "the power of its USB port is switched off and on",
}
AFTER: Mapping[S, str] = {
    S.WAKE: "ESC and AT",
    S.REOPEN: "its port was opened again",
    S.RADIO: "its radio was switched off and on",
    S.RESTART: "it was restarted",
    S.USB_RESET: "a USB reset",
    S.PORT_POWER: "its USB port was without power for a moment",
}


def say_climb(climb: Climb) -> str:
    """Such as `no answer for 240 s; its port is closed and opened again (step 2 of 5)`."""
    return f"{climb.finding.detail}; {DOING[climb.step]} (step {climb.number} of {climb.total})"


def say_healed(healed: Healed) -> str:
    """What helped, if anything was done."""
    return "well again" if healed.step is None else f"well again after {AFTER[healed.step]}"


def say_isolated(isolate: Isolate, minutes: float) -> str:
    """Why it is left alone, for how long, and how to end that."""
    count = len(isolate.tried)
    what = "nothing can be done from here" if not count else f"{count} step{'s' * (count > 1)} did not help"
    return (
        f"{isolate.finding.detail}; {what}, so that it is left alone for {max(1, round(minutes))} min; "
        "look at it, then `modembank modems release` it"
    )

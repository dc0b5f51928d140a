"""What a modem can be used for, from what is known of it; pure."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.at.identity import SimStatus
from modembank.at.network import Registration
from modembank.at.pin import PinState, SimLock
from modembank.modem.info import ModemState


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides a modem's state. `fault` is a sentence about what makes the modem useless, `note` one about what
    to know of a modem that is fine.
    """

    started: bool
    sim: SimStatus | None
    registration: Registration
    in_call: bool
    fault: str
    lock: PinState | None
    denial: str | None = None
    note: str = ""


def derive_state(facts: Facts) -> tuple[ModemState, str]:
    """The state and, unless the modem is fine, why in words."""
    if facts.in_call:
        return ModemState.IN_CALL, ""
    if facts.sim is SimStatus.ABSENT:
        return ModemState.NO_SIM, "no SIM is inserted"
    if facts.sim is SimStatus.LOCKED:
        return ModemState.SIM_LOCKED, _say_lock(facts.lock)
    if not facts.started or facts.sim is not SimStatus.READY:
        return ModemState.STARTING, "the SIM is not ready yet" if facts.started else "being set up"
    if facts.fault:
        return ModemState.FAILED, facts.fault
    if facts.registration.carries_voice:
        return ModemState.READY, facts.note
    if facts.registration is Registration.DENIED:
        return ModemState.DENIED, "the network refuses this SIM" + (f": {facts.denial}" if facts.denial else "")
    return ModemState.SEARCHING, f"registration: {facts.registration.value.replace('_', ' ')}"


def _say_lock(lock: PinState | None) -> str:
    if lock is None:
        return "the SIM asks for its PIN or PUK"
    if lock.lock is SimLock.OTHER:
        return "the modem is locked to another SIM or network"
    name, left = (
        ("PIN", lock.pin_left) if lock.lock is SimLock.PIN else ("PUK, which only a person may enter", lock.puk_left)
    )
    return f"the SIM asks for its {name}" + ("" if left is None else f"; tries left: {left}")


def better(one: Registration, other: Registration) -> Registration:
    """The registration that counts, of two domains: the one that carries voice, else the circuit-switched one.

    Source: 3GPP TS 27.007 sections 7.2 (+CREG) and 10.1.22 (+CEREG).
    """
    return other if other.carries_voice and not one.carries_voice else one

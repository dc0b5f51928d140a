"""The emulated cellular network: it finds who has a number and joins the two sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from modembank.emulator.connection import Connection, Endpoint, Stage
from modembank.emulator.identity import international
from modembank.emulator.journal import Journal
from modembank.emulator.message_centre import MessageCentre
from modembank.emulator.parties import NETWORK_NO_ANSWER_S, PLANS, UNASSIGNED, PartyCall, Plan, Sound, plan_table
from modembank.emulator.signals import Frames
from modembank.emulator.ussd import SERVICES, Menu
from modembank.errors import EmulatorError

FRAMES_PER_S = 50
CAUSE_UNASSIGNED = 1
CAUSE_NORMAL = 16
CAUSE_BUSY = 17
CAUSE_NO_ANSWER = 19
CAUSE_OUT_OF_ORDER = 27


class Subscriber(Endpoint, Protocol):
    """A SIM's side of the network: where calls to its number go."""

    def reachable(self) -> bool:
        """Return whether the SIM is registered."""

    def offer(self, connection: Connection) -> bool:
        """Ring for a call; False if the subscriber is busy."""


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """`speed` divides all times of the parties and of the network, `heard_s` bounds what sides keep."""

    speed: float = 1.0
    heard_s: float = 60.0
    setup_s: float = 0.3


class Network:
    """Numbers, parties and the calls between them."""

    def __init__(self, options: NetworkOptions, journal: Journal, speech: Callable[[], Frames]) -> None:
        self.plans = plan_table(PLANS, options.speed)
        self.calls: dict[str, Connection] = {}
        self.services: dict[str, dict[str, Menu]] = {"": dict(SERVICES)}
        self.centre = MessageCentre(journal, options.speed)
        self._options = options
        self._journal = journal
        self._speech = speech
        self._subscribers: dict[str, Subscriber] = {}
        self._last: dict[str, Connection] = {}
        self._count = 0

    def attach(self, number: str, subscriber: Subscriber) -> None:
        """A SIM came into a modem."""
        self._subscribers[number] = subscriber

    def detach(self, number: str) -> None:
        """A SIM left its modem."""
        self._subscribers.pop(number, None)

    def dial(self, caller: Endpoint, calling: str, dialled: str) -> Connection:
        """Start a call; what follows comes later, through the endpoint."""
        called = international(dialled) or dialled
        connection = self._connection(calling, called)
        connection.caller.endpoint = caller
        plan = self.plans.get(called)
        if plan is not None:
            PartyCall(plan, self._speech).called(connection)
        elif called in self._subscribers:
            setup_s = self._options.setup_s / self._options.speed
            connection.timers.after(setup_s, lambda: self._offer(connection))
        else:
            PartyCall(UNASSIGNED, self._speech).called(connection)
        return connection

    def call_in(self, calling: str, called: str, sound: Sound, ring_s: float, talk_s: float | None) -> Connection:
        """A person calls a SIM, speaks with `sound`, gives up after `ring_s`, hangs up after `talk_s`.

        Raises:
            EmulatorError: no SIM has that number, or it is not reachable or busy.
        """
        number = international(called) or called
        if number not in self._subscribers:
            raise EmulatorError(f"no SIM in the emulator has the number {called}")
        connection = self._connection(international(calling) or calling, number)
        connection.caller.endpoint = PartyCall(Plan("person", calling, sound=sound, talk_s=talk_s), self._speech)
        self._offer(connection, ring_s, CAUSE_NORMAL)
        if connection.stage is Stage.RELEASED:
            raise EmulatorError(f"{number} cannot take the call: cause {connection.cause}")
        return connection

    def last_call(self, number: str) -> Connection:
        """Return the latest call from or to a number.

        Raises:
            EmulatorError: there was none.
        """
        connection = self._last.get(international(number) or number)
        if connection is None:
            raise EmulatorError(f"there was no call from or to {number} yet")
        return connection

    def change_plan(self, name: str, changes: dict[str, float | int | None]) -> Plan:
        """Change the times of a party.

        Raises:
            EmulatorError: there is no such party.
        """
        for number, plan in self.plans.items():
            if plan.name == name:
                self.plans[number] = replace(plan, **changes)  # type: ignore[arg-type]  # checked by the caller
                return self.plans[number]
        raise EmulatorError(f"there is no party named {name}")

    def _connection(self, calling: str, called: str) -> Connection:
        self._count += 1
        frames = round(self._options.heard_s * FRAMES_PER_S)
        connection = Connection(f"c{self._count}", calling, called, frames, self._journal)
        self.calls = {k: c for k, c in self.calls.items() if c.stage is not Stage.RELEASED}
        self.calls[connection.key] = connection
        self._last[calling] = self._last[called] = connection
        return connection

    def _offer(self, connection: Connection, ring_s: float | None = None, cause: int = CAUSE_NO_ANSWER) -> None:
        subscriber = self._subscribers.get(connection.callee.number)
        if subscriber is None or not subscriber.reachable():
            connection.release(CAUSE_OUT_OF_ORDER)
            return
        connection.callee.endpoint = subscriber
        if not subscriber.offer(connection):
            connection.callee.endpoint = None
            connection.release(CAUSE_BUSY)
            return
        connection.alert()
        if ring_s is None:
            ring_s = NETWORK_NO_ANSWER_S / self._options.speed
        connection.timers.after(ring_s, lambda: self._give_up(connection, cause))

    def _give_up(self, connection: Connection, cause: int) -> None:
        if connection.stage is not Stage.ACTIVE:
            connection.release(cause)

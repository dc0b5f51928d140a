"""A rack file: which SIMs may call whom, and how much a run may cost. Read before anything is sent.

Format (TOML): a table `[limits]` and one `[[sim]]` for each SIM; docs/how-to/hardware-in-the-loop.md explains it.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modembank.errors import LimitReachedError, NotInRackError, SettingsError

Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Price = Annotated[float, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Table):
    """What one run may use; every started minute counts as a whole one, as operators bill it."""

    calls: int = Field(20, ge=0)
    minutes: int = Field(20, ge=0)
    messages: int = Field(10, ge=0)
    money: Price = 0.0
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$")
    price_per_minute: Price = 0.0
    price_per_message: Price = 0.0


class RackSim(_Table):
    """A SIM that takes part: by its ICCID, or by the slot (label or USB path) of its modem."""

    name: str = Field(min_length=1, max_length=40)
    iccid: str | None = Field(None, pattern=r"^[0-9]{18,20}$")
    slot: str | None = None
    number: Number
    may_call: tuple[str, ...] = ()
    may_text: tuple[str, ...] = ()
    ussd: str | None = Field(None, pattern=r"^[*#][0-9*#]+#$")

    @model_validator(mode="after")
    def _one_way_to_find_it(self) -> RackSim:
        if (self.iccid is None) == (self.slot is None):
            raise ValueError("give either iccid or slot")
        return self


class Rack(_Table):
    """The whole file."""

    limits: Limits = Limits()
    sim: tuple[RackSim, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> Rack:
        names = [sim.name for sim in self.sim]
        if len(set(names)) < len(names):
            raise ValueError("two SIMs have the same name")
        for sim in self.sim:
            for target in (*sim.may_call, *sim.may_text):
                if target not in names and not target.startswith("+"):
                    raise ValueError(f"{sim.name} may reach {target}, which is neither a SIM's name nor a number")
        return self

    def number_of(self, target: str) -> str:
        """Return the number behind a name of this file, or the number itself."""
        return next((sim.number for sim in self.sim if sim.name == target), target)

    def check_call(self, sim: str, to: str) -> None:
        """Raise NotInRackError unless the SIM of this name may call the number."""
        self._check(sim, to, "call", self._named(sim).may_call)

    def check_text(self, sim: str, to: str) -> None:
        """Raise NotInRackError unless the SIM of this name may send the number a message."""
        self._check(sim, to, "text", self._named(sim).may_text)

    def _check(self, sim: str, to: str, verb: str, allowed: tuple[str, ...]) -> None:
        if self.number_of(to) not in {self.number_of(target) for target in allowed}:
            raise NotInRackError(f"the rack file does not let {sim} {verb} this number; add it to may_{verb} of {sim}")

    def _named(self, name: str) -> RackSim:
        for sim in self.sim:
            if sim.name == name:
                return sim
        raise NotInRackError(f"the rack file has no SIM {name}")


@dataclass(slots=True)
class Budget:
    """What was used of the limits. Ask before each call and message; settle a call when its length is known."""

    limits: Limits
    calls: int = 0
    minutes: int = 0
    messages: int = 0
    _reserved: dict[int, int] = field(default_factory=dict)

    @property
    def money(self) -> float:
        """What it cost so far, open calls at their worst."""
        return self._cost(self.minutes + sum(self._reserved.values()), self.messages)

    def take_call(self, longest_s: float) -> int:
        """Reserve a call of at most so many seconds and return its ticket.

        Raises:
            LimitReachedError: a limit would be passed; nothing is reserved.
        """
        minutes = self.minutes + sum(self._reserved.values()) + _minutes(longest_s)
        self._refuse(self.calls + 1 > self.limits.calls, f"{self.limits.calls} calls")
        self._refuse(minutes > self.limits.minutes, f"{self.limits.minutes} minutes")
        self._refuse(self._cost(minutes, self.messages) > self.limits.money + 1e-9, self._most())
        self.calls += 1
        self._reserved[self.calls] = _minutes(longest_s)
        return self.calls

    def settle_call(self, ticket: int, talk_s: float) -> None:
        """Replace a reservation by what the call took."""
        self._reserved.pop(ticket, None)
        self.minutes += _minutes(talk_s)

    def take_message(self, parts: int = 1) -> None:
        """Count a message before it is sent. Raises LimitReachedError like `take_call`."""
        messages = self.messages + parts
        self._refuse(messages > self.limits.messages, f"{self.limits.messages} messages")
        minutes = self.minutes + sum(self._reserved.values())
        self._refuse(self._cost(minutes, messages) > self.limits.money + 1e-9, self._most())
        self.messages = messages

    def spent(self) -> str:
        """Return what was used, in words."""
        money = f", {self.money:.2f} {self.limits.currency}" if self._priced() else ""
        return f"{self.calls} calls, {self.minutes} minutes, {self.messages} messages{money}"

    def _refuse(self, passed: bool, limit: str) -> None:
        if passed:
            raise LimitReachedError(f"the limit of {limit} would be passed; used so far: {self.spent()}")

    def _cost(self, minutes: int, messages: int) -> float:
        return minutes * self.limits.price_per_minute + messages * self.limits.price_per_message

    def _priced(self) -> bool:
        return bool(self.limits.price_per_minute or self.limits.price_per_message)

    def _most(self) -> str:
        return f"{self.limits.money:.2f} {self.limits.currency}"


def read_rack(path: Path) -> Rack:
    """Read and check a rack file.

    Raises:
        SettingsError: one sentence that names the place and what to mend.
    """
    try:
        return Rack.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise SettingsError(f"the rack file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the rack file {path} is not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(f"the rack file {path}: {place}: {first['msg']}") from None


def _minutes(seconds: float) -> int:
    return math.ceil(seconds / 60)

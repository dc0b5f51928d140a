"""One request of the control protocol with checked access to its values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modembank.emulator.modem import Modem
from modembank.errors import EmulatorError


@dataclass(frozen=True, slots=True)
class Request:
    """The values of a request; every wrong one is an EmulatorError of one sentence."""

    values: Mapping[str, object]
    find_modem: Callable[[object], Modem]

    def has(self, name: str) -> bool:
        """Return whether a value was given, perhaps null."""
        return name in self.values

    def value(self, name: str) -> object:
        """Return a value that must be given."""
        if name not in self.values:
            raise EmulatorError(f"{name} is missing")
        return self.values[name]

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self.values.get(name, default) if default is not None else self.value(name)
        if not isinstance(value, str):
            raise EmulatorError(f"{name} must be a text")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.values.get(name, default) if default is not None else self.value(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise EmulatorError(f"{name} must be a whole number")
        return value

    def seconds(self, name: str, default: float | None = None) -> float:
        """Return a number that is not negative."""
        value = self.values.get(name, default) if default is not None else self.value(name)
        wrong = isinstance(value, bool) or not isinstance(value, int | float)
        if wrong or not math.isfinite(float(str(value))) or float(str(value)) < 0:
            raise EmulatorError(f"{name} must be a number of at least 0")
        return float(str(value))

    def switch(self, name: str) -> bool:
        """Return true or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise EmulatorError(f"{name} must be true or false")
        return value

    def modem(self) -> Modem:
        """Return the modem that `modem` names by index."""
        return self.find_modem(self.value("modem"))

"""What makes one modem family differ from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modembank.emulator.commands.handler import Handler
from modembank.emulator.ussd import Encoding


@dataclass(frozen=True, slots=True)
class Family:
    """A family as a value; `handlers` are its commands by name."""

    name: str
    handlers: Mapping[str, Handler]
    stores: tuple[str, ...] = ("SM", "ME", "MT")
    store: str = "ME"
    """Where messages go after a boot."""
    first_slot: int = 0
    ussd: Encoding = Encoding.UCS2_CHARSET

"""What makes one modem family differ from another: a value, and the few lines it says in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.ussd import Encoding

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.voice import Call, CallState

UTRAN, E_UTRAN = 2, 7


class Manners:
    """How a family tells of calls; the standard alone has no words for it, so this one says nothing."""

    def call_changed(self, modem: Modem, call: Call, state: CallState) -> None:
        """A call has a new state; ENDED is the last."""

    def early_media(self, modem: Modem, call: Call) -> None:
        """The network plays something before any answer."""

    def hanging_up(self, modem: Modem, call: Call) -> tuple[str, ...]:
        """Return what stands before the OK of a hang-up."""
        return ()

    def digit_heard(self, modem: Modem, digit: str) -> None:
        """The far side pressed a key."""

    def signal_changed(self, modem: Modem) -> None:
        """The signal strength is another."""

    def store_full(self, modem: Modem, store: str) -> None:
        """A message could not be stored."""

    def started(self, modem: Modem) -> None:
        """The device is on the bus; what it says by itself begins."""


@dataclass(frozen=True, slots=True)
class UsbIdentity:
    """What the USB device tells of itself; identifiers in hexadecimal."""

    vendor_id: str
    product_id: str
    manufacturer: str
    product: str
    serial: str = "0123456789ABCDEF"
    storage_id: str = ""
    """Product number while it is a CD-ROM with drivers, for a family that can be one."""


@dataclass(frozen=True, slots=True)
class Card:
    """A sound card that carries a modem's voice; `id` is what its driver asks the kernel for.

    `interface` is that of the modem's own USB audio class, None for a card of its own that is wired to the module.
    """

    id: str
    interface: int | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A family as a value; `handlers` are its commands by name, `roles` its ttys by USB interface.

    Without `usb` the module is on a plain serial port, whose other end keeps standing when the module restarts.
    """

    name: str
    usb: UsbIdentity | None
    roles: Mapping[int, str]
    maker: str
    model: str
    revision: str
    handlers: Mapping[str, Handler]
    manners: Manners = field(default_factory=Manners)
    tty: str = "ttyUSB"
    stores: tuple[str, ...] = ("SM", "ME", "MT")
    store: str = "ME"
    """Where messages go after a boot."""
    first_slot: int = 0
    ussd: Encoding = Encoding.UCS2_CHARSET
    act: int = E_UTRAN
    """Access technology. Source: 3GPP TS 27.007 clause 7.3."""
    bearer: bool = False
    """On LTE the default bearer stands in +CLCC at index 1."""
    power_on: tuple[str, ...] = ()
    sim_ready: tuple[str, ...] = ("+CPIN: READY",)
    all_ready: tuple[str, ...] = ()
    sim_removed: tuple[str, ...] = ("+CPIN: NOT READY",)
    call_results: frozenset[str] = frozenset({"BUSY", "NO CARRIER", "NO ANSWER"})
    """Result codes that tell the end of a call unasked."""
    double_cr: tuple[str, ...] = ()
    r"""URCs with these beginnings are framed `\r\r\n`."""
    unknown: str | None = None
    """How an unknown command is refused, if not by a +CME ERROR."""
    settings: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Power-on values that differ from the table in `commands/simple.py`."""
    pcm_ends_with_call: bool = False
    card: Card | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    """What its flash holds from the factory where that differs from `Persistent`."""

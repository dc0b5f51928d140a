"""What is special about a modem family, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from modembank.at.calls import BLACKLIST_SIGNS, BlacklistSigns, Indication
from modembank.at.command import DTMF_DIGITS, HANG_UP, READ_CAUSE, AtCommand
from modembank.at.pin import STANDARD_RETRIES
from modembank.sms.ussd import UssdForm


class Role(StrEnum):
    """What a USB interface's tty is for."""

    AT = "at"
    AUDIO = "audio"


class VoiceMoment(StrEnum):
    """When voice can be switched on."""

    BEFORE_DIAL = "before_dial"
    AFTER_DIAL = "after_dial"  # once ATD or ATA was taken
    AFTER_CONNECT = "after_connect"  # refused before the call is connected


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSwitch:
    """How a family is asked for 16 kHz, and for 8 kHz; wide if an answer to `read_back` begins with `proof`."""

    wide: AtCommand
    narrow: AtCommand
    read_back: AtCommand
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicePath:
    """How voice is put on the audio tty, and how that is proven.

    Voice is there if one of the answers to `read_back`, without its spaces, begins with `proof`. BEFORE_DIAL, `on`
    and `read_back` go out as one line, and `off` first when `on` is refused, since some modes may not be switched
    directly. Else `read_back` is asked at bring-up only, and `on` is sent in its moment, `settle_s` after it and up
    to `tries` times, `pause_s` apart. `off_first`: `off` is sent before we hang up, and after the far end did.
    """

    on: AtCommand
    read_back: AtCommand
    proof: str
    off: AtCommand | None = None
    rate_hz: int = 8000
    rates: RateSwitch | None = None  # asked at bring-up; without it there is `rate_hz` only
    moment: VoiceMoment = VoiceMoment.BEFORE_DIAL
    settle_s: float = 0.0
    tries: int = 1
    pause_s: float = 0.0
    off_first: bool = False


@dataclass(frozen=True, slots=True)
class CallEvents:
    """One way to be told about calls: the command that switches it on and may be refused."""

    enable: AtCommand
    name: str


def reads_nothing(line: str) -> None:
    """For what a family does not tell."""


UsbId = tuple[int, int]
"""Vendor and product."""

InterfaceClass = tuple[int, int, int]
"""bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A modem family. Settings are volatile: they are sent again after every reset.

    `settings` must all be accepted and go out joined; `optional` ones go out one by one, and a refusal is fine.
    `interfaces` is the usual layout, `layouts` those that differ. Products of `vendor` that no dialect lists have
    their ports found by `classes`. `read_indication` turns a vendor's call URC into a record, `read_dtmf`,
    `read_audio_flow` and `read_signal` likewise. Without `voice` a modem carries messages and USSD only.
    """

    name: str
    usb_ids: frozenset[UsbId] = frozenset()
    interfaces: Mapping[int, Role]
    layouts: Mapping[UsbId, Mapping[int, Role]] = field(default_factory=dict)
    vendor: int | None = None
    classes: Mapping[InterfaceClass, Role] = field(default_factory=dict)
    settings: tuple[str, ...]
    optional: tuple[str, ...] = ()
    call_events: tuple[CallEvents, ...] = ()
    voice: VoicePath | None = None
    card_voice: VoicePath | None = None  # where the modem shows a USB audio device of its own
    read_iccid: tuple[AtCommand, ...]  # the first that gives one
    hang_up: AtCommand = HANG_UP
    reject: AtCommand = HANG_UP
    release_by_index: bool = True  # whether +CHLD=1x may follow where hang_up was not obeyed
    read_cause: AtCommand | None = READ_CAUSE  # for an end that came without its cause
    blacklist: BlacklistSigns = BLACKLIST_SIGNS
    dtmf: str = '+VTS="{digit}"'  # `index` is the call's in +CLCC
    dtmf_digits: frozenset[str] = DTMF_DIGITS
    urcs: tuple[str, ...] = ()
    read_indication: Callable[[str], Indication | None] = reads_nothing
    read_dtmf: Callable[[str], str | None] = reads_nothing
    read_audio_flow: Callable[[str], bool | None] = reads_nothing
    read_signal: Callable[[str], int | None] = reads_nothing
    sim_events: tuple[str, ...] = ("+CPIN:",)  # URCs after which the SIM is read again
    boot_events: tuple[str, ...] = ("RDY",)  # URCs after which everything is set again
    message_stores: tuple[str, ...] = ("SM", "ME")  # new messages go to the first that is accepted; all are read
    ussd: UssdForm = UssdForm.UCS2
    read_tries: tuple[AtCommand, ...] = (STANDARD_RETRIES,)  # for the SIM's PIN; the first that answers

    def ports(self, vid: int, pid: int) -> Mapping[int, Role]:
        """Which interface does what; empty for a product that is not listed."""
        if (vid, pid) in self.layouts:
            return self.layouts[vid, pid]
        return self.interfaces if (vid, pid) in self.usb_ids else {}

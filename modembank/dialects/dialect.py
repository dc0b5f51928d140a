"""What is special about a modem family, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from modembank.at.calls import Indication
from modembank.at.command import AtCommand
from modembank.at.ussd import UssdForm


class Role(StrEnum):
    """What a USB interface's tty is for."""

    AT = "at"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class VoicePath:
    """How voice is put on the audio tty, and how that is proven.

    `on` and `read_back` go out as one line; voice is there if one of the answers equals `proof` without its spaces.
    `off` is sent first when `on` is refused, since some modes may not be switched directly.
    """

    on: AtCommand
    read_back: AtCommand
    proof: str
    off: AtCommand
    rate_hz: int


@dataclass(frozen=True, slots=True)
class CallEvents:
    """One way to be told about calls: the command that switches it on and may be refused."""

    enable: AtCommand
    name: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """A modem family. Settings are volatile: they are sent again after every reset.

    `settings` must all be accepted and go out joined; `optional` ones go out one by one, and a refusal is fine.
    `read_indication` turns a vendor's call URC into a record, `read_dtmf` and `read_audio_flow` likewise.
    """

    name: str
    usb_ids: frozenset[tuple[int, int]]  # (vendor, product)
    interfaces: Mapping[int, Role]
    settings: tuple[str, ...]
    optional: tuple[str, ...]
    call_events: tuple[CallEvents, ...]
    voice: VoicePath
    read_iccid: AtCommand
    hang_up: AtCommand
    reject: AtCommand
    urcs: tuple[str, ...]
    read_indication: Callable[[str], Indication | None]
    read_dtmf: Callable[[str], str | None]
    read_audio_flow: Callable[[str], bool | None]
    read_signal: Callable[[str], int | None]
    sim_events: tuple[str, ...]  # URCs after which the SIM is read again
    boot_events: tuple[str, ...]  # URCs after which everything is set again
    message_stores: tuple[str, ...]  # new messages go to the first that is accepted; all are read
    ussd: UssdForm
    read_tries: tuple[AtCommand, ...]  # how many tries the SIM's PIN has left; the first that answers

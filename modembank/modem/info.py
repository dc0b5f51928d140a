"""What is known of one modem right now."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.at.network import Registration
from modembank.at.pin import PinState, SimLock
from modembank.bus.vocabulary import ModemState

__all__ = ["ModemInfo", "ModemState", "PinState", "Registration", "SimLock"]


@dataclass(frozen=True, slots=True)
class ModemInfo:
    """A snapshot of a modem and its SIM. `state_detail` says in words why it is not ready; empty when it is."""

    usb_path: str
    dialect: str
    state: ModemState
    state_detail: str
    manufacturer: str | None
    model: str | None
    revision: str | None
    imei: str | None
    iccid: str | None
    imsi: str | None
    number: str | None
    registration: Registration
    operator: str | None
    plmn: str | None
    access: str | None
    rssi_dbm: int | None
    voice: bool
    at_port: str
    audio_port: str | None
    lock: PinState | None = None  # what the SIM asks for
    denial: str | None = None  # why the network refuses the SIM, in words
    slot: str | None = None  # as the chassis file names the place
    asking: bool = False  # the network owes an answer for up to 40 s, and a command would wait for it

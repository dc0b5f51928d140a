"""One modem: bring-up, state, call control."""

from __future__ import annotations

from modembank.modem.events import CallKind, CallProgress, CallRelease, Direction, Evidence, ModemSink
from modembank.modem.info import ModemInfo, ModemState, Registration
from modembank.modem.modem import Modem
from modembank.modem.timings import ModemTimings
from modembank.tty.discovery import ModemPorts, scan
from modembank.tty.trace import TraceLine
from modembank.tty.transport import SerialBackend

__all__ = [
    "CallKind",
    "CallProgress",
    "CallRelease",
    "Direction",
    "Evidence",
    "Modem",
    "ModemInfo",
    "ModemPorts",
    "ModemSink",
    "ModemState",
    "ModemTimings",
    "Registration",
    "SerialBackend",
    "TraceLine",
    "scan",
]

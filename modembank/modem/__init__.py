"""One modem: bring-up, state, calls, messages, USSD."""

from __future__ import annotations

from modembank.at.forwarding import Forwarding, ForwardingReason
from modembank.at.messages import MessageStatus, StoredAt, StoredPdu, StoreUse
from modembank.at.ussd import UssdReply, UssdStatus
from modembank.modem.events import (
    CallKind,
    CallProgress,
    CallRelease,
    Direction,
    Evidence,
    MessageSink,
    ModemSink,
)
from modembank.modem.info import ModemInfo, ModemState, PinState, Registration, SimLock
from modembank.modem.modem import Modem
from modembank.modem.rack import DuplicateImei, find_duplicate_imeis
from modembank.modem.timings import ModemTimings
from modembank.sms.ussd import UssdForm
from modembank.tty.discovery import DeviceProblem, ModemPorts, Survey, scan, survey
from modembank.tty.trace import TraceLine
from modembank.tty.transport import SerialBackend

__all__ = [
    "CallKind",
    "CallProgress",
    "CallRelease",
    "DeviceProblem",
    "Direction",
    "DuplicateImei",
    "Evidence",
    "Forwarding",
    "ForwardingReason",
    "MessageSink",
    "MessageStatus",
    "Modem",
    "ModemInfo",
    "ModemPorts",
    "ModemSink",
    "ModemState",
    "ModemTimings",
    "PinState",
    "Registration",
    "SerialBackend",
    "SimLock",
    "StoreUse",
    "StoredAt",
    "StoredPdu",
    "Survey",
    "TraceLine",
    "UssdForm",
    "UssdReply",
    "UssdStatus",
    "find_duplicate_imeis",
    "scan",
    "survey",
]

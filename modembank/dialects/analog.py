"""Modules whose voice is on pins only: SIM800, A7670, M95. Their AT port is all that is known of them here.

Source: SIM800 and A76xx AT manuals (SIMCom), M95 AT manual (Quectel).
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from modembank.at.command import HANG_UP_S, READ_EF_ICCID, SIM_S, AtCommand, RetryClass, setting
from modembank.at.pin import QUECTEL_RETRIES, SIMCOM_RETRIES, STANDARD_RETRIES
from modembank.dialects.dialect import CallEvents, Role
from modembank.dialects.generic import GENERIC
from modembank.dialects.quectel import EC25
from modembank.dialects.simcom import read_call, read_digit

_HOOK = AtCommand("H", timeout_s=HANG_UP_S, retry=RetryClass.ONCE)


SIM800 = replace(
    GENERIC,
    name="simcom-sim800",
    optional=("+CLIP=1", "+CCWA=0,0,1", "+CREG=2", "+COLP=0", "+DDET=1"),
    call_events=(CallEvents(setting("+CLCC=1"), "clcc"),),
    hang_up=_HOOK,
    reject=_HOOK,
    read_indication=read_call,
    read_dtmf=read_digit,
    boot_events=("RDY", "Call Ready"),
    read_tries=(SIMCOM_RETRIES, STANDARD_RETRIES),
)

# A7600E-H and A7670E; a SIM7600 that was switched to RNDIS shows the same product and has no audio port either.
A7670 = replace(
    SIM800,
    name="simcom-a7670",
    usb_ids=frozenset({(0x1E0E, 0x9011)}),
    interfaces=MappingProxyType({4: Role.AT}),
    optional=(*SIM800.optional, "+CEREG=2"),
    hang_up=GENERIC.hang_up,
    reject=GENERIC.reject,
    boot_events=("RDY",),
)

M95 = replace(
    GENERIC,
    name="quectel-m95",
    optional=("+CLIP=1", "+CCWA=0,0,1", "+CREG=2", "+COLP=0", "+QTONEDET=1"),
    read_iccid=(AtCommand("+QCCID", "+QCCID:", timeout_s=SIM_S, bare=r"[0-9]{18,20}[Ff]?"), READ_EF_ICCID),
    hang_up=_HOOK,
    reject=_HOOK,
    read_dtmf=EC25.read_dtmf,
    read_tries=(QUECTEL_RETRIES, STANDARD_RETRIES),
)

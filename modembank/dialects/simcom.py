"""SIMCom SIM7100, SIM7500, SIM7600 and SIM5360: voice as raw PCM on a tty of its own, once the call is connected.

Source: SIMCom SIM7500/SIM7600 AT manual; ModemManager (simtech plugin); field reports on +CPCMREG.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from modembank.at.calls import (
    CLCC_ENDED,
    VOICE_MODE,
    CallKind,
    ClccState,
    Evidence,
    Indication,
    read_clcc,
    read_direction,
)
from modembank.at.command import DTMF_DIGITS, READ_EF_ICCID, SIM_S, AtCommand, setting
from modembank.at.fields import read_fields, read_number, read_text
from modembank.at.pin import SIMCOM_RETRIES, STANDARD_RETRIES
from modembank.at.urcs import SIMCOM
from modembank.dialects.dialect import CallEvents, Dialect, RateSwitch, Role, VoiceMoment, VoicePath

_KINDS = {
    ClccState.ACTIVE: CallKind.ANSWERED,
    ClccState.HELD: CallKind.HELD,
    ClccState.DIALING: CallKind.DIALING,
    ClccState.ALERTING: CallKind.ALERTING,
    ClccState.INCOMING: CallKind.INCOMING,
    ClccState.WAITING: CallKind.WAITING,
}


def read_call(line: str) -> Indication | None:
    """`+CLCC:` that nobody asked for, and `VOICE CALL: BEGIN` or `END[: <seconds>]`.

    END names no call and may come for an earlier one: it only has the calls listed. Source: SIM7600 AT manual,
    +CLCC and ATD.
    """
    if line.startswith("+CLCC:"):
        return _read_clcc(line)
    if line.startswith("VOICE CALL: BEGIN"):
        return Indication(CallKind.ANSWERED, Evidence.VOICE_CALL)
    if line.startswith(("VOICE CALL: END", "REMOTE CALL END", "MISSED_CALL:")):
        return Indication(CallKind.RELEASED, Evidence.VOICE_CALL)
    return None


def _read_clcc(line: str) -> Indication | None:
    fields = read_fields(line, "+CLCC:")
    if read_number(fields, 3) != VOICE_MODE:
        return None
    if read_number(fields, 2) == CLCC_ENDED:
        direction = read_direction(read_number(fields, 1))
        return Indication(CallKind.RELEASED, Evidence.CLCC_URC, read_number(fields, 0), direction)
    call = read_clcc(line)
    return Indication(_KINDS[call.state], Evidence.CLCC_URC, call.index, call.direction, call.number)


def read_digit(line: str) -> str | None:
    """`+RXDTMF: <digit>` or `+DTMF: <digit>`. Source: SIMCom AT manuals, +DDET."""
    for name in ("+RXDTMF:", "+DTMF:"):
        if line.startswith(name):
            digit = read_text(read_fields(line, name), 0)
            return digit if digit in DTMF_DIGITS else None
    return None


_CPCMREG = VoicePath(
    on=setting("+CPCMREG=1"),
    read_back=AtCommand("+CPCMREG=?", "+CPCMREG:"),
    proof="+CPCMREG:(0",
    off=setting("+CPCMREG=0"),
    moment=VoiceMoment.AFTER_CONNECT,
    settle_s=0.1,
    tries=4,
    pause_s=0.2,
    off_first=True,  # some firmware leaves the bus when a call ends under an open stream
    rates=RateSwitch(  # lost at a reset; sent either way, since some firmware keeps another rate
        wide=setting("+CPCMFRM=1"),
        narrow=setting("+CPCMFRM=0"),
        read_back=AtCommand("+CPCMFRM?", "+CPCMFRM:"),
        proof="+CPCMFRM:1",
    ),
)

SIM7600 = Dialect(
    name="simcom-sim7600",
    usb_ids=frozenset({(0x1E0E, 0x9001)}),
    interfaces=MappingProxyType({2: Role.AT, 4: Role.AUDIO}),
    settings=("+CMEE=1", "+CLIP=1", "+CREG=2", "+COLP=0"),
    optional=(
        "+CCWA=0,0,1",
        "+CEREG=2",
        "+CVHU=0",
        "+CECM=0",  # the echo canceller belongs to the browser: nothing acoustic is here
        "+DDET=1",
        "+CSCLK=0",  # asleep it loses what is written
    ),
    call_events=(CallEvents(setting("+CLCC=1"), "clcc"),),
    voice=_CPCMREG,
    read_iccid=(AtCommand("+CICCID", "+ICCID:", timeout_s=SIM_S), READ_EF_ICCID),
    urcs=SIMCOM,
    read_indication=read_call,
    read_dtmf=read_digit,
    sim_events=("+CPIN:", "+SIMCARD:"),
    message_stores=("ME", "SM"),
    read_tries=(STANDARD_RETRIES, SIMCOM_RETRIES),
)

# The 3G module: no LTE registration. Where its audio tty is, is not confirmed.
SIM5360 = replace(
    SIM7600,
    name="simcom-sim5360",
    usb_ids=frozenset({(0x05C6, 0x9000)}),
    optional=tuple(text for text in SIM7600.optional if text != "+CEREG=2"),
    voice=replace(_CPCMREG, rates=None),  # 8 kHz only
)

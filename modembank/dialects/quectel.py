"""Quectel EC20/EC25/EG25-G and relatives: voice as raw PCM on the NMEA interface's tty.

Source: Quectel EC2x&EG9x&EG2x-G&EM05 series AT commands manual.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from modembank.at.calls import CallKind, Evidence, Indication, read_direction
from modembank.at.command import READ_EF_ICCID, SIM_S, AtCommand, setting
from modembank.at.fields import read_fields, read_number, read_optional, read_text
from modembank.at.network import rssi_dbm
from modembank.at.pin import QUECTEL_RETRIES, STANDARD_RETRIES
from modembank.at.urcs import QUECTEL
from modembank.dialects.dialect import CallEvents, Dialect, Role, VoicePath

# `<stat>` of ^DSCI. 3 means connected here, while 3 in +CLCC means alerting. Source: EC2x manual, ^DSCI.
_DSCI = {
    1: CallKind.HELD,
    2: CallKind.DIALING,
    3: CallKind.ANSWERED,
    4: CallKind.INCOMING,
    5: CallKind.WAITING,
    6: CallKind.RELEASED,
    7: CallKind.ALERTING,
}
# `<state>` of +QIND: "ccinfo", numbered as +CLCC with -1 for the end. Source: EC2x manual, +QINDCFG.
_CCINFO = {
    -1: CallKind.RELEASED,
    0: CallKind.ANSWERED,
    1: CallKind.HELD,
    2: CallKind.DIALING,
    3: CallKind.ALERTING,
    4: CallKind.INCOMING,
    5: CallKind.WAITING,
}
_VOICE = 0
_DTMF = frozenset("0123456789*#ABCD")


def _read_indication(line: str) -> Indication | None:
    if line.startswith("^DSCI:"):
        return _read_dsci(line)
    if line.startswith('+QIND: "ccinfo"'):
        return _read_ccinfo(line)
    return None


def _read_dsci(line: str) -> Indication | None:
    """`^DSCI: <id>,<dir>,<stat>,<type>,<number>,<num_type>[,<tone_info>]`. Source: EC2x manual, ^DSCI."""
    fields = read_fields(line, "^DSCI:")
    kind = _DSCI.get(read_number(fields, 2))
    if kind is None or read_number(fields, 3) != _VOICE:
        return None
    tone = read_optional(fields, 6)
    return Indication(
        kind,
        Evidence.DSCI,
        index=read_number(fields, 0),
        direction=read_direction(read_number(fields, 1)),
        number=read_text(fields, 4),
        network_tone=None if tone is None else tone == 1,
    )


def _read_ccinfo(line: str) -> Indication | None:
    """`+QIND: "ccinfo",<idx>,<dir>,<state>,<mode>,<mpty>,<number>,<type>[,<alpha>]`. Source: EC2x manual, +QINDCFG."""
    fields = read_fields(line, "+QIND:")
    kind = _CCINFO.get(read_number(fields, 3))
    if kind is None or read_number(fields, 4) != _VOICE:
        return None
    return Indication(
        kind,
        Evidence.CCINFO,
        index=read_number(fields, 1),
        direction=read_direction(read_number(fields, 2)),
        number=read_text(fields, 6),
    )


def _read_dtmf(line: str) -> str | None:
    """`+QTONEDET: <ASCII code in decimal>`. Source: EC2x manual, +QTONEDET."""
    if not line.startswith("+QTONEDET:"):
        return None
    code = read_number(read_fields(line, "+QTONEDET:"), 0)
    digit = chr(code) if 0 <= code < 0x80 else ""
    return digit if digit in _DTMF else None


def _read_audio_flow(line: str) -> bool | None:
    """`+QPCMV: 0[,0]` asks to stop writing voice, `+QPCMV: 1[,0]` to go on. Source: Quectel voice over USB note."""
    if not line.startswith("+QPCMV:"):
        return None
    return read_number(read_fields(line, "+QPCMV:"), 0) == 1


def _read_signal(line: str) -> int | None:
    """`+QIND: "csq",<rssi>,<ber>` in dBm. Source: EC2x manual, +QINDCFG."""
    if not line.startswith('+QIND: "csq"'):
        return None
    return rssi_dbm(read_number(read_fields(line, "+QIND:"), 1))


_QPCMV = VoicePath(
    on=setting("+QPCMV=1,0"),
    read_back=AtCommand("+QPCMV?", "+QPCMV:"),
    proof="+QPCMV:1,0",
    off=setting("+QPCMV=0"),
)

EC25 = Dialect(
    name="quectel-ec25",
    # EC20, EC25, EG25-G; EC21; EG91; EG95; EP06 and relatives; EG12; an EC20 under Qualcomm's number
    usb_ids=frozenset({(0x2C7C, pid) for pid in (0x0125, 0x0121, 0x0191, 0x0195, 0x0306, 0x0512)} | {(0x05C6, 0x9215)}),
    interfaces=MappingProxyType({1: Role.AUDIO, 2: Role.AT}),
    settings=(
        "+CMEE=1",  # numbers, not texts
        "+CLIP=1",
        "+CCWA=0,0,1",  # one call a modem: the network tells a second caller that the line is busy
        "+CREG=2",
        "+CEREG=2",
        "+COLP=0",  # with 1 the OK of ATD would wait for the answer
    ),
    optional=(
        '+QURCCFG="urcport","usbat"',
        '+QGPSCFG="outport","none"',  # else position sentences are mixed into the voice
        '+QINDCFG="csq",1,0',
        "+QTONEDET=1",
        "+QSIMSTAT=1",
        "+QEEC=2,0",  # the echo canceller belongs to the browser: nothing acoustic is here
    ),
    call_events=(
        CallEvents(setting("^DSCI=1"), "dsci"),
        CallEvents(setting('+QINDCFG="ccinfo",1,0'), "ccinfo"),
    ),
    voice=_QPCMV,
    card_voice=replace(_QPCMV, on=setting("+QPCMV=1,2"), proof="+QPCMV:1,2"),
    read_iccid=(AtCommand("+QCCID", "+QCCID:", timeout_s=SIM_S), READ_EF_ICCID),
    urcs=QUECTEL,
    read_indication=_read_indication,
    read_dtmf=_read_dtmf,
    read_audio_flow=_read_audio_flow,
    read_signal=_read_signal,
    sim_events=("+QSIMSTAT:", "+CPIN:", "+QUSIM:"),
    message_stores=("ME", "SM"),  # a SIM holds 10 to 50
    read_tries=(STANDARD_RETRIES, QUECTEL_RETRIES),
)

# The 3G modules: no LTE registration, the same voice commands. Their numbers and layout are not confirmed.
UC20 = replace(
    EC25,
    name="quectel-uc20",
    usb_ids=frozenset({(0x05C6, 0x9090), (0x05C6, 0x9003)}),
    settings=tuple(text for text in EC25.settings if text != "+CEREG=2"),
)

"""SIMCom SIM7600 and its like. Source: hardware facts sections 2, 5 and 17."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from modembank.emulator.commands import COMMON
from modembank.emulator.commands.general import restart
from modembank.emulator.commands.handler import Handler
from modembank.emulator.commands.sim import card_of
from modembank.emulator.families.standard import STANDARD
from modembank.emulator.family import Family, Manners, UsbIdentity
from modembank.emulator.identity import number_type
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info
from modembank.emulator.settings import PCM_OFF, PCM_ON_TTY
from modembank.emulator.voice import Call, CallState

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

END_STAT = 6


class SimcomManners(Manners):
    """+CLCC unasked, VOICE CALL and MISSED_CALL."""

    def call_changed(self, modem: Modem, call: Call, state: CallState) -> None:
        """Tell a state; VOICE CALL: BEGIN stands before it, VOICE CALL: END too."""
        if state is CallState.ACTIVE and not call.told_active:
            call.told_active = True
            modem.urc("VOICE CALL: BEGIN")
        if state is CallState.ENDED and call.told_active and not call.told_end:
            modem.urc(_end_line(call))
        if state is CallState.ENDED and not call.outgoing and not call.told_active and call.cause is not None:
            modem.urc(f"MISSED_CALL: {datetime.now(UTC):%I:%M%p} {call.number}")
        if modem.simple("+CLCC"):
            stat = END_STAT if state is CallState.ENDED else int(state)
            facts = f'{0 if call.outgoing else 1},{stat},0,0,"{call.number}",{number_type(call.number)}'
            modem.urc(f"+CLCC: {call.index},{facts}")

    def hanging_up(self, modem: Modem, call: Call) -> tuple[str, ...]:
        """Return VOICE CALL: END, which stands before the OK."""
        if not call.told_active:
            return ()
        call.told_end = True
        return (_end_line(call),)

    def digit_heard(self, modem: Modem, digit: str) -> None:
        """Tell a DTMF digit."""
        if modem.simple("+DDET"):
            modem.urc(f"+RXDTMF: {digit}")

    def signal_changed(self, modem: Modem) -> None:
        """Tell the signal strength."""
        if modem.simple("+AUTOCSQ"):
            modem.urc(f"+CSQ: {modem.radio.rssi},99")


def _end_line(call: Call) -> str:
    return f"VOICE CALL: END: {call.seconds():06d}"


def _pcm(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CPCMREG=1 is refused until a call is connected, and a moment longer."""
    if command.form is Form.TEST:
        return info("+CPCMREG: (0-1)")
    if command.form is Form.READ:
        return info(f"+CPCMREG: {modem.volatile.pcm[0]}")
    if command.number(0, 0, 1) == 0:
        if modem.volatile.pcm == PCM_OFF:
            raise RefusedError(final="ERROR")
        modem.volatile.pcm = PCM_OFF
        modem.voice.refresh_audio()
        return OK
    now = asyncio.get_running_loop().time()
    connected = [call.answered_s for call in modem.voice.calls if call.state is CallState.ACTIVE]
    if not any(at_s is not None and now - at_s >= modem.faults.pcmreg_after_s for at_s in connected):
        raise RefusedError(final="ERROR")
    modem.volatile.pcm = PCM_ON_TTY
    modem.voice.refresh_audio()
    return OK


def _list(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CLCC lists calls; its set form switches the unasked lines."""
    if command.form is Form.TEST:
        return info("+CLCC: (0-1)")
    if command.form is not Form.SET:
        return COMMON["+CLCC"](modem, session, command)
    modem.volatile.values["+CLCC"] = (command.number(0, 0, 1),)
    return OK


def _iccid(modem: Modem, session: AtSession, command: Command) -> Reply:
    return OK if command.form is Form.TEST else info(f"+ICCID: {card_of(modem).iccid}F")


def _reset(modem: Modem, session: AtSession, command: Command) -> Reply:
    return OK if command.form is Form.TEST else restart(modem)


HANDLERS: dict[str, Handler] = {
    **STANDARD,
    **dict.fromkeys(
        ("+CPCMFRM", "+DDET", "+AUTOCSQ", "+CNSMOD", "+CLTS", "+CECM", "+CMICGAIN", "+COUTGAIN", "+CSCLK"),
        STANDARD["+CRC"],
    ),
    "+CPCMREG": _pcm,
    "+CLCC": _list,
    "+CICCID": _iccid,
    "+CRESET": _reset,
}

SIM7600 = Family(
    "simcom-sim7600",
    UsbIdentity("1e0e", "9001", "SimTech, Incorporated", "SimTech, Incorporated"),
    {0: "diag", 1: "nmea", 2: "at", 3: "modem", 4: "audio"},
    "SIMCOM INCORPORATED",
    "SIMCOM_SIM7600E-H",
    "LE20B04SIM7600M22",
    HANDLERS,
    SimcomManners(),
    power_on=("RDY",),
    all_ready=("SMS DONE", "PB DONE"),
    sim_removed=("+CPIN: NOT INSERTED", "+SIMCARD: NOT AVAILABLE"),
    double_cr=("+CRING", "+RXDTMF"),
    settings={"+CVHU": (1,)},
    pcm_ends_with_call=True,
)

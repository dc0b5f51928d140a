"""Voice over the NMEA port and who else writes there. Source: hardware facts section 4.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info
from modembank.emulator.settings import PCM_OFF, PCM_ON_CARD

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

OUTPORTS = ("none", "usbnmea", "uartdebug")


def _pcm(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+QPCMV: another carrier can only be chosen when the voice path is off."""
    if modem.faults.qpcmv_unsupported:
        raise RefusedError(final="ERROR")
    if command.form is Form.TEST:
        return info("+QPCMV: (0,1),(0-2)")
    volatile = modem.volatile
    if command.form is Form.READ:
        return info(f"+QPCMV: {volatile.pcm[0]},{volatile.pcm[1]}")
    enable = command.number(0, 0, 1)
    wanted = (1, command.number(1, 0, 2, 0)) if enable else PCM_OFF
    if modem.faults.qpcmv_card_refused and wanted == PCM_ON_CARD:
        raise RefusedError(final="ERROR")
    if modem.faults.qpcmv_refused or (enable and volatile.pcm[0] and volatile.pcm != wanted):
        raise RefusedError(final="ERROR")
    volatile.pcm = wanted
    modem.voice.refresh_audio()
    return OK


def _gps_config(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info('+QGPSCFG: "outport",("none","usbnmea","uartdebug")')
    if command.text(0).lower() != "outport":
        raise RefusedError(cme=50)
    if not command.given(1):
        return info(f'+QGPSCFG: "outport","{modem.persistent.gps_outport}"')
    if command.text(1).lower() not in OUTPORTS:
        raise RefusedError(cme=50)
    modem.persistent.gps_outport = command.text(1).lower()
    return OK


def _gps(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+QGPS: (1-4),(1-255),(1-1000),(0-1000),(1-65535)")
    if command.form is Form.READ:
        return info(f"+QGPS: {int(modem.faults.gnss)}")
    if modem.faults.gnss:
        raise RefusedError(cme=504)
    command.number(0, 1, 4)
    modem.faults.gnss = True
    return Reply(after=modem.run_gnss)


def _gps_end(modem: Modem, session: AtSession, command: Command) -> Reply:
    if not modem.faults.gnss:
        raise RefusedError(cme=505)
    modem.faults.gnss = False
    return OK


HANDLERS: dict[str, Handler] = {
    "+QPCMV": _pcm,
    "+QGPSCFG": _gps_config,
    "+QGPS": _gps,
    "+QGPSEND": _gps_end,
}

"""+CUSD. Source: 3GPP TS 27.007 clause 7.15; hardware facts section 11."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator import ussd
from modembank.emulator.commands.handler import Handler
from modembank.emulator.commands.sim import sim_of
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

CANCEL = 2


def _ussd(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CUSD: (0-2)")
    shown = modem.volatile.values.get("+CUSD", (0,))[0]
    if command.form is Form.READ:
        return info(f"+CUSD: {shown}")
    mode = command.number(0, 0, 2, shown)
    if mode == CANCEL:
        modem.ussd.cancel()
        return OK
    modem.volatile.values["+CUSD"] = (mode,)
    if not command.given(1):
        return OK
    sim_of(modem)
    command.number(2, 0, 255, ussd.DCS_DEFAULT)
    return modem.ussd.send(ussd.read(modem, command.text(1)))


HANDLERS: dict[str, Handler] = {"+CUSD": _ussd}

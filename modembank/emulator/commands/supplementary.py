"""Call forwarding as the network keeps it for a SIM. Source: 3GPP TS 27.007 clause 7.11, TS 22.082."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.commands.sim import sim_of
from modembank.emulator.identity import number_type
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession


class Reason(IntEnum):
    """When a call is forwarded."""

    UNCONDITIONAL = 0
    BUSY = 1
    NO_REPLY = 2
    NOT_REACHABLE = 3


class Mode(IntEnum):
    """What is done."""

    DISABLE = 0
    ENABLE = 1
    QUERY = 2
    REGISTER = 3
    ERASE = 4


def _forwarding(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CCFC: (0-3)")
    sim = sim_of(modem)
    if not modem.radio.serves_voice():
        raise RefusedError(cme=30)
    reason = command.number(0, 0, max(Reason))
    mode = command.number(1, 0, max(Mode))
    if mode == Mode.QUERY:
        number = sim.forwarding.get(reason, "")
        line = f'+CCFC: 1,1,"{number}",{number_type(number)}' if number else "+CCFC: 0,7"
        return Reply((line,), delay_s=modem.faults.ccfc_s)
    if mode in (Mode.DISABLE, Mode.ERASE):
        sim.set_forwarding(reason, "")
    elif mode == Mode.REGISTER:
        sim.set_forwarding(reason, command.text(2))
    return OK


HANDLERS: dict[str, Handler] = {"+CCFC": _forwarding}

"""Modules on a plain serial port whose voice is on pins: SIM800, A7670, M95.

Each is wired to a sound card of its own. What the facts do not tell is answered as the standards have it.
Source: hardware facts sections 2, 4.3, 5 and 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands import COMMON
from modembank.emulator.commands.handler import Handler
from modembank.emulator.commands.sim import card_of
from modembank.emulator.families.simcom import HANDLERS as SIMCOM_HANDLERS
from modembank.emulator.families.standard import STANDARD
from modembank.emulator.family import E_UTRAN, Card, Family, Manners
from modembank.emulator.identity import number_type
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, Reply, info
from modembank.emulator.voice import Call, CallState

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

GERAN = 0
END_STAT = 6
LINE = Card("Line")


class ModuleManners(Manners):
    """SIMCom's modules: +CLCC unasked once it was asked for, and +DTMF."""

    def call_changed(self, modem: Modem, call: Call, state: CallState) -> None:
        """Tell a state."""
        if modem.simple("+CLCC"):
            stat = END_STAT if state is CallState.ENDED else int(state)
            direction = 0 if call.outgoing else 1
            modem.urc(f'+CLCC: {call.index},{direction},{stat},0,0,"{call.number}",{number_type(call.number)},""')

    def digit_heard(self, modem: Modem, digit: str) -> None:
        """Tell a DTMF digit."""
        if modem.simple("+DDET"):
            modem.urc(f"+DTMF: {digit}")


class M95Manners(Manners):
    """Quectel's: +QTONEDET by the digit's ASCII number; calls are told by nothing."""

    def digit_heard(self, modem: Modem, digit: str) -> None:
        """Tell a DTMF digit."""
        if modem.simple("+QTONEDET") == 1:
            modem.urc(f"+QTONEDET: {ord(digit)}")


def _bare_iccid(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CCID of SIM800 and A76xx: digits without a name in front."""
    return OK if command.form is Form.TEST else info(card_of(modem).iccid)


_MODULE: dict[str, Handler] = {
    **{name: handler for name, handler in STANDARD.items() if name != "+CEREG"},
    **{name: SIMCOM_HANDLERS[name] for name in ("+CLCC", "+DDET", "+CLTS", "+CSCLK")},
    "+CCID": _bare_iccid,
}

SIM800 = Family(
    "simcom-sim800",
    None,
    {0: "at"},
    "SIMCOM_Ltd",
    "SIMCOM_SIM800L",
    "Revision:1418B05SIM800L24",
    _MODULE,
    ModuleManners(),
    tty="ttyS",
    stores=("SM", "ME"),
    store="SM",
    first_slot=1,
    act=GERAN,
    power_on=("RDY", "+CFUN: 1"),
    all_ready=("Call Ready", "SMS Ready"),
    card=LINE,
)

A7670 = Family(
    "simcom-a7670",
    None,
    {0: "at"},
    "INCORPORATED",
    "A7670E-FASE",
    "A7670M7_V1.11.1",
    {**_MODULE, "+CEREG": STANDARD["+CEREG"]},
    ModuleManners(),
    tty="ttyS",
    stores=("SM", "ME"),
    store="SM",
    act=E_UTRAN,
    power_on=("RDY",),
    all_ready=("SMS DONE", "PB DONE"),
    sim_removed=("+CPIN: NOT INSERTED",),
    card=LINE,
)

M95 = Family(
    "quectel-m95",
    None,
    {0: "at"},
    "Quectel_Ltd",
    "Quectel_M95",
    "M95FAR02A08",
    {
        **{name: handler for name, handler in STANDARD.items() if name != "+CEREG"},
        **{name: COMMON[name] for name in ("+QCCID", "+QTONEDET")},
    },
    M95Manners(),
    tty="ttyS",
    stores=("SM", "ME"),
    store="SM",
    first_slot=1,
    act=GERAN,
    power_on=("RDY", "+CFUN: 1"),
    all_ready=("Call Ready",),
    card=LINE,
)

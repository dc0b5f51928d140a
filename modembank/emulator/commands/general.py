"""Port settings, identity of the device, power, clock.

Source: ITU-T V.250 clause 6; 3GPP TS 27.007 clauses 5, 8 and 9.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler, accept, query
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

CHARSETS = ("GSM", "IRA", "UCS2")
REGISTERS = {"0": 0, "3": 13, "4": 10, "5": 8, "6": 2, "7": 0, "8": 2, "10": 15}
POWER_DOWN_S = 1.0
RESET_DELAY_S = 0.5
"""From the OK of AT+CFUN=1,1 to the loss of the device; real ones take 1 to 3 s."""


def _echo(modem: Modem, session: AtSession, command: Command) -> Reply:
    session.echo = command.number(0, 0, 1, 0) == 1
    return OK


def _verbose(modem: Modem, session: AtSession, command: Command) -> Reply:
    session.verbose = command.number(0, 0, 1, 0) == 1
    return OK


def _quiet(modem: Modem, session: AtSession, command: Command) -> Reply:
    session.quiet = command.number(0, 0, 1, 0) == 1
    return OK


def _profile(modem: Modem, session: AtSession, command: Command) -> Reply:
    """ATZ and AT&F: the profile returns; PCM, DSCI and ccinfo are no part of it."""
    session.restore_profile()
    modem.volatile.cmee = 1
    modem.volatile.creg = dict.fromkeys(modem.volatile.creg, 0)
    for name in ("+CRC", "+CLIP", "+COLP", "+CVHU", "&C", "&D", "X"):
        modem.volatile.values.pop(name, None)
    return OK


def _register(modem: Modem, session: AtSession, command: Command) -> Reply:
    register = command.text(0)
    if register not in REGISTERS:
        raise RefusedError(cme=50)
    if command.form is Form.READ:
        return info(f"{REGISTERS[register]:03d}")
    command.number(1, 0, 255)
    return OK


def _ati(modem: Modem, session: AtSession, command: Command) -> Reply:
    family = modem.family
    return info(family.maker, family.model, f"Revision: {family.revision}")


def _cmee(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CMEE: (0-2)")
    if command.form is Form.READ:
        return info(f"+CMEE: {modem.volatile.cmee}")
    modem.volatile.cmee = command.number(0, 0, 2)
    return OK


def _charset(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info('+CSCS: ("GSM","IRA","UCS2")')
    if command.form is Form.READ:
        return info(f'+CSCS: "{modem.volatile.charset}"')
    charset = command.text(0).upper()
    if charset not in CHARSETS:
        raise RefusedError(cme=50)
    modem.volatile.charset = charset
    return OK


def _functionality(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CFUN: (0,1,4),(0-1)")
    if command.form is Form.READ:
        return info(f"+CFUN: {modem.radio.functionality}")
    value, again = command.number(0, 0, 4), command.number(1, 0, 1, 0)
    if value not in (0, 1, 4):
        raise RefusedError(cme=50)
    if again:
        return restart(modem)
    return Reply(after=lambda: modem.set_functionality(value))


def restart(modem: Modem) -> Reply:
    """Answer OK, then leave the bus and come back."""
    return Reply(after=lambda: _later(modem, RESET_DELAY_S, modem.reset))


def _power_down(modem: Modem, session: AtSession, command: Command) -> Reply:
    command.number(0, 0, 1, 1)

    def go() -> None:
        modem.urc("POWERED DOWN")
        modem.unplug()

    return Reply(after=lambda: _later(modem, POWER_DOWN_S, go))


def _later(modem: Modem, delay_s: float, action: Callable[[], None]) -> None:
    modem.timers.after(delay_s, action)


def _clock(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.READ:
        return info(f'+CCLK: "{datetime.now(UTC):%y/%m/%d,%H:%M:%S}+00"')
    return OK


def _network_clock(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+QLTS: (0-2)")
    return info(f'+QLTS: "{datetime.now(UTC):%Y/%m/%d,%H:%M:%S}+00,0"')


def _config(modem: Modem, session: AtSession, command: Command) -> Reply:
    config = modem.persistent.config
    if command.form is Form.TEST:
        return Reply(tuple(f'+QCFG: "{name}"' for name in config))
    name = command.text(0).lower()
    if name not in config:
        raise RefusedError(cme=50)
    if len(command.arguments) == 1:
        return info(f'+QCFG: "{name}",{config[name]}')
    values = [f'"{a.text}"' if a.quoted else a.text for a in command.arguments[1:]]
    config[name] = f"{values[0]},{values[0]}" if name == "ims" else ",".join(values)
    return OK


def _urc_port(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info('+QURCCFG: "urcport",("usbat","usbmodem","uart1")')
    if command.text(0) != "urcport":
        raise RefusedError(cme=50)
    if len(command.arguments) == 1:
        return info(f'+QURCCFG: "urcport","{modem.persistent.urc_port}"')
    if command.text(1) not in ("usbat", "usbmodem", "uart1"):
        raise RefusedError(cme=50)
    modem.persistent.urc_port = command.text(1)
    return OK


HANDLERS: dict[str, Handler] = {
    "E": _echo,
    "V": _verbose,
    "Q": _quiet,
    "Z": _profile,
    "&F": _profile,
    "&W": accept,
    "S": _register,
    "I": _ati,
    "L": accept,
    "M": accept,
    "+CMEE": _cmee,
    "+CSCS": _charset,
    "+CFUN": _functionality,
    "+QPOWD": _power_down,
    "+CCLK": _clock,
    "+QLTS": _network_clock,
    "+QCFG": _config,
    "+QURCCFG": _urc_port,
    **dict.fromkeys(("+CGMI", "+GMI"), query(lambda modem: modem.family.maker)),
    **dict.fromkeys(("+CGMM", "+GMM"), query(lambda modem: modem.family.model)),
    **dict.fromkeys(("+CGMR", "+GMR"), query(lambda modem: modem.family.revision)),
    **dict.fromkeys(("+CGSN", "+GSN"), query(lambda modem: modem.imei)),
    "+GCAP": query(lambda modem: "+GCAP: +CGSM"),
    "+CBC": query(lambda modem: "+CBC: 0,0,3870"),
    "+QTEMP": query(lambda modem: "+QTEMP: 36,34,33"),
}

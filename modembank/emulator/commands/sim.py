"""The SIM: state, PIN counters, ICCID, IMSI, own number, elementary files.

Source: 3GPP TS 27.007 clauses 5.6, 7.1, 7.4, 8.3, 8.18; hardware facts section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.identity import Sim, number_type, swapped_bcd
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

EF_ICCID, EF_AD = 12258, 28589
READ_BINARY = 176
FILE_NOT_FOUND = "+CRSM: 106,130"
MNC_DIGITS = "00000002"
"""EF_AD: the IMSI's MNC has two digits. Source: 3GPP TS 31.102 clause 4.2.18."""


def sim_of(modem: Modem) -> Sim:
    """Return the SIM if it can be read now.

    Raises:
        RefusedError: CME 10 not inserted, CME 14 busy.
    """
    if modem.sim is None:
        raise RefusedError(cme=10)
    if not modem.sim_ready:
        raise RefusedError(cme=14)
    return modem.sim


def _pin(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim_of(modem)
    if command.form is Form.TEST:
        return OK
    if command.form is Form.READ:
        return info("+CPIN: READY")
    raise RefusedError(cme=3)


def _pin_retries(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim_of(modem)
    return info("+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10")


def _quectel_retries(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim_of(modem)
    return info('+QPINC: "SC",3,10', '+QPINC: "P2",3,10')


def _imsi(modem: Modem, session: AtSession, command: Command) -> Reply:
    return OK if command.form is Form.TEST else info(sim_of(modem).imsi)


def _iccid(modem: Modem, session: AtSession, command: Command) -> Reply:
    """Tell the ICCID; a card of 19 digits is shown with its filler, as the module does."""
    return OK if command.form is Form.TEST else info(f"{command.name}: {sim_of(modem).iccid}F")


def _own_number(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim = sim_of(modem)
    if modem.faults.cnum_empty or command.form is Form.TEST:
        return OK
    return info(f'+CNUM: ,"{sim.number}",{number_type(sim.number)}')


def _restricted_access(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim = sim_of(modem)
    if command.form is Form.TEST:
        return OK
    operation, file = command.number(0, 0, 255), command.number(1, 0, 65535, 0)
    if operation == READ_BINARY and file == EF_ICCID:
        return info(f'+CRSM: 144,0,"{swapped_bcd(sim.iccid)}"')
    if operation == READ_BINARY and file == EF_AD:
        return info(f'+CRSM: 144,0,"{MNC_DIGITS}"')
    return info(FILE_NOT_FOUND)


def _lock(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim_of(modem)
    if command.form is Form.TEST:
        return info('+CLCK: ("SC")')
    if command.text(0) != "SC" or command.number(1, 0, 2) != 2:
        raise RefusedError(cme=16)
    return info("+CLCK: 0")


def _sim_state(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+QSIMSTAT: (0,1)")
    if command.form is Form.READ:
        return info(f"+QSIMSTAT: {modem.simple('+QSIMSTAT')},{int(modem.sim is not None)}")
    modem.volatile.values["+QSIMSTAT"] = (command.number(0, 0, 1),)
    return OK


HANDLERS: dict[str, Handler] = {
    "+CPIN": _pin,
    "+CPINR": _pin_retries,
    "+QPINC": _quectel_retries,
    "+CIMI": _imsi,
    "+QCCID": _iccid,
    "+CCID": _iccid,
    "+ICCID": _iccid,
    "+CNUM": _own_number,
    "+CRSM": _restricted_access,
    "+CLCK": _lock,
    "+QSIMSTAT": _sim_state,
}

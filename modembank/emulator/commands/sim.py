"""The SIM: state, PIN counters, ICCID, IMSI, own number, elementary files.

Source: 3GPP TS 27.007 clauses 5.6, 7.1, 7.4, 8.3, 8.18; hardware facts section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.identity import Sim, number_type, swapped_bcd
from modembank.emulator.parser import Command, Form
from modembank.emulator.pin import PIN_TRIES, PUK_TRIES, Lock, PinLock, is_pin
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

EF_ICCID, EF_AD = 12258, 28589
READ_BINARY = 176
QUERY = 2
FILE_NOT_FOUND = "+CRSM: 106,130"
MNC_DIGITS = "00000002"
"""EF_AD: the IMSI's MNC has two digits. Source: 3GPP TS 31.102 clause 4.2.18."""


def card_of(modem: Modem) -> Sim:
    """Return the SIM if it can be read now, unlocked or not.

    Raises:
        RefusedError: CME 10 not inserted, CME 14 busy, CME 13 blocked for good.
    """
    if modem.sim is None:
        raise RefusedError(cme=10)
    if not modem.sim_ready:
        raise RefusedError(cme=14)
    if modem.sim.lock.state() is Lock.BLOCKED:
        raise RefusedError(cme=13)
    return modem.sim


def sim_of(modem: Modem) -> Sim:
    """Return the SIM if it serves now.

    Raises:
        RefusedError: as `card_of`, and CME 11 PIN wanted, CME 12 PUK wanted.
    """
    sim = card_of(modem)
    if sim.lock.state() is not Lock.READY:
        raise RefusedError(cme=11 if sim.lock.state() is Lock.PIN else 12)
    return sim


def _pin(modem: Modem, session: AtSession, command: Command) -> Reply:
    lock = card_of(modem).lock
    if command.form is Form.TEST:
        return OK
    if command.form is Form.READ:
        return info(f"+CPIN: {lock.state()}")
    code, new = command.text(0), command.text(1, "")
    if not is_pin(code) or (new and not is_pin(new)):
        raise RefusedError(cme=50)
    wanted = lock.state()
    if wanted is Lock.READY:
        raise RefusedError(cme=3)
    if wanted is Lock.PUK and not new:
        raise RefusedError(cme=12)
    taken = lock.verify(code) if wanted is Lock.PIN else lock.unblock(code, new)
    if not taken:
        raise wrong_password(lock)
    return Reply(after=modem.unlock)


def wrong_password(lock: PinLock) -> RefusedError:
    """Return the error after a wrong code: 16 while tries are left, then what is wanted now."""
    errors = {Lock.BLOCKED: 13, Lock.PUK: 12 if lock.puk_tries == PUK_TRIES else 16}
    return RefusedError(cme=errors.get(lock.state(), 16))


def _pin_retries(modem: Modem, session: AtSession, command: Command) -> Reply:
    lock = card_of(modem).lock
    lines = (f"+CPINR: SIM PIN,{lock.pin_tries},{PIN_TRIES}", f"+CPINR: SIM PUK,{lock.puk_tries},{PUK_TRIES}")
    wanted = command.text(0, "") if command.form is Form.SET else ""
    return Reply(tuple(line for line in lines if wanted in line))


def _quectel_retries(modem: Modem, session: AtSession, command: Command) -> Reply:
    lock = card_of(modem).lock
    return info(f'+QPINC: "SC",{lock.pin_tries},{lock.puk_tries}', '+QPINC: "P2",3,10')


def _change_password(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info('+CPWD: ("SC",8)')
    lock = sim_of(modem).lock
    if command.text(0) != "SC" or not is_pin(command.text(2)):
        raise RefusedError(cme=50)
    if not lock.enabled:
        raise RefusedError(cme=3)
    if not lock.verify(command.text(1)):
        raise wrong_password(lock)
    lock.pin = command.text(2)
    return OK


def _imsi(modem: Modem, session: AtSession, command: Command) -> Reply:
    return OK if command.form is Form.TEST else info(sim_of(modem).imsi)


def _iccid(modem: Modem, session: AtSession, command: Command) -> Reply:
    """Tell the ICCID; a card of 19 digits is shown with its filler, as the module does."""
    return OK if command.form is Form.TEST else info(f"{command.name}: {card_of(modem).iccid}F")


def _own_number(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim = sim_of(modem)
    if modem.faults.cnum_empty or command.form is Form.TEST:
        return OK
    return info(f'+CNUM: ,"{sim.number}",{number_type(sim.number)}')


def _restricted_access(modem: Modem, session: AtSession, command: Command) -> Reply:
    sim = card_of(modem)
    if command.form is Form.TEST:
        return OK
    operation, file = command.number(0, 0, 255), command.number(1, 0, 65535, 0)
    if operation == READ_BINARY and file == EF_ICCID:
        return info(f'+CRSM: 144,0,"{swapped_bcd(sim.iccid)}"')
    if operation == READ_BINARY and file == EF_AD:
        return info(f'+CRSM: 144,0,"{MNC_DIGITS}"')
    return info(FILE_NOT_FOUND)


def _lock(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info('+CLCK: ("SC")')
    lock = sim_of(modem).lock
    if command.text(0) != "SC":
        raise RefusedError(cme=50)
    mode = command.number(1, 0, 2)
    if mode == QUERY:
        return info(f"+CLCK: {int(lock.enabled)}")
    if not lock.verify(command.text(2)):
        raise wrong_password(lock)
    lock.enabled = mode == 1
    return OK


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
    "+CPWD": _change_password,
    "+QSIMSTAT": _sim_state,
}

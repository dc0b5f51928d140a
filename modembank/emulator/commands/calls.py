"""Call control. Source: ITU-T V.250 clause 6.3; 3GPP TS 27.007 clauses 6 and 7; hardware facts sections 4.3 and 6."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler
from modembank.emulator.commands.sim import sim_of
from modembank.emulator.identity import number_type
from modembank.emulator.parser import Command, Form
from modembank.emulator.redial import REPORT
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

MAX_DIAL = 80
DIALABLE = re.compile(r"\+?[0-9*#ABC]+\Z", re.IGNORECASE)
SUPPLEMENTARY = re.compile(r"[*#].*#\Z")
DTMF_DIGITS = frozenset("0123456789*#ABCD")
WAITING_QUERY = 2
GHOST = '+CLCC: 7,0,0,0,0,"",129'


def _dial(modem: Modem, session: AtSession, command: Command) -> Reply:
    text = command.text(0)
    voice = text.endswith(";")
    number = re.sub(r"[\s().-]", "", text.rstrip(";"))
    if number[:1].upper() in ("T", "P"):
        number = number[1:]
    number = re.sub(r"[IGig]+\Z", "", number)
    if len(number) > MAX_DIAL:
        raise RefusedError(cme=26)
    if not DIALABLE.match(number):
        raise RefusedError(cme=27)
    if not voice:
        raise RefusedError(final="NO CARRIER")
    if modem.sim is not None and modem.sim_ready:
        sim_of(modem)
    if SUPPLEMENTARY.match(number):
        return modem.ussd.send(number)
    on_answer = modem.faults.colp_style or modem.simple("+COLP") == 1
    return modem.voice.dial(number, on_answer)


def _answer(modem: Modem, session: AtSession, command: Command) -> Reply:
    return modem.voice.answer(modem.faults.conn_before_ok)


def _hook(modem: Modem, session: AtSession, command: Command) -> Reply:
    """ATH: under +CVHU=1 it is ignored though OK is answered. Source: 3GPP TS 27.007 clause 6.20."""
    if modem.simple("+CVHU") == 1:
        return OK
    return modem.voice.hang_up(modem.voice.calls)


def _hang_up(modem: Modem, session: AtSession, command: Command) -> Reply:
    return OK if command.form is Form.TEST else modem.voice.hang_up(modem.voice.calls)


def _hang_up_with_cause(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+QHUP: (1,3,16,17,18,19,21,27,31,88),(1-7)")
    cause, calls = command.number(0, 1, 127), modem.voice.calls
    if command.given(1):
        index = command.number(1, 1, 7)
        calls = [call for call in calls if call.index == index]
    return modem.voice.hang_up(calls, cause)


def _call_hold(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CHLD: (0,1,1x,2,2x)")
    if command.form is not Form.SET:
        raise RefusedError(cme=50)
    return modem.voice.chld(command.text(0))


def _list(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CLCC: on LTE the default bearer stands first, as a data call. Source: hardware facts section 4.3."""
    if command.form is Form.TEST:
        return OK
    lines = ['+CLCC: 1,0,0,1,0,"",128'] if modem.radio.has_bearer() else []
    if modem.faults.ghost_call:
        lines.append(GHOST)
    for call in modem.voice.calls:
        direction = 0 if call.outgoing else 1
        facts = f'{call.index},{direction},{int(call.state)},0,0,"{call.number}",{number_type(call.number)}'
        lines.append(f"+CLCC: {facts}")
    return Reply(tuple(lines))


def _tones(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+VTS: (0-9,A-D,*,#),(1-255)")
    digits = command.text(0).upper()
    if not digits or len(digits) > 29 or set(digits) - DTMF_DIGITS:
        raise RefusedError(cme=50)
    command.number(1, 0, 255, 1)
    return modem.voice.press(digits)


def _cause(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CEER: `+CEER: 5,<q850>`, 5 for "the network's call control" and the 24.008 cause of the last release.

    Before any call it is `+CEER: 0,0`. The text is the vendor's choice: 3GPP TS 27.007 clause 6.10.
    """
    if command.form is Form.TEST:
        return OK
    if modem.voice.redial.refused:
        return info(REPORT)
    cause = modem.voice.cause
    return info(f"+CEER: {5 if cause else 0},{cause}")


def _waiting(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CCWA: `<n>` shows the URC, `<mode>` switches the service at the network."""
    volatile = modem.volatile
    if command.form is Form.TEST:
        return info("+CCWA: (0,1)")
    if command.form is Form.READ:
        return info(f"+CCWA: {volatile.waiting_urc}")
    volatile.waiting_urc = command.number(0, 0, 1, volatile.waiting_urc)
    if not command.given(1):
        return OK
    mode = command.number(1, 0, 2)
    if mode == WAITING_QUERY:
        return info(f"+CCWA: {int(volatile.waiting_service)},1")
    volatile.waiting_service = mode == 1
    return OK


def _dsci(modem: Modem, session: AtSession, command: Command) -> Reply:
    if modem.faults.dsci_unsupported:
        raise RefusedError(final="ERROR")
    if command.form is Form.TEST:
        return info("^DSCI: (0-1)")
    if command.form is Form.READ:
        return info(f"^DSCI: {modem.volatile.dsci}")
    modem.volatile.dsci = command.number(0, 0, 1)
    return OK


def _indications(modem: Modem, session: AtSession, command: Command) -> Reply:
    indications = modem.volatile.indications
    if command.form is Form.TEST:
        return Reply(tuple(f'+QINDCFG: "{name}",(0-1),(0-1)' for name in indications))
    name = command.text(0).lower()
    if name not in indications or (name == "ccinfo" and modem.faults.ccinfo_unsupported):
        raise RefusedError(final="ERROR")
    if not command.given(1):
        return info(f'+QINDCFG: "{name}",{indications[name]}')
    value = command.number(1, 0, 1)
    command.number(2, 0, 1, 0)
    indications[name] = value
    return OK


HANDLERS: dict[str, Handler] = {
    "D": _dial,
    "A": _answer,
    "H": _hook,
    "+CHUP": _hang_up,
    "+QHUP": _hang_up_with_cause,
    "+CHLD": _call_hold,
    "+CLCC": _list,
    "+VTS": _tones,
    "+CEER": _cause,
    "+CCWA": _waiting,
    "^DSCI": _dsci,
    "+QINDCFG": _indications,
}

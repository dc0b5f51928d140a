"""Registration, operator, signal. Source: 3GPP TS 27.007 clauses 7.2, 7.3, 8.5, 8.69; hardware facts section 8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler, query
from modembank.emulator.identity import OPERATOR_LONG, OPERATOR_SHORT, PLMN
from modembank.emulator.parser import Command, Form
from modembank.emulator.radio import OFF, VOICE_STATES
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

GARBAGE = "\x80@"
DEREGISTER = 2
FORMAT_ONLY = 3


def _registration(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info(f"{command.name}: (0-3)")
    if command.form is Form.READ:
        mode = modem.volatile.creg[command.name]
        return info(f"{command.name}: {mode},{modem.radio.location(mode)}")
    modem.volatile.creg[command.name] = command.number(0, 0, 3)
    return OK


def _operator_name(modem: Modem) -> str:
    name = (OPERATOR_LONG, OPERATOR_SHORT, PLMN)[modem.volatile.cops_format]
    if modem.faults.cops_garbage and name != PLMN:
        name += GARBAGE
    if modem.volatile.charset == "UCS2":
        return name.encode("utf-16-be").hex().upper()
    return name


def _operator(modem: Modem, session: AtSession, command: Command) -> Reply:
    radio = modem.radio
    if command.form is Form.TEST:
        state = 3 if radio.wanted == 3 else 2 if radio.stat in VOICE_STATES else 1
        found = f'({state},"{OPERATOR_LONG}","{OPERATOR_SHORT}","{PLMN}",{radio.act})'
        return Reply((f"+COPS: {found},,(0-4),(0-2)",), delay_s=modem.faults.cops_scan_s)
    if command.form is Form.READ:
        if radio.stat not in VOICE_STATES | {6, 7}:
            return info(f"+COPS: {radio.selection}")
        name = _operator_name(modem)
        return info(f'+COPS: {radio.selection},{modem.volatile.cops_format},"{name}",{radio.act}')
    return _select(modem, command)


def _select(modem: Modem, command: Command) -> Reply:
    mode = command.number(0, 0, 4)
    named = command.number(1, 0, 2, modem.volatile.cops_format)
    if mode == FORMAT_ONLY:
        modem.volatile.cops_format = named
        return OK
    if mode in (1, 4) and command.text(2) not in (PLMN, OPERATOR_LONG, OPERATOR_SHORT):
        raise RefusedError(cme=30)
    modem.radio.selection = mode
    if mode == DEREGISTER:
        return Reply(after=lambda: modem.radio.become(OFF))
    if modem.radio.stat in VOICE_STATES:
        return OK
    return Reply(after=modem.radio.search)


def _csq(modem: Modem) -> str:
    return f"+CSQ: {modem.radio.rssi},99"


def _cesq(modem: Modem) -> str:
    return f"+CESQ: 99,99,255,255,20,{modem.radio.rsrp_dbm() + 141}"


def _qcsq(modem: Modem) -> str:
    if modem.radio.stat not in VOICE_STATES:
        return '+QCSQ: "NOSERVICE"'
    return f'+QCSQ: "LTE",{-113 + 2 * modem.radio.rssi},{modem.radio.rsrp_dbm()},148,-9'


def _network_info(modem: Modem) -> str:
    if modem.radio.stat not in VOICE_STATES:
        return '+QNWINFO: "No Service"'
    return f'+QNWINFO: "FDD LTE","{PLMN}","LTE BAND 3",1300'


def _provider_name(modem: Modem) -> str:
    return f'+QSPN: "{OPERATOR_LONG}","{OPERATOR_SHORT}","{OPERATOR_SHORT}",0,"{PLMN}"'


def _attach(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CGATT: (0,1)")
    if command.form is Form.READ:
        return info(f"+CGATT: {int(modem.radio.stat in VOICE_STATES)}")
    command.number(0, 0, 1)
    return OK


def _ims(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.READ:
        return info(f"+CIREG: 0,{int(modem.radio.serves_voice())}")
    return OK


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("+CREG", "+CGREG", "+CEREG"), _registration),
    "+COPS": _operator,
    "+CSQ": query(_csq),
    "+CESQ": query(_cesq),
    "+QCSQ": query(_qcsq),
    "+QNWINFO": query(_network_info),
    "+QSPN": query(_provider_name),
    "+CGATT": _attach,
    "+CIREG": _ims,
}

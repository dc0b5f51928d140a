"""Message settings over empty stores; sending is refused. Source: 3GPP TS 27.005 clauses 3 and 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler, accept
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

CAPACITY = {"SM": 20, "ME": 255, "MT": 255}
SERVICE_CENTRE = '+CSCA: "+447700900999",145'
CNMI_LIMITS = ((0, 2), (0, 3), (0, 3), (0, 2), (0, 1))


def _stores(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info('+CPMS: ("SM","ME","MT"),("SM","ME","MT"),("SM","ME","MT")')
    stores = modem.volatile.stores
    if command.form is Form.READ:
        return info("+CPMS: " + ",".join(f'"{name}",0,{CAPACITY[name]}' for name in stores))
    chosen = [command.text(place, stores[place]) or stores[place] for place in range(3)]
    if set(chosen) - set(CAPACITY):
        raise RefusedError(cms=302)
    modem.volatile.stores = (chosen[0], chosen[1], chosen[2])
    return info("+CPMS: " + ",".join(f"0,{CAPACITY[name]}" for name in chosen))


def _indication(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CNMI: (0-2),(0-3),(0-3),(0-2),(0,1)")
    if command.form is Form.READ:
        return info(f"+CNMI: {','.join(map(str, modem.volatile.cnmi))}")
    pairs = enumerate(zip(CNMI_LIMITS, modem.volatile.cnmi, strict=True))
    modem.volatile.cnmi = tuple(command.number(place, *limit, old) for place, (limit, old) in pairs)
    return OK


def _service(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CSMS: (0,1)")
    chosen = modem.volatile.values.get("+CSMS", (0,))[0]
    if command.form is Form.READ:
        return info(f"+CSMS: {chosen},1,1,1")
    modem.volatile.values["+CSMS"] = (command.number(0, 0, 1),)
    return info("+CSMS: 1,1,1")


def _service_centre(modem: Modem, session: AtSession, command: Command) -> Reply:
    return info(SERVICE_CENTRE) if command.form is Form.READ else OK


def _read(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    raise RefusedError(cms=321)


def _delete(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CMGD: (),(0-4)")
    if command.number(1, 0, 4, 0) == 0 and command.number(0, 0, 99999) >= CAPACITY[modem.volatile.stores[0]]:
        raise RefusedError(cms=321)
    return OK


def _list(modem: Modem, session: AtSession, command: Command) -> Reply:
    return info("+CMGL: (0-4)") if command.form is Form.TEST else OK


def _send(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    raise RefusedError(cms=303)


def _acknowledge(modem: Modem, session: AtSession, command: Command) -> Reply:
    raise RefusedError(cms=340)


HANDLERS: dict[str, Handler] = {
    "+CPMS": _stores,
    "+CNMI": _indication,
    "+CSMS": _service,
    "+CSCA": _service_centre,
    "+CSMP": accept,
    "+CMGR": _read,
    "+CMGD": _delete,
    "+CMGL": _list,
    "+CMGS": _send,
    "+CMGW": _send,
    "+CMSS": _send,
    "+CNMA": _acknowledge,
}

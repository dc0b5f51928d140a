"""Message settings and stores. Source: 3GPP TS 27.005 clauses 3 and 4; hardware facts section 10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler, accept
from modembank.emulator.commands.sms_send import HANDLERS as SENDING
from modembank.emulator.commands.sms_send import card_for_messages
from modembank.emulator.message_store import MessageState, MessageStore, StoredMessage
from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

CNMI_LIMITS = ((0, 2), (0, 3), (0, 3), (0, 2), (0, 1))
ALL_MESSAGES = 4
DELETED_BY_FLAG = {
    1: frozenset({MessageState.READ}),
    2: frozenset({MessageState.READ, MessageState.SENT}),
    3: frozenset({MessageState.READ, MessageState.SENT, MessageState.UNSENT}),
    4: frozenset(MessageState),
}
"""Source: 3GPP TS 27.005 clause 3.5.4."""

NEVER_S = 86400.0


def _stores(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        names = ",".join(f'"{name}"' for name in modem.family.stores)
        return info(f"+CPMS: ({names}),({names}),({names})")
    card_for_messages(modem)
    stores = modem.volatile.stores
    if command.form is Form.READ:
        return info("+CPMS: " + ",".join(f'"{name}",{_usage(modem, name)}' for name in stores))
    chosen = [command.text(place, stores[place]) or stores[place] for place in range(3)]
    if set(chosen) - set(modem.family.stores):
        raise RefusedError(cms=302)
    modem.volatile.stores = (chosen[0], chosen[1], chosen[2])
    return info("+CPMS: " + ",".join(_usage(modem, name) for name in chosen))


def _usage(modem: Modem, name: str) -> str:
    return f"{len(modem.messages.store(name).messages)},{modem.messages.capacity(name)}"


def _format(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CMGF: PDU mode; text mode is refused, as hosts have no use for it (hardware facts section 10)."""
    if command.form is Form.TEST:
        return info("+CMGF: (0)")
    if command.form is Form.READ:
        return info("+CMGF: 0")
    if command.number(0, 0, 1, 0):
        raise RefusedError(cms=303)
    return OK


def _indication(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CNMI: (0-2),(0-3),(0-3),(0-2),(0,1)")
    if command.form is Form.READ:
        return info(f"+CNMI: {','.join(map(str, modem.volatile.cnmi))}")
    pairs = enumerate(zip(CNMI_LIMITS, modem.volatile.cnmi, strict=True))
    modem.volatile.cnmi = tuple(command.number(place, *limit, old) for place, (limit, old) in pairs)
    mode, forget = modem.volatile.cnmi[0], modem.volatile.cnmi[4]
    return Reply(after=(lambda: modem.messages.flush(not forget)) if mode else None)


def _service(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CSMS: (0,1)")
    chosen = modem.volatile.values.get("+CSMS", (0,))[0]
    if command.form is Form.READ:
        return info(f"+CSMS: {chosen},1,1,1")
    modem.volatile.values["+CSMS"] = (command.number(0, 0, 1),)
    return info("+CSMS: 1,1,1")


def _service_centre(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    sim = card_for_messages(modem)
    if command.form is Form.READ:
        return info(f'+CSCA: "{sim.service_centre}",145')
    number = command.text(0)
    if not number.removeprefix("+").isdigit():
        raise RefusedError(cms=304)
    sim.service_centre = number
    return OK


def _slot(modem: Modem, command: Command) -> tuple[MessageStore, int]:
    """Return the chosen store and the slot that parameter 0 names."""
    card_for_messages(modem)
    name = modem.volatile.stores[0]
    slot = command.number(0, 0, 99999) - modem.first_slot
    if not 0 <= slot < modem.messages.capacity(name):
        raise RefusedError(cms=321)
    return modem.messages.store(name), slot


def _read(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    store, slot = _slot(modem, command)
    message = store.messages.get(slot)
    if message is None and modem.faults.cmgr_empty_hangs:
        return Reply(delay_s=NEVER_S)
    if message is None:
        raise RefusedError(cms=321)
    shown = message.shown()
    _mark_read(message)
    return info(f"+CMGR: {shown}")


def _mark_read(message: StoredMessage) -> None:
    if message.state is MessageState.UNREAD:
        message.state = MessageState.READ


def _delete(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CMGD: (),(0-4)")
    card_for_messages(modem)
    states = DELETED_BY_FLAG.get(command.number(1, 0, 4, 0))
    if states is not None:
        modem.messages.store(modem.volatile.stores[0]).delete(states)
    else:
        store, slot = _slot(modem, command)
        store.messages.pop(slot, None)
    return Reply(after=modem.messages.wake)


def _list(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CMGL: (0-4)")
    card_for_messages(modem)
    wanted = command.number(0, 0, 4, 0)
    lines = []
    for slot, message in sorted(modem.messages.store(modem.volatile.stores[0]).messages.items()):
        if wanted in (ALL_MESSAGES, message.state):
            lines.append(f"+CMGL: {slot + modem.first_slot},{message.shown()}")
            _mark_read(message)
    return Reply(tuple(lines))


def _acknowledge(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return info("+CNMA: (0-2)")
    if not modem.messages.acknowledge(command.number(0, 0, 2, 0) != 2):
        raise RefusedError(cms=340)
    return OK


HANDLERS: dict[str, Handler] = {
    "+CPMS": _stores,
    "+CMGF": _format,
    "+CNMI": _indication,
    "+CSMS": _service,
    "+CSCA": _service_centre,
    "+CSMP": accept,
    "+CMGR": _read,
    "+CMGD": _delete,
    "+CMGL": _list,
    "+CNMA": _acknowledge,
    **SENDING,
}

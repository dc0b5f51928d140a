"""Sending messages: +CMGS, +CMGW and +CMSS in PDU mode. Source: 3GPP TS 27.005 clauses 3.5.1, 3.5.2 and 4.3 to 4.7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator import pdu
from modembank.emulator.commands.handler import Handler
from modembank.emulator.identity import Sim
from modembank.emulator.message_store import MessageState, StoredMessage
from modembank.emulator.parser import Command, Form
from modembank.emulator.pin import Lock
from modembank.emulator.reply import OK, RefusedError, Reply, info
from modembank.errors import EmulatorError

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

MAX_TPDU_OCTETS = 175
LOCKED = {Lock.PIN: 311, Lock.PUK: 316, Lock.BLOCKED: 313}
NO_NETWORK, WRONG_PDU, WRONG_INDEX, FULL = 331, 304, 321, 322


def card_for_messages(modem: Modem) -> Sim:
    """Return the SIM if messages may be read and sent now.

    Raises:
        RefusedError: CMS 310 not inserted, 311 PIN wanted, 313 blocked, 314 busy, 316 PUK wanted.
    """
    if modem.sim is None:
        raise RefusedError(cms=310)
    if not modem.sim_ready:
        raise RefusedError(cms=314)
    if modem.sim.lock.state() is not Lock.READY:
        raise RefusedError(cms=LOCKED[modem.sim.lock.state()])
    return modem.sim


def _send(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    octets = command.number(0, 1, MAX_TPDU_OCTETS)
    card_for_messages(modem)
    return Reply(prompt=lambda typed: OK if typed is None else submit(modem, _typed(typed, octets)[1]))


def _write(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    octets, state = command.number(0, 1, MAX_TPDU_OCTETS), MessageState(command.number(1, 0, 3, 2))
    card_for_messages(modem)
    return Reply(prompt=lambda typed: OK if typed is None else _keep(modem, typed, octets, state))


def _keep(modem: Modem, typed: bytes, octets: int, state: MessageState) -> Reply:
    whole, tpdu = _typed(typed, octets)
    name = modem.volatile.stores[1]
    message = StoredMessage(whole, len(tpdu), state)
    slot = modem.messages.store(name).add(message, modem.messages.capacity(name))
    if slot is None:
        raise RefusedError(cms=FULL)
    return info(f"+CMGW: {slot + modem.first_slot}")


def _send_stored(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.TEST:
        return OK
    card_for_messages(modem)
    message = modem.messages.store(modem.volatile.stores[1]).messages.get(
        command.number(0, 0, 99999) - modem.first_slot
    )
    if message is None:
        raise RefusedError(cms=WRONG_INDEX)
    reply = submit(modem, pdu.without_centre(message.pdu), "+CMSS")
    message.state = MessageState.SENT
    return reply


def _typed(typed: bytes, octets: int) -> tuple[bytes, bytes]:
    """Return the PDU and its TPDU, whose length the command told."""
    try:
        whole = pdu.from_hex(typed.decode("latin-1"))
        tpdu = pdu.without_centre(whole)
    except EmulatorError:
        raise RefusedError(cms=WRONG_PDU) from None
    if len(tpdu) != octets:
        raise RefusedError(cms=WRONG_PDU)
    return whole, tpdu


def submit(modem: Modem, tpdu: bytes, name: str = "+CMGS") -> Reply:
    """Give an SMS-SUBMIT to the network; its answer takes a while."""
    sim, faults = card_for_messages(modem), modem.faults
    if not modem.messages.listens():
        raise RefusedError(cms=NO_NETWORK)
    if faults.cms_error:
        raise RefusedError(cms=faults.cms_error)
    reference = sim.next_reference()
    try:
        cause = modem.network.centre.submit(sim.number, tpdu, reference, faults.sms_send_s)
    except EmulatorError:
        raise RefusedError(cms=WRONG_PDU) from None
    if cause is not None:
        raise RefusedError(cms=cause)
    return Reply((f"{name}: {reference}",), delay_s=faults.sms_send_s)


HANDLERS: dict[str, Handler] = {
    "+CMGS": _send,
    "+CMGW": _write,
    "+CMSS": _send_stored,
}

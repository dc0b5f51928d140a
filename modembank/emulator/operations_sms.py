"""Control operations of messages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping

from modembank.emulator import pdu
from modembank.emulator.identity import international
from modembank.emulator.message_centre import MessageRecord
from modembank.emulator.message_store import MessageStore
from modembank.emulator.request import Request
from modembank.emulator.world import World
from modembank.errors import EmulatorError

Answer = Mapping[str, object]
MAX_RECORDS = 10_000
_references = itertools.count(1)


def number_of(world: World, to: object) -> str:
    """Return the number that a modem's index or a text names.

    Raises:
        EmulatorError: the modem has no SIM, or the value names nobody.
    """
    if isinstance(to, int) and not isinstance(to, bool):
        sim = world.modem(to).sim
        if sim is None:
            raise EmulatorError(f"modem {to} has no SIM")
        return sim.number
    if not isinstance(to, str):
        raise EmulatorError("to must be a SIM's number or a modem's index")
    return to


def _sms(world: World, request: Request) -> Answer:
    """A person sends a SIM a text, or a PDU as +CMGR would show it; `parts` chooses, repeats and orders."""
    to = number_of(world, request.value("to"))
    number = international(to) or to
    if request.has("pdu"):
        tpdus = [pdu.without_centre(pdu.from_hex(request.text("pdu")))]
        pdu.read_deliver(tpdus[0])
    else:
        tpdus = _tpdus(request)
    chosen = request.values.get("parts")
    if chosen is not None:
        tpdus = [tpdus[place] for place in _places(chosen, len(tpdus))]
    for tpdu in tpdus:
        world.network.centre.queue(number, tpdu)
    return {"parts": len(tpdus), "waiting": world.network.centre.waiting(number)}


def _tpdus(request: Request) -> list[bytes]:
    alphabet = None
    if request.has("alphabet"):
        try:
            alphabet = pdu.Alphabet(request.text("alphabet"))
        except ValueError:
            raise EmulatorError(f"alphabet must be one of {', '.join(pdu.Alphabet)}") from None
    wide, flash = (request.has(name) and request.switch(name) for name in ("wide_ref", "flash"))
    reference = request.integer("ref", next(_references))
    users = pdu.split(request.text("text"), reference, alphabet, wide=wide, flash=flash)
    sender = request.text("from", "+447700900990")
    return [pdu.deliver(sender, user, more=place < len(users)) for place, user in enumerate(users, 1)]


def _places(chosen: object, parts: int) -> list[int]:
    if isinstance(chosen, list) and all(type(number) is int and 1 <= number <= parts for number in chosen):
        return [number - 1 for number in chosen]
    raise EmulatorError(f"parts must be a list of numbers from 1 to {parts}")


def _inbox(world: World, request: Request) -> Answer:
    """What a modem's SIM took from the network."""
    number = number_of(world, request.modem().index)
    delivered = (record for record in world.network.centre.delivered if record.to == number)
    return {"messages": _records(delivered, request), "waiting": world.network.centre.waiting(number)}


def _sent(world: World, request: Request) -> Answer:
    """What the network took from a number or for it."""
    given = number_of(world, request.value("modem" if request.has("modem") else "number"))
    number = international(given) or given
    return {"messages": _records((r for r in world.network.centre.taken if number in (r.sender, r.to)), request)}


def _records(records: Iterable[MessageRecord], request: Request) -> list[dict[str, object]]:
    since = request.integer("since", 0)
    return [record.as_record() for record in records if record.number > since][:MAX_RECORDS]


def _store(world: World, request: Request) -> Answer:
    modem = request.modem()
    stores = ["SM", "ME"] if modem.sim is not None else ["ME"]
    return {
        "messages": [entry for name in stores for entry in _slots(name, modem.messages.store(name), modem.first_slot)],
        "capacity": {name: modem.messages.capacity(name) for name in stores},
    }


def _slots(name: str, store: MessageStore, first: int) -> Iterable[dict[str, object]]:
    for slot, message in sorted(store.messages.items()):
        facts = {"store": name, "index": slot + first, "stat": int(message.state)}
        yield {**facts, "pdu": message.pdu.hex().upper()}


OPERATIONS: dict[str, Callable[[World, Request], Answer]] = {
    "sms": _sms,
    "sms_inbox": _inbox,
    "sms_sent": _sent,
    "sms_store": _store,
}

"""Messages of one modem: stores, what +CNMI makes of a message that comes, and its acknowledgement.

Source: 3GPP TS 27.005 clauses 3.1, 3.4.1 and 3.4.4; hardware facts section 10.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from modembank.emulator import pdu
from modembank.emulator.message_store import MessageState, MessageStore, StoredMessage
from modembank.emulator.timers import Timers

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

CAPACITY = {"SM": 20, "ME": 255, "MT": 255}
MESSAGE_STATES = frozenset({1, 5, 6, 7, 9, 10})
BUFFERED_URCS = 50
OUT_OF_ORDER_S = 1.0

Done = Callable[[bool], None]


class MessageUnit:
    """The messages of one modem; the receiver that the network's message centre sees."""

    def __init__(self, modem: Modem) -> None:
        self.flash = MessageStore()
        self._modem = modem
        self._unacknowledged: Done | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._buffered: list[str] = []
        self._held: tuple[bytes, Done] | None = None
        self._timers = Timers()

    def store(self, name: str) -> MessageStore:
        """Return a store; MT is the module's own, as ME."""
        return self._modem.sim.messages if name == "SM" and self._modem.sim is not None else self.flash

    def capacity(self, name: str) -> int:
        """Return how many slots a store has."""
        return self._modem.faults.sms_capacity or CAPACITY[name]

    def reset(self) -> None:
        """The modem is off: what was not acknowledged stays with the network."""
        self._timers.cancel()
        self._buffered.clear()
        held, self._held = self._held, None
        if held is not None:
            held[1](False)
        self._settle(False)

    # What the network sees.

    def listens(self) -> bool:
        """Return whether the network reaches this modem for messages."""
        radio = self._modem.radio
        return self._modem.present and radio.functionality == 1 and radio.stat in MESSAGE_STATES

    def take(self, tpdu: bytes, done: Done) -> None:
        """Take a message, or hold it back until the next has come if a fault says so."""
        if self._held is not None:
            (early, early_done), self._held = self._held, None
            self._take(tpdu, done)
            self._take(early, early_done)
        elif self._modem.faults.sms_out_of_order:
            self._held = tpdu, lambda taken: None
            self._timers.after(OUT_OF_ORDER_S, self._release_held)
            done(True)
        else:
            self._take(tpdu, done)

    def wake(self) -> None:
        """Tell the network that messages can come."""
        if self._modem.sim is not None:
            self._modem.network.centre.wake(self._modem.sim.number)

    # What the host asks for.

    def acknowledge(self, accepted: bool) -> bool:
        """Take +CNMA; False if none is expected."""
        expected = self._unacknowledged is not None
        self._settle(accepted)
        return expected

    def flush(self, forward: bool) -> None:
        """Leave +CNMI mode 0: give the host what was buffered, or forget it."""
        buffered, self._buffered = self._buffered, []
        for text in buffered if forward else ():
            self._modem.urc(text)

    def with_centre(self, tpdu: bytes) -> StoredMessage:
        """Return a message as a host reads it: behind the address of the service centre."""
        sim = self._modem.sim
        centre = pdu.centre_address(sim.service_centre) if sim is not None else b"\0"
        return StoredMessage(centre + tpdu, len(tpdu), MessageState.UNREAD)

    # Helpers.

    def _release_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._take(*held)

    def _take(self, tpdu: bytes, done: Done) -> None:
        if tpdu[0] & 3 == pdu.STATUS_REPORT:
            self._take_report(tpdu, done)
            return
        if self._modem.faults.sms_twice:
            self._route(tpdu, lambda taken: None)
        self._route(tpdu, done)

    def _route(self, tpdu: bytes, done: Done) -> None:
        kind = pdu.class_of(pdu.read_deliver(tpdu)[1].dcs)
        wanted = self._modem.volatile.cnmi[1]
        if (wanted == 2 and kind != 2) or (wanted == 3 and kind == 3):
            message = self.with_centre(tpdu)
            self._give(f"+CMT: ,{message.tpdu_octets}\r\n{message.pdu.hex().upper()}", done)
        else:
            done(self._keep(tpdu, "+CMTI" if wanted else ""))

    def _take_report(self, tpdu: bytes, done: Done) -> None:
        wanted = self._modem.volatile.cnmi[3]
        if wanted == 1:
            self._give(f"+CDS: {len(tpdu)}\r\n{self.with_centre(tpdu).pdu.hex().upper()}", done)
        elif wanted == 2:
            done(self._keep(tpdu, "+CDSI"))
        else:
            done(True)

    def _keep(self, tpdu: bytes, urc: str) -> bool:
        """Store a message and tell its slot; a full store says nothing of the message."""
        name = self._modem.volatile.stores[2]
        first = self._modem.first_slot
        slot = self.store(name).add(self.with_centre(tpdu), self.capacity(name))
        if slot is None:
            self._modem.family.manners.store_full(self._modem, name)
            return False
        if urc and self._modem.volatile.indications["smsincoming"]:
            told = -1 if self._modem.faults.cmti_minus_one else slot + first
            self._say(f'{urc}: "{name}",{told}')
        return True

    def _give(self, text: str, done: Done) -> None:
        """Hand a message to the host; in phase 2+ the host must say +CNMA in time."""
        self._say(text)
        if self._modem.volatile.values.get("+CSMS", (0,))[0] == 0:
            done(True)
            return
        self._settle(False)
        self._unacknowledged = done
        self._deadline = self._timers.after(self._modem.faults.cnma_s, self._give_up)

    def _give_up(self) -> None:
        """No +CNMA came: routing to the host ends. Source: 3GPP TS 27.005 clause 3.4.4."""
        mode, _, broadcast, _, rest = self._modem.volatile.cnmi
        self._modem.volatile.cnmi = (mode, 0, broadcast, 0, rest)
        self._settle(False)
        self.wake()

    def _settle(self, accepted: bool) -> None:
        self._timers.stop(self._deadline)
        done, self._unacknowledged = self._unacknowledged, None
        if done is not None:
            done(accepted)

    def _say(self, text: str) -> None:
        if self._modem.volatile.cnmi[0] == 0:
            self._buffered = [*self._buffered, text][-BUFFERED_URCS:]
        else:
            self._modem.urc(text)

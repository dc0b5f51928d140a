"""What comes in on one modem: read, told to the bank, and deleted on the card once the bank has it (I3).

The card is the queue. A message lies there until the bank confirms it, and is told again until then; so a crash on
either side, at any moment, costs a repetition and never a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from modembank.at.messages import MessageStatus, StoredAt, StoredPdu, StoreUse
from modembank.at.ussd import UssdReply
from modembank.bus.events import AnyEvent, MessagesRead, MessageStoreFull, ReadMessage, UssdReceived
from modembank.errors import ModembankError, WrongStateError
from modembank.host.ussd import outcome_of, text_of
from modembank.modem.info import ModemInfo

log = logging.getLogger(__name__)

# Some modems lose the URC, and a full store gives none: the stores are looked at without one, too.
DRAIN_S = 120.0
# After an answer that was lost, or while a modem is being healed: a person waits for the message.
RETRY_S = 5.0
JITTER = 0.2  # part of a period, so that the modems of a rack do not read in one moment
# A bank that has not confirmed by then was restarted, or waits for its database.
RETELL_S = 20.0
MESSAGES_PER_EVENT = 20  # one transaction of the bank each
_INCOMING = frozenset({MessageStatus.UNREAD, MessageStatus.READ})


class MessageModem(Protocol):
    """What a mailbox asks of its modem."""

    @property
    def info(self) -> ModemInfo:
        """What is known of it."""

    @property
    def message_stores(self) -> tuple[StoreUse, ...]:
        """How full the stores were when they were last read."""

    async def read_messages(self) -> tuple[StoredPdu, ...]:
        """Everything in all stores."""

    async def delete_message(self, store: str, index: int) -> None:
        """Delete one message that was read."""


def digest_of(pdu: str) -> str:
    """Name a PDU; two copies of one message have one name."""
    return hashlib.sha256(pdu.encode()).hexdigest()[:32]


class Mailbox:
    """Implements `MessageSink`."""

    def __init__(
        self,
        *,
        host_id: str,
        usb_path: str,
        modem: Callable[[], MessageModem],
        publish: Callable[[AnyEvent], None],
        patience: float = 1.0,
    ) -> None:
        """`patience`: factor on the pauses between two looks at the stores."""
        self._patience = patience
        self._host_id = host_id
        self._usb_path = usb_path
        self._modem = modem
        self._publish = publish
        self._wake = asyncio.Event()
        self._unread = True
        self._failed = False  # the last round
        self._iccid: str | None = None
        self._places: dict[str, list[StoredAt]] = {}
        self._told_s: dict[str, float] = {}
        self._confirmed: set[str] = set()
        self._full: set[str] = set()

    async def run(self) -> None:
        """Read, tell and delete until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._pause_s()):
                    await self._wake.wait()
            except TimeoutError:
                self._unread = True
            self._wake.clear()
            try:
                await self._round()
                self._failed = False
            except ModembankError as error:
                self._failed = True
                log.info("messages of modem %s: %s", self._usb_path, error)

    def confirm(self, iccid: str, digests: Iterable[str]) -> None:
        """The bank has these; they are deleted soon. Of another card, or not there: nothing happens."""
        if iccid == self._iccid:
            self._confirmed |= self._places.keys() & set(digests)
            self._wake.set()

    # MessageSink

    def message_waiting(self, place: StoredAt | None) -> None:
        """See `MessageSink`."""
        self._unread = True
        self._wake.set()

    def message_direct(self, pdu: str) -> None:
        """See `MessageSink`."""
        iccid = self._modem().info.iccid
        if iccid is None:
            log.error("modem %s: a message came before its card was read; it is lost", self._usb_path)
            return
        self._tell(iccid, (ReadMessage(digest=digest_of(pdu), pdu=pdu),), stored=False)

    def ussd_received(self, reply: UssdReply) -> None:
        """See `MessageSink`."""
        info = self._modem().info
        self._publish(
            UssdReceived(
                host_id=self._host_id,
                at=datetime.now(UTC),
                usb_path=self._usb_path,
                iccid=info.iccid or "",
                outcome=outcome_of(reply),
                text=text_of(reply, info.dialect),
                raw=reply.raw,
                dcs=reply.dcs,
            )
        )

    # inside

    def _pause_s(self) -> float:
        period_s = RETRY_S if self._failed else RETELL_S if self._places else DRAIN_S
        return self._patience * period_s * (1 + random.uniform(-JITTER, JITTER))

    async def _round(self) -> None:
        modem = self._modem()
        iccid = modem.info.iccid
        if iccid != self._iccid:
            self._forget(iccid)
        if iccid is None:
            return
        await self._delete_confirmed(modem)
        if self._unread:
            self._unread = False
            try:
                stored = await modem.read_messages()
            except ModembankError:
                self._unread = True  # at the next round
                raise
            if modem.info.iccid == iccid:
                self._take(iccid, stored)
                self._look_at_room(iccid, modem.message_stores)

    def _forget(self, iccid: str | None) -> None:
        self._iccid = iccid
        self._unread = True
        self._places.clear()
        self._told_s.clear()
        self._confirmed.clear()
        self._full.clear()

    def _take(self, iccid: str, stored: tuple[StoredPdu, ...]) -> None:
        """Tell of what is new, and of what was told long ago. Drafts and copies of sent messages are left alone."""
        now_s = asyncio.get_running_loop().time()
        self._places.clear()
        pdus: dict[str, str] = {}
        for one in stored:
            if one.status in _INCOMING:
                digest = digest_of(one.pdu)
                self._places.setdefault(digest, []).append(StoredAt(one.store, one.index))
                pdus[digest] = one.pdu
        self._told_s = {digest: at_s for digest, at_s in self._told_s.items() if digest in pdus}
        self._confirmed &= pdus.keys()
        if self._confirmed:
            self._wake.set()
        due = [digest for digest in pdus if now_s - self._told_s.get(digest, -RETELL_S) >= RETELL_S]
        for first in range(0, len(due), MESSAGES_PER_EVENT):
            some = due[first : first + MESSAGES_PER_EVENT]
            self._tell(iccid, tuple(ReadMessage(digest=digest, pdu=pdus[digest]) for digest in some))
        self._told_s |= dict.fromkeys(due, now_s)

    def _tell(self, iccid: str, messages: tuple[ReadMessage, ...], *, stored: bool = True) -> None:
        self._publish(
            MessagesRead(
                host_id=self._host_id,
                at=datetime.now(UTC),
                usb_path=self._usb_path,
                iccid=iccid,
                messages=messages,
                stored=stored,
            )
        )

    async def _delete_confirmed(self, modem: MessageModem) -> None:
        while self._confirmed:
            digest = self._confirmed.pop()
            for place in self._places.pop(digest, ()):
                with contextlib.suppress(WrongStateError):  # the card was changed: it will be read anew
                    await modem.delete_message(place.store, place.index)
            self._told_s.pop(digest, None)

    def _look_at_room(self, iccid: str, stores: tuple[StoreUse, ...]) -> None:
        full = {use.store for use in stores if use.full}
        for use in stores:
            if use.full and use.store not in self._full:
                log.warning("modem %s: its message store %s is full", self._usb_path, use.store)
                self._publish(
                    MessageStoreFull(
                        host_id=self._host_id,
                        at=datetime.now(UTC),
                        usb_path=self._usb_path,
                        iccid=iccid,
                        store=use.store,
                        used=use.used,
                        total=use.total,
                    )
                )
        self._full = full

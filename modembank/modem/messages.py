"""Short messages of one modem, as PDUs: what is read stays stored until the owner says otherwise (I3).

Source: 3GPP TS 27.005.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from modembank.at import messages as at
from modembank.at.command import AtCommand, join, setting
from modembank.at.messages import StoredAt, StoredPdu, StoreUse
from modembank.errors import (
    AtResultError,
    AtSyntaxError,
    AtTimeoutError,
    CmsError,
    ModemError,
    PortLostError,
    SmsUnknownError,
    WrongStateError,
)
from modembank.modem.ask import Ask
from modembank.modem.events import MessageSink

_log = logging.getLogger(__name__)
_NETWORK_TIMEOUT = 332  # the message left, its acknowledgement did not come. Source: 3GPP TS 27.005 section 3.2.5
_INVALID_INDEX = 321


class Messages:
    """The messages of one modem from the opening of its port to its loss.

    `services` is held by what may not happen side by side on one radio: sending a message, USSD.
    """

    def __init__(
        self,
        ask: Ask,
        stores: tuple[str, ...],
        sink: MessageSink | None,
        services: asyncio.Lock,
        in_call: Callable[[], bool],
    ) -> None:
        self._ask = ask
        self._preferred = stores
        self._sink = sink
        self._services = services
        self._in_call = in_call
        self._reading = asyncio.Lock()  # one at a time: +CPMS selects the store of the commands behind it
        self._stores = list(stores)
        self._seen: set[StoredAt] = set()
        self._use: dict[str, StoreUse] = {}

    @property
    def use(self) -> tuple[StoreUse, ...]:
        """How full the stores were when they were last looked at."""
        return tuple(self._use.values())

    async def prepare(self) -> None:
        """A card is ready: choose the mode and the store, ask for news, and have everything read that lies there.

        What the modem refuses is no reason to stop: it may still carry calls.
        """
        self.forget()
        if not await self._prepare_at_once():
            await self._first_accepted(at.PDU_MODE)
            await self._first_accepted(*(at.prefer(store) for store in self._preferred))
            if not await self._first_accepted(*(setting(text) for text in at.NEWS_SETTINGS)):
                _log.info("the modem tells of no new messages: they are found when the stores are read")
        self._tell_waiting(None)

    def forget(self) -> None:
        """Another card may be in the modem: what was read before must not be deleted from this one."""
        self._seen.clear()
        self._use.clear()
        self._stores = list(self._preferred)

    async def send(self, pdu: str, length: int) -> int:
        """Submit one PDU; see `Modem.send_pdu`."""
        command = at.submit(pdu, length)
        written: list[bool] = []
        async with self._services:
            if self._in_call():
                raise WrongStateError("no message is sent during a call")
            try:
                info = await self._ask(command, lambda: written.append(True))
            except CmsError as error:
                if error.cms == _NETWORK_TIMEOUT:
                    raise SmsUnknownError("the network did not say whether it took the message") from error
                raise
            except (AtTimeoutError, PortLostError) as error:
                if not written:
                    raise
                raise SmsUnknownError(f"the message was handed over, then: {error}") from error
        try:
            return at.read_reference(info[-1])
        except (IndexError, AtSyntaxError) as error:
            raise SmsUnknownError(
                "the modem took the message, yet gave no reference for its delivery report"
            ) from error

    async def read(self) -> tuple[StoredPdu, ...]:
        """All stored messages, whatever their status. Raises ModemError when no store can be read."""
        async with self._reading:
            found: list[StoredPdu] = []
            readable = [store for store in tuple(self._stores) if await self._read_store(store, found)]
        if not readable:
            raise ModemError("the modem lets none of its message stores be read")
        self._seen |= {StoredAt(one.store, one.index) for one in found}
        return tuple(found)

    async def delete(self, store: str, index: int) -> None:
        """Delete one message that was read since the card was inserted. Raises WrongStateError, AtResultError."""
        place = StoredAt(store, index)
        async with self._reading:
            if place not in self._seen:
                raise WrongStateError("this message was not read from the card that is in the modem now")
            await self._ask(at.select(store))
            if place not in self._seen:  # the card went while the store was selected
                raise WrongStateError("the card was taken out")
            try:
                await self._ask(at.delete(index))
            except CmsError as error:
                if error.cms != _INVALID_INDEX:  # gone already
                    raise
            self._seen.discard(place)

    def heard(self, line: str) -> bool:
        """Take a URC about messages; False when it is about something else. Raises AtSyntaxError."""
        if line.startswith(("+CMTI:", "+CDSI:")):
            place = at.read_news(line)
            if place is not None and place.store not in self._stores:
                self._stores.append(place.store)  # delivery reports may lie in a store of their own
            self._tell_waiting(place)
        elif line.startswith(("+CMT:", "+CDS:")):
            self._tell_direct(at.read_direct(line))
        elif at.says_full(line):
            _log.warning("the message store is full: nothing more can come in")
            self._tell_waiting(None)
        else:
            return False
        return True

    async def _prepare_at_once(self) -> bool:
        """The usual case in one line."""
        line = join(at.PDU_MODE, at.prefer(self._preferred[0]), setting(at.NEWS_SETTINGS[0]))
        return await self._first_accepted(line)

    async def _first_accepted(self, *commands: AtCommand) -> bool:
        for command in commands:
            try:
                await self._ask(command)
            except AtResultError:
                continue
            return True
        return False

    async def _read_store(self, store: str, found: list[StoredPdu]) -> bool:
        try:
            use = await self._ask(at.select(store))
            listed = await self._ask(at.LIST_ALL)
        except AtResultError as error:
            _log.debug("store %s: %s", store, error)
            return False
        self._note_use(store, use)
        for line in listed:
            try:
                found.append(at.read_listed(line, store))
            except AtSyntaxError as error:
                _log.warning("a message in store %s cannot be read: %s", store, error)
        return True

    def _note_use(self, store: str, info: tuple[str, ...]) -> None:
        try:
            self._use[store] = at.read_use(info[-1], store)
        except (AtSyntaxError, IndexError):
            self._use.pop(store, None)

    def _tell_waiting(self, place: StoredAt | None) -> None:
        if self._sink is not None:
            self._sink.message_waiting(place)

    def _tell_direct(self, pdu: str) -> None:
        if self._sink is not None:
            self._sink.message_direct(pdu)
        else:
            _log.error("a message came that was not stored, and nobody takes it")

"""The bank's commands about messages and USSD, carried out on one host's modems."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from modembank.bus.commands import (
    AnyReply,
    CancelUssd,
    ConfirmMessages,
    Done,
    RunUssd,
    SubmitPdu,
    Submitted,
    UssdAnswer,
)
from modembank.bus.vocabulary import SubmitOutcome
from modembank.errors import (
    AtBusyError,
    AtResultError,
    AtTimeoutError,
    CmsError,
    DuplicateCommandError,
    ModembankError,
    PortLostError,
    SimNotReadyError,
    WrongStateError,
)
from modembank.host.mailbox import Mailbox
from modembank.host.ussd import outcome_of, text_of
from modembank.modem.modem import Modem

log = logging.getLogger(__name__)

# Commands older than this many others are long past their deadline.
REMEMBERED_COMMANDS = 10_000
# At the end what was handed over may still be answered; a service centre takes some seconds.
SETTLE_S = 5.0


class Line(Protocol):
    """A modem and what comes in on it."""

    @property
    def modem(self) -> Modem:
        """The driver."""

    @property
    def mailbox(self) -> Mailbox:
        """Its incoming messages."""


class MessageDesk:
    """Sends parts, takes confirmations, runs USSD."""

    def __init__(self, line: Callable[[str], Line]) -> None:
        self._line = line
        self._done: OrderedDict[str, None] = OrderedDict()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.table: Mapping[type, Callable[..., Awaitable[AnyReply]]] = {
            SubmitPdu: self._submit,
            ConfirmMessages: self._confirm,
            RunUssd: self._run_ussd,
            CancelUssd: self._cancel_ussd,
        }

    async def settle(self) -> None:
        """Wait a little for parts that are on their way; what is not answered by then is `unknown`."""
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d messages were handed over, and their answers did not come", self._running)

    async def _submit(self, command: SubmitPdu) -> AnyReply:
        modem = self._modem(command.usb_path, command.iccid)
        if command.command_id in self._done:
            raise DuplicateCommandError(f"command {command.command_id} was carried out before; nothing was sent again")
        self._done[command.command_id] = None
        while len(self._done) > REMEMBERED_COMMANDS:
            self._done.popitem(last=False)
        self._running += 1
        self._idle.clear()
        try:
            return await _submit(modem, command)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _confirm(self, command: ConfirmMessages) -> AnyReply:
        self._line(command.usb_path).mailbox.confirm(command.iccid, command.digests)
        return Done()

    async def _run_ussd(self, command: RunUssd) -> AnyReply:
        modem = self._modem(command.usb_path, command.iccid)
        reply = await (modem.answer_ussd(command.text) if command.answer else modem.ussd(command.text))
        text = text_of(reply, modem.info.dialect)
        return UssdAnswer(outcome=outcome_of(reply), text=text, raw=reply.raw, dcs=reply.dcs)

    async def _cancel_ussd(self, command: CancelUssd) -> AnyReply:
        await self._modem(command.usb_path, command.iccid).cancel_ussd()
        return Done()

    def _modem(self, usb_path: str, iccid: str) -> Modem:
        modem = self._line(usb_path).modem
        if modem.info.iccid != iccid:
            raise SimNotReadyError("the SIM is not in this modem any more")
        return modem


async def _submit(modem: Modem, command: SubmitPdu) -> Submitted:
    """Submit once. Whatever does not surely mean that nothing was sent counts as unknown."""
    try:
        reference = await modem.send_pdu(command.pdu, command.length)
    except CmsError as error:
        return Submitted(outcome=SubmitOutcome.REFUSED, cms=error.cms, detail=error.result)
    except AtResultError as error:
        return Submitted(outcome=SubmitOutcome.REFUSED, detail=error.result)
    except (AtTimeoutError, AtBusyError, PortLostError, WrongStateError) as error:
        return Submitted(outcome=SubmitOutcome.NOT_WRITTEN, detail=str(error))
    except ModembankError as error:
        return Submitted(outcome=SubmitOutcome.UNKNOWN, detail=str(error))
    return Submitted(outcome=SubmitOutcome.TAKEN, reference=reference)

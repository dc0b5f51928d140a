"""USSD of one modem: one session at a time, and never during a call.

Source: 3GPP TS 27.007 sections 5.5 (+CSCS) and 7.15 (+CUSD); TS 22.090.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from modembank.at import ussd as at
from modembank.at.command import AtCommand
from modembank.at.ussd import UssdReply, UssdStatus
from modembank.errors import (
    AtError,
    AtResultError,
    AtTimeoutError,
    ModembankError,
    PortLostError,
    UssdTimeoutError,
    WrongStateError,
)
from modembank.modem.ask import Ask
from modembank.modem.events import MessageSink
from modembank.modem.timings import ModemTimings
from modembank.sms.ussd import UssdForm, encode_ussd

_log = logging.getLogger(__name__)
_UCS2 = "UCS2"


class Ussd:
    """The USSD sessions of one modem from the opening of its port to its loss."""

    def __init__(
        self,
        ask: Ask,
        form: UssdForm,
        sink: MessageSink | None,
        services: asyncio.Lock,
        in_call: Callable[[], bool],
        timings: ModemTimings,
    ) -> None:
        self._ask = ask
        self._form = form
        self._sink = sink
        self._services = services
        self._in_call = in_call
        self._timings = timings
        self._reply: asyncio.Future[UssdReply] | None = None
        self._open = False  # the network waits for an answer
        self._turn: asyncio.TimerHandle | None = None
        self._expiring: asyncio.Task[None] | None = None
        self._charset: str | None = None
        self._before: str | None = None  # what +CSCS has to become again
        self._free = asyncio.Event()
        self._free.set()

    async def start(self, code: str) -> UssdReply:
        """Open a session with a code; see `Modem.ussd`."""
        command = at.ussd(encode_ussd(code, self._form))
        async with self._services:
            if self._open:
                raise WrongStateError("a USSD session is open: answer or cancel it first")
            self._check_free()
            self._free.clear()
            try:
                await self._enter_charset()
                return await self._exchange(command)
            finally:
                await self._leave_if_over()

    async def answer(self, text: str) -> UssdReply:
        """Answer the network in the open session; see `Modem.answer_ussd`."""
        command = at.ussd(encode_ussd(text, self._form))
        async with self._services:
            if not self._open:
                raise WrongStateError("no USSD session waits for an answer")
            self._check_free()
            self._end_turn()
            try:
                return await self._exchange(command)
            finally:
                await self._leave_if_over()

    async def cancel(self) -> None:
        """End the open session; without one nothing happens."""
        async with self._services:
            if self._open:
                self._end_turn()
                await self._cancel()
                await self._leave()

    async def give_way(self) -> None:
        """A call wants the radio: end what there is."""
        self._fail(WrongStateError("the USSD session was ended: a call was placed"))
        if self._open:
            await self.cancel()
        await self._free.wait()

    def heard(self, line: str) -> bool:
        """Take a `+CUSD` URC; False when the line is another. Raises AtSyntaxError."""
        if not line.startswith("+CUSD:"):
            return False
        reply = at.read_ussd(line, self._charset)
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)
        elif self._sink is not None and reply.raw is not None:
            self._sink.ussd_received(reply)
        if reply.m is not UssdStatus.REPLY_WANTED and self._open and self._reply is None:
            self._expire()  # the network ended the session while it was our turn
        return True

    def end(self, error: ModembankError) -> None:
        """The modem restarted or is lost: whoever waits is told so."""
        self._end_turn()
        self._before = None
        self._fail(error)
        if self._reply is None:
            self._free.set()

    async def close(self) -> None:
        """Wait for what still runs; the channel is closed, so that it ends by itself."""
        if self._expiring is not None:
            await asyncio.wait({self._expiring})

    async def _exchange(self, command: AtCommand) -> UssdReply:
        """Write, and wait for the string, which may come before OK."""
        waiting: asyncio.Future[UssdReply] = asyncio.get_running_loop().create_future()
        self._reply = waiting
        try:
            with contextlib.suppress(AtTimeoutError):  # some answer with the string alone
                await self._ask(command)
            async with asyncio.timeout(self._timings.ussd_s):
                reply = await waiting
        except TimeoutError as error:
            await self._cancel()
            raise UssdTimeoutError("the network did not answer the USSD code; the session was cancelled") from error
        except (WrongStateError, asyncio.CancelledError):
            await self._cancel()
            raise
        finally:
            self._reply = None
            waiting.cancel()
        if reply.m is UssdStatus.REPLY_WANTED:
            self._begin_turn()
        return reply

    async def _cancel(self) -> None:
        """End the session, and take its last word, or it would be taken for the answer to the next code."""
        last = self._reply = asyncio.get_running_loop().create_future()
        try:
            with contextlib.suppress(AtResultError, TimeoutError, WrongStateError):
                await self._ask(at.CANCEL)
                async with asyncio.timeout(self._timings.ussd_cancelled_s):
                    await last
        finally:
            self._reply = None
            last.cancel()

    async def _enter_charset(self) -> None:
        with contextlib.suppress(AtResultError):
            info = await self._ask(at.READ_CHARSET)
            self._charset = at.read_charset(info[-1]) if info else None
            if self._form is UssdForm.UCS2 and self._charset != _UCS2:
                await self._ask(at.set_charset(_UCS2))
                self._before, self._charset = self._charset, _UCS2

    async def _leave_if_over(self) -> None:
        if not self._open:
            await self._leave()

    async def _leave(self) -> None:
        """The session is over: texts of other commands must not come in its character set."""
        before, self._before = self._before, None
        try:
            if before is not None:
                await self._ask(at.set_charset(before))
        except (AtError, PortLostError) as error:
            _log.warning("the character set stays as it was for USSD: %s", error)
        finally:
            self._free.set()

    def _check_free(self) -> None:
        if self._in_call():
            raise WrongStateError("no USSD during a call")

    def _begin_turn(self) -> None:
        self._open = True
        self._turn = asyncio.get_running_loop().call_later(self._timings.ussd_turn_s, self._expire)

    def _end_turn(self) -> None:
        self._open = False
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _expire(self) -> None:
        self._expiring = asyncio.create_task(self._expire_now(), name="end of a USSD session")

    async def _expire_now(self) -> None:
        try:
            await self.cancel()
        except ModembankError as error:
            _log.info("a USSD session could not be cancelled: %s", error)

    def _fail(self, error: ModembankError) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)

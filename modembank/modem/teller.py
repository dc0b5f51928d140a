"""Tells the owner what became of calls, in order and each end exactly once.

The end of a call waits for its cause (+CEER), and what comes after it waits behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from modembank.at import command as at
from modembank.at.calls import BLACKLISTED, CallKind, Cause, Direction, Evidence, read_call_code, read_ceer
from modembank.at.command import AtCommand
from modembank.at.result import CALL_CODES
from modembank.dialects import Dialect
from modembank.errors import AtError, PortLostError
from modembank.modem.ask import Ask
from modembank.modem.events import CallProgress, CallRelease, ModemSink
from modembank.modem.tracker import Ended, Output, TrackedCall

_log = logging.getLogger(__name__)
_NORMAL = 16
_TEMPORARY_FAILURE = 41
_GONE = {
    Evidence.PORT_LOST: Cause(_TEMPORARY_FAILURE, "the modem was lost"),
    Evidence.RESET: Cause(_TEMPORARY_FAILURE, "the modem restarted"),
}


class Teller:
    """The one place that calls the sink's call methods. `on_told` follows every release."""

    def __init__(
        self,
        ask: Ask,
        sink: ModemSink,
        dialect: Dialect,
        cause_s: float,
        on_told: Callable[[], None],
    ) -> None:
        self._ask = ask
        self._dialect = dialect
        self._sink = sink
        self._cause_s = cause_s
        self._on_told = on_told
        self._waiting: list[Output] = []
        self._finding: asyncio.Task[None] | None = None
        self._rejecting: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether the end of a call still waits for its cause."""
        return self._finding is not None

    def tell(self, outputs: list[Output]) -> None:
        """Tell these after what is still to be told."""
        self._waiting += outputs
        while self._waiting and self._finding is None:
            output = self._waiting.pop(0)
            if isinstance(output, Ended):
                self._tell_end(output)
            else:
                self._tell_progress(output)

    async def close(self) -> None:
        """Wait until all is told; the channel is closed, so that nothing is asked any more."""
        while self._finding is not None:
            await self._finding
        if self._rejecting is not None:
            await self._rejecting

    def _tell_progress(self, progress: CallProgress) -> None:
        self._sink.call_progress(progress)
        if progress.kind is CallKind.WAITING and (self._rejecting is None or self._rejecting.done()):
            self._rejecting = asyncio.create_task(self._reject_waiting(), name="reject waiting call")

    async def _reject_waiting(self) -> None:
        with contextlib.suppress(AtError, PortLostError):
            await self._ask(at.REJECT_WAITING)

    def _tell_end(self, ended: Ended) -> None:
        cause = _GONE.get(ended.evidence, ended.call.verdict)
        if cause is None and self._dialect.blacklist.in_code(ended.call.code):
            cause = BLACKLISTED
        read_cause = self._dialect.read_cause
        if cause is not None or read_cause is None:
            self._tell_release(ended, cause or _presume(ended.call))
        else:
            self._finding = asyncio.create_task(self._find_cause(ended, read_cause), name="release cause")

    async def _find_cause(self, ended: Ended, read_cause: AtCommand) -> None:
        cause = None
        try:
            cause = await self._ask_cause(read_cause)
        finally:
            self._finding = None
            self._tell_release(ended, cause or _presume(ended.call))
            self.tell([])

    async def why_refused(self, code: str) -> Cause | None:
        """Why ATD was answered with this code at once, when the modem itself refused the number; else None."""
        if self._dialect.blacklist.in_code(code):
            return BLACKLISTED
        if code not in CALL_CODES or self._dialect.read_cause is None:
            return None  # any other refusal leaves the report of an earlier call in place
        cause = await self._ask_cause(self._dialect.read_cause)
        return cause if cause is not None and cause.blacklisted else None

    async def _ask_cause(self, read_cause: AtCommand) -> Cause | None:
        try:
            async with asyncio.timeout(self._cause_s):
                info = await self._ask(read_cause)
            if info and self._dialect.blacklist.in_report(info[0]):
                return BLACKLISTED
            return read_ceer(info[0]) if info else None
        except (AtError, PortLostError, TimeoutError) as error:
            _log.info("the modem tells no cause: %s", error)
            return None

    def _tell_release(self, ended: Ended, cause: Cause) -> None:
        call = ended.call
        self._sink.call_released(
            CallRelease(
                direction=call.direction,
                number=call.number,
                cause_q850=cause.q850,
                text=cause.text,
                evidence=ended.evidence,
                local=call.local,
                blacklisted=cause.blacklisted,
                at=ended.stamp.at,
                monotonic_s=ended.stamp.monotonic_s,
            )
        )
        self._on_told()


def _presume(call: TrackedCall) -> Cause:
    """The cause when the modem knows none."""
    if call.local:
        return Cause(_NORMAL, "hung up")
    if call.code is not None:
        return read_call_code(call.code)
    return Cause(None, "the far end hung up" if call.direction is Direction.MO else "the caller hung up")

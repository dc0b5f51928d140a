"""One call: a GSM side on a line, a far side on a media session, and the deadlines between them.

The modem's evidence moves the state table; what people ask for (hang up, answer) only moves it by way of the modem,
except where nothing was dialled yet. A call ends exactly once, in `_finish`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from modembank.bus.vocabulary import CallStatus, Cause, Direction, HangupSource
from modembank.call.failures import cause_of
from modembank.call.far_leg import FarLeg
from modembank.call.line import Line
from modembank.call.media import MediaEngine, MediaPhase
from modembank.call.order import Order, within
from modembank.call.outcome import Ending, outcome
from modembank.call.reporter import CallReporter
from modembank.call.state import STATUS, CallInput, CallState, advance
from modembank.errors import (
    DialFailedError,
    IllegalTransitionError,
    ModembankError,
    WrongStateError,
)

log = logging.getLogger(__name__)

# Digits that wait while one is being sent; nobody types more ahead, and an automaton must wait for its answers.
DTMF_WAITING_LIMIT = 64
# Between OK to ATA and the modem's evidence of an active call; +CLCC is asked every 2 s.
ANSWER_EVIDENCE_LIMIT_S = 20.0
# Between +CHLD and the modem's evidence that the call is held or active again; as above.
HOLD_EVIDENCE_LIMIT_S = 6.0
# The modem confirms a release within 5 s or is escalated (hardware sheet, section 18.4); after this the call is over
# for everybody else, whatever the modem still does.
RELEASE_LIMIT_S = 12.0


class Call:
    """The host feeds it the modem's facts and people's wishes; it reports on its way up."""

    def __init__(
        self,
        *,
        call_id: str,
        direction: Direction,
        line: Line,
        engine: MediaEngine,
        reporter: CallReporter,
        on_ended: Callable[[], None],
    ) -> None:
        self.call_id = call_id
        self.direction = direction
        self._line = line
        self._report = reporter
        self._on_ended = on_ended
        self._far = FarLeg(
            call_id=call_id,
            line=line,
            engine=engine,
            reporter=reporter,
            on_failed=self._end_by_itself,
            on_digit=lambda digit: self._spawn(self._forward_dtmf(digit), "dtmf"),
            on_early_media=self._early_media,
        )
        self._state = CallState.NEW
        self._asked: tuple[HangupSource, Cause] | None = None
        self._dialled = False
        self._answered_s: float | None = None
        self._held = False
        self._held_told = asyncio.Event()
        self._hold_lock = asyncio.Lock()
        self._final: CallStatus | None = None
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()
        self._released = asyncio.Event()
        self._answer_lock = asyncio.Lock()
        self._dtmf_lock = asyncio.Lock()
        self._dtmf_waiting = 0
        self._announced = False  # some menus speak, and listen, before they answer
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> CallStatus:
        """What users are told."""
        return self._final or STATUS.get(self._state, CallStatus.IN_PROGRESS)

    @property
    def on_line(self) -> bool:
        """Whether the modem was asked for it, or rings with it."""
        return self._dialled or self.direction is Direction.INBOUND

    @property
    def ended(self) -> bool:
        """Whether the record is written."""
        return self._ended.is_set()

    @property
    def was_mute(self) -> bool | None:
        """Whether its modem gave no sound; None when nobody answered."""
        return None if self._answered_s is None else self._far.modem_mute

    async def wait_ended(self) -> None:
        """Wait until the record is written."""
        await self._ended.wait()

    # ---- what people ask for ------------------------------------------------------------------------------------

    async def place(self, order: Order) -> str | None:
        """Take the audio port, answer the offer if there is one, and dial in the background.

        Raises:
            InvalidOfferError, PortError, NoVoiceError: the call has ended, nothing was dialled.
        """
        answer = None
        try:
            await self._far.prepare()
            if order.offer is not None:
                answer = await self._far.attach(order.offer)
        except ModembankError as error:
            await self._finish(asked=(HangupSource.SYSTEM, cause_of(error)), detail=str(error))
            raise
        self._spawn(self._run_outbound(order), "dial")
        return answer

    def ring(self, at: datetime, usb_path: str, iccid: str, number: str | None) -> None:
        """Take note of an incoming call."""
        self._advance(CallInput.RING)
        self._report.incoming(at, usb_path, iccid, number)

    async def answer(self, offer: str | None, max_duration_s: float) -> str | None:
        """Answer an incoming call; the first answer wins.

        Raises:
            WrongStateError: not ringing, or somebody else was first.
            InvalidOfferError: the offer cannot be answered; the phone rings on.
        """
        async with self._answer_lock:
            self._must_ring()
            await self._far.prepare()
            sdp = await self._far.attach(offer) if offer is not None else None
            self._must_ring()  # the caller may have given up meanwhile
            self._advance(CallInput.PICK_UP)
        self._spawn(self._run_inbound(wait_media=offer is not None, max_duration_s=max_duration_s), "answer")
        return sdp

    async def attach(self, offer: str) -> str:
        """Join a far side, or replace it; the GSM side does not notice.

        Raises:
            WrongStateError: the call is over. InvalidOfferError: the old far side stays.
        """
        if self._state in (CallState.RELEASING, CallState.RELEASED):
            raise WrongStateError("the call is over")
        return await self._far.attach(offer)

    async def add_candidate(self, candidate: str | None, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """Hand one trickled candidate to the far side."""
        await self._far.add_candidate(candidate, sdp_mid, sdp_m_line_index)

    async def hang_up(self, source: HangupSource, cause: Cause) -> None:
        """End the call in any state; repeating it is harmless. Returns when the record is written."""
        if self._ended.is_set():
            return
        if self._asked is None:
            self._asked = (source, cause)
            self._advance(CallInput.HANG_UP)
            self._spawn(self._release(), "release")
        await self._ended.wait()

    async def send_dtmf(self, digits: str) -> None:
        """Send digits towards the GSM side, one after the other.

        Raises:
            WrongStateError: neither answered nor early media, or too many digits wait already.
        """
        if self._state is not CallState.ACTIVE and not self._announced:
            raise WrongStateError("digits can be sent only once the call is answered or the network sends sound")
        if self._dtmf_waiting + len(digits) > DTMF_WAITING_LIMIT:
            raise WrongStateError(f"more than {DTMF_WAITING_LIMIT} digits wait to be sent")
        self._dtmf_waiting += len(digits)
        try:
            async with self._dtmf_lock:
                for digit in digits:
                    await self._line.send_dtmf(digit)
                    self._report.dtmf(digit, from_far=True)
        finally:
            self._dtmf_waiting -= len(digits)

    def set_muted(self, muted: bool) -> None:
        """Silence the far side's voice, or let it through."""
        self._far.set_muted(muted)

    async def set_held(self, held: bool) -> None:
        """Put the GSM call on hold, or resume it; returns when the modem has confirmed it.

        Raises:
            WrongStateError: not answered, or not confirmed.
        """
        async with self._hold_lock:  # +CHLD=2 is a toggle: two at once would undo each other
            if self._state is not CallState.ACTIVE:
                raise WrongStateError("only an answered call can be held")
            if held == self._held:
                return
            self._held_told.clear()
            await self._line.hold(held)
            if not await within(self._held_told.wait(), HOLD_EVIDENCE_LIMIT_S) or held != self._held:
                raise WrongStateError("the modem did not confirm that the call is " + ("held" if held else "active"))

    # ---- what the modem says ------------------------------------------------------------------------------------

    def alerting(self, at: datetime, evidence: str) -> None:
        """The remote phone rings."""
        before = self._state
        self._advance(CallInput.ALERT)
        if before is CallState.DIALING and self._state is CallState.ALERTING:
            self._far.phase(MediaPhase.ALERTING)
            self._report.ringing(at, evidence)

    def answered(self, at: datetime, monotonic_s: float, evidence: str) -> None:
        """The remote person picked up, or our answer reached the network."""
        self._advance(CallInput.ANSWER)
        if self._state is CallState.ACTIVE and self._answered_s is None:
            self._answered_s = monotonic_s
            self._far.phase(MediaPhase.TALKING)
            self._report.answered(at, evidence)
            self._answered.set()

    def held(self, held: bool) -> None:
        """The call is on hold, or active again."""
        if self._state is CallState.ACTIVE and held != self._held:
            self._held = held
            self._far.phase(MediaPhase.HELD if held else MediaPhase.TALKING)
            self._report.held(held)
        self._held_told.set()

    def remote_dtmf(self, digit: str) -> None:
        """The remote person pressed a key."""
        self._report.dtmf(digit, from_far=False)

    def audio_flow(self, ready: bool) -> None:
        """The modem's uplink buffer is full, or free again."""
        self._far.modem_flow(ready)

    def released(self, at: datetime, monotonic_s: float, q850: int | None, detail: str) -> None:
        """The modem says that the call is over, and when that was on both clocks."""
        self._released.set()
        self._spawn(self._finish(asked=self._asked, detail=detail, q850=q850, at=at, monotonic_s=monotonic_s), "finish")

    def line_failed(self, cause: Cause, detail: str) -> None:
        """The modem is gone or does not answer any more: nobody can confirm the release."""
        self._released.set()
        asked = self._asked or (HangupSource.SYSTEM, cause)
        self._spawn(self._finish(asked=asked, detail=detail), "finish")

    # ---- inside -------------------------------------------------------------------------------------------------

    def _must_ring(self) -> None:
        if self._state is CallState.ANSWERING:
            raise WrongStateError("somebody else is answering this call")
        if self._state is not CallState.INCOMING:
            raise WrongStateError(f"the call does not ring any more, it is {self.status}")

    async def _run_outbound(self, order: Order) -> None:
        if order.media_first and order.offer is not None:
            self._advance(CallInput.AWAIT_MEDIA)
            await self._far.media_up.wait()  # bounded: the media path reports FAILED in time, which ends the call
        if self._asked is not None or self._state is CallState.RELEASED:
            return
        self._advance(CallInput.DIAL)
        self._far.phase(MediaPhase.DIALING)
        self._dialled = True
        self._report.dialing()
        try:
            await self._line.dial(order.number)
        except ModembankError as error:
            await self._dial_failed(error)
            return
        if not await within(self._answered.wait(), order.timeout_s):
            self._end_by_itself(Cause.NO_ANSWER)
            return
        await self._limit(order.max_duration_s)

    async def _run_inbound(self, *, wait_media: bool, max_duration_s: float) -> None:
        if wait_media:
            await self._far.media_up.wait()  # bounded as above
        if self._asked is not None or self._state is CallState.RELEASED:
            return
        try:
            await self._line.answer()
        except ModembankError as error:
            log.warning("call %s could not be answered: %s", self.call_id, error)
            self._end_by_itself(cause_of(error))
            return
        if not await within(self._answered.wait(), ANSWER_EVIDENCE_LIMIT_S):
            self._end_by_itself(Cause.MODEM_FAILED)
            return
        await self._limit(max_duration_s)

    async def _limit(self, max_duration_s: float) -> None:
        if not await within(self._ended.wait(), max_duration_s):
            self._end_by_itself(Cause.TIME_LIMIT)

    async def _dial_failed(self, error: ModembankError) -> None:
        """`ATD` failed or its answer never came: make sure that nothing rings on, then close the record."""
        if self._released.is_set():
            return  # the modem told the end with a cause of its own
        asked = self._asked or (HangupSource.SYSTEM, cause_of(error))
        q850 = error.q850 if isinstance(error, DialFailedError) else None
        if q850 is not None and self._asked is None:
            await self._finish(asked=None, detail=str(error), q850=q850)  # BUSY, NO CARRIER: the network has spoken
            return
        if self._line.atd_written:  # else whatever is on the line is not ours
            try:
                async with asyncio.timeout(RELEASE_LIMIT_S):
                    await self._line.hang_up()
            except (ModembankError, TimeoutError) as second:
                log.warning("call %s: release after a failed dial: %s", self.call_id, second)
        await self._finish(asked=asked, detail=str(error))

    async def _release(self) -> None:
        """Carry out a hang-up that somebody asked for."""
        if self.on_line and not self._released.is_set():
            try:
                async with asyncio.timeout(RELEASE_LIMIT_S):
                    if self.direction is Direction.INBOUND and self._answered_s is None:
                        await self._line.reject()
                    else:
                        await self._line.hang_up()
                    await self._ended.wait()  # the modem's own line closes the record, with its cause
            except (ModembankError, TimeoutError) as error:
                log.warning("call %s: the modem did not confirm the release: %s", self.call_id, error)
        await self._finish(asked=self._asked, detail="")

    async def _finish(
        self,
        *,
        asked: tuple[HangupSource, Cause] | None,
        detail: str,
        q850: int | None = None,
        at: datetime | None = None,
        monotonic_s: float | None = None,
    ) -> None:
        if self._state is CallState.RELEASED:
            return
        ended_s = time.monotonic() if monotonic_s is None else monotonic_s
        at = at or datetime.now(UTC)
        self._advance(CallInput.RELEASE)
        duration_s = 0.0 if self._answered_s is None else max(0.0, ended_s - self._answered_s)
        answered = self._answered_s is not None
        result = outcome(Ending(direction=self.direction, answered=answered, asked=asked, q850=q850))
        self._final = result.status
        quality = await self._far.close()
        self._report.ended(result, detail, round(duration_s, 3), quality, at)
        self._ended.set()
        self._on_ended()
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

    def _early_media(self) -> None:
        if self.direction is Direction.OUTBOUND and self._state in (CallState.DIALING, CallState.ALERTING):
            self._announced = True
            self._report.early_media()

    async def _forward_dtmf(self, digit: str) -> None:
        try:
            await self.send_dtmf(digit)
        except ModembankError as error:
            log.warning("call %s: a digit from the far side was not sent: %s", self.call_id, error)

    def _end_by_itself(self, cause: Cause) -> None:
        if self._ended.is_set() or self._asked is not None:
            return
        self._asked = (HangupSource.SYSTEM, cause)
        self._advance(CallInput.HANG_UP)
        self._spawn(self._release(), "release")

    def _advance(self, happened: CallInput) -> None:
        try:
            self._state = advance(self._state, happened)
        except IllegalTransitionError as error:
            log.warning("call %s: ignored: %s", self.call_id, error)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"{self.call_id}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

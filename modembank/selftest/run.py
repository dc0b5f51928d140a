"""One call between two lines: dial, answer, say the programme each way, press digits, hang up. The asyncio shell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from modembank.config import SelftestSettings
from modembank.errors import ModembankError
from modembank.media.records import FRAME_S, RATE_HZ, SILENCE, IceServer
from modembank.selftest.analyse import Heard, analyse, with_digits
from modembank.selftest.digits import digits_in
from modembank.selftest.judge import judge_call, judge_sound
from modembank.selftest.measure import level_dbfs
from modembank.selftest.programme import Programme, Samples, from_pcm, to_frames
from modembank.selftest.result import CallFacts, CallTimes, Direction, Line
from modembank.webrtc.client import WebrtcClient

RING_LIMIT_S = 45.0
"""Longer than any set-up that could still be called good, shorter than a network's own limit."""
RING_S = 1.5
"""How long it rings before we answer: the calling modem needs time to tell the alerting."""
ANSWER_LIMIT_S = 15.0
END_LIMIT_S = 15.0
SETTLE_S = 0.6
"""Comfort noise and codecs come to rest after the answer."""
TAIL_S = 1.0
DIGITS = "159#"
"""Every row and three columns of the keypad; A to D exist on no phone."""
DIGITS_LIMIT_S = 8.0
QUIET_LIMIT_S = 3.0
QUIET_DBFS = -50.0
SPEAK_TURNS = 3
LONGEST_CALL_S = 120.0
"""The bank ends the call by itself should we be gone: no test costs more than this."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as the bank tells it; times are Unix seconds by the server's clock."""

    ended: bool
    created_at: float
    dialing_at: float | None
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    end: str
    """Why it ended, in words."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A call that a WebRTC client has joined."""

    call_id: str
    answer_sdp: str


class Bank(Protocol):
    """What the test needs of a running bank. Everything raises ModembankError when refused."""

    async def dial(self, line: Line, to: str, offer_sdp: str, max_duration_s: float) -> Joined:
        """Dial through a line."""

    async def incoming(self, line: Line, caller: str, not_before: float) -> str | None:
        """Return the id of the call that rings at a line now, if it comes from `caller` or withholds its number."""

    async def answer(self, call_id: str, offer_sdp: str) -> Joined:
        """Pick up."""

    async def hang_up(self, call_id: str) -> None:
        """End a call in any state."""

    async def press(self, call_id: str, digits: str) -> None:
        """Send DTMF digits to the GSM side."""

    async def call(self, call_id: str) -> CallView:
        """Look at a call."""

    def digits(self, call_id: str) -> str:
        """Return the digits that the modem told so far."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to test a call."""

    programme: Programme
    limits: SelftestSettings
    ice_servers: tuple[IceServer, ...] = ()
    hung_up_by_caller: bool = True


@dataclass(frozen=True, slots=True)
class Recorded:
    """One direction: what was said when, and what both ends heard meanwhile."""

    speaker: Line
    listener: Line
    programme: Programme
    said_at: float
    heard: Heard
    own: Samples
    stood_still_ms: float
    digits_told: str = ""
    digits_sound: Samples = field(default_factory=lambda: from_pcm(b""))


@dataclass(frozen=True, slots=True)
class Ran:
    """A call that was made, not judged yet."""

    caller: Line
    callee: Line
    times: CallTimes
    ways: tuple[Recorded, ...]
    problem: str


@dataclass(slots=True)
class _Side:
    line: Line
    client: WebrtcClient
    call_id: str = ""


@dataclass(slots=True)
class _Moments:
    """Of the server's clock, from ours and its difference."""

    skew_s: float = 0.0
    answer: float | None = None
    hang_up: float | None = None
    ways: list[Recorded] = field(default_factory=list)

    def now(self) -> float:
        return time.time() + self.skew_s


class ProgrammeVoice:
    """Says the programme once, then silence."""

    def __init__(self, programme: Programme) -> None:
        self._frames = iter(to_frames(programme.samples))
        self._said = 0
        self.started_at: float | None = None
        self.worst_late_s = 0.0
        """How late a frame was: this machine stood still for so long."""
        self.finished = asyncio.Event()

    def next(self) -> bytes:
        """See `Voice.next`."""
        now = time.monotonic()
        if self.started_at is None:
            self.started_at = now
        self.worst_late_s = max(self.worst_late_s, now - self.started_at - self._said * FRAME_S)
        self._said += 1
        frame = next(self._frames, None)
        if frame is None:
            self.finished.set()
            return SILENCE
        return frame


async def run_call(bank: Bank, caller: Line, callee: Line, plan: Plan, tell: Callable[[str], None]) -> Ran:
    """Make one call and record it; whatever happens, no call is left behind. `tell` gets each step in words."""
    near, far = (_Side(line, WebrtcClient(ice_servers=plan.ice_servers)) for line in (caller, callee))
    moments = _Moments()
    try:
        problem = await _run(bank, near, far, plan, moments, tell)
    except ModembankError as error:
        problem = str(error)
    finally:
        times = await asyncio.shield(asyncio.ensure_future(_leave(bank, near, far, moments, plan)))
    if problem:
        tell(problem)
    return Ran(caller, callee, times, tuple(moments.ways), problem)


def judge_run(ran: Ran, limits: SelftestSettings) -> CallFacts:
    """Measure and judge a call that was made: some tenths of a second of arithmetic."""
    directions = []
    for way in ran.ways:
        sound = analyse(way.programme, way.said_at, way.heard, way.own)
        sound = replace(sound, stood_still_ms=way.stood_still_ms)
        sound = with_digits(sound, DIGITS, way.digits_told, way.digits_sound)
        directions.append(Direction(way.speaker, way.listener, sound, judge_sound(sound, limits)))
    return CallFacts(ran.caller, ran.callee, ran.times, tuple(directions), judge_call(ran.times, limits), ran.problem)


async def _run(bank: Bank, near: _Side, far: _Side, plan: Plan, moments: _Moments, tell: Callable[[str], None]) -> str:
    """Return a problem in words, or nothing."""
    tell("dialing")
    offer, asked = await near.client.offer(), time.time()
    joined = await bank.dial(near.line, far.line.number, offer, LONGEST_CALL_S)
    returned = time.time()
    near.call_id = joined.call_id
    await near.client.accept(joined.answer_sdp)
    out = await bank.call(near.call_id)
    moments.skew_s = clock_skew_s(asked, out.created_at, returned)
    problem = await _ring(bank, near, far, out.created_at, tell)
    if problem:
        return problem
    moments.answer = moments.now()
    answered = await bank.answer(far.call_id, await far.client.offer())
    await far.client.accept(answered.answer_sdp)
    if not await _within(ANSWER_LIMIT_S, lambda: _both_answered(bank, near, far)):
        return "the call was answered, and one of the two modems did not tell it"
    await near.client.connected()
    await far.client.connected()
    await asyncio.sleep(SETTLE_S)
    for speaker, listener in ((near, far), (far, near)):
        tell(f"answered; {speaker.line.label} speaks to {listener.line.label}")
        way = await _speak(speaker, listener, plan, tell)
        tell(f"{speaker.line.label} sends digits")
        moments.ways.append(await _press(bank, speaker, listener, way))
    await _part(bank, near, far, plan, moments, tell)
    return ""


async def _ring(bank: Bank, near: _Side, far: _Side, since: float, tell: Callable[[str], None]) -> str:
    async def rings() -> bool:
        found = await bank.incoming(far.line, near.line.number, since)
        far.call_id = found or far.call_id
        return found is not None or (await bank.call(near.call_id)).ended

    async def told() -> bool:
        return (await bank.call(near.call_id)).ringing_at is not None

    await _within(RING_LIMIT_S, rings)
    if not far.call_id:
        out = await bank.call(near.call_id)
        return f"{far.line.label} did not ring: {out.end or f'nothing came within {RING_LIMIT_S:g} s'}"
    tell(f"{far.line.label} rings")
    await asyncio.sleep(RING_S)
    await _within(RING_S, told)
    return ""


async def _both_answered(bank: Bank, near: _Side, far: _Side) -> bool:
    views = [await bank.call(side.call_id) for side in (near, far)]
    return all(view.answered_at is not None for view in views) or any(view.ended for view in views)


async def _speak(speaker: _Side, listener: _Side, plan: Plan, tell: Callable[[str], None]) -> Recorded:
    """Say the programme, again when this machine stood still meanwhile: its own holes are not the line's."""
    programme, stood_still_ms = plan.programme, 0.0
    for turn in range(1, SPEAK_TURNS + 1):
        voice = ProgrammeVoice(programme)
        speaker.client.forget()
        listener.client.forget()
        speaker.client.say(voice)
        async with asyncio.timeout(2 * programme.length_s + TAIL_S):
            await voice.finished.wait()
        await asyncio.sleep(TAIL_S)
        stood_still_ms = round(1000 * voice.worst_late_s)
        if stood_still_ms <= plan.limits.stood_still_max_ms or turn == SPEAK_TURNS:
            break
        tell(f"this machine stood still for {stood_still_ms:.0f} ms; once more")
    assert voice.started_at is not None  # it has finished
    heard = Heard(from_pcm(listener.client.heard), listener.client.arrivals)
    own = from_pcm(speaker.client.heard)
    return Recorded(speaker.line, listener.line, programme, voice.started_at, heard, own, stood_still_ms)


async def _press(bank: Bank, speaker: _Side, listener: _Side, way: Recorded) -> Recorded:
    listener.client.forget()
    before = len(bank.digits(listener.call_id))

    async def arrived() -> bool:
        told = bank.digits(listener.call_id)[before:]
        return told == DIGITS or digits_in(from_pcm(listener.client.heard)) == DIGITS

    async def quiet() -> bool:
        # The network plays the digits for a while; what comes next must not have them behind it.
        return level_dbfs(from_pcm(listener.client.heard)[-RATE_HZ // 2 :]) < QUIET_DBFS

    await bank.press(speaker.call_id, DIGITS)
    await _within(DIGITS_LIMIT_S, arrived)
    told = bank.digits(listener.call_id)[before:]
    await asyncio.sleep(TAIL_S)
    await _within(QUIET_LIMIT_S, quiet)
    return replace(way, digits_told=told, digits_sound=from_pcm(listener.client.heard))


async def _part(
    bank: Bank, near: _Side, far: _Side, plan: Plan, moments: _Moments, tell: Callable[[str], None]
) -> None:
    first = near if plan.hung_up_by_caller else far
    tell(f"{first.line.label} hangs up")
    moments.hang_up = moments.now()
    await bank.hang_up(first.call_id)
    await _within(END_LIMIT_S, lambda: _both_ended(bank, near, far))


async def _both_ended(bank: Bank, near: _Side, far: _Side) -> bool:
    return all([(await bank.call(side.call_id)).ended for side in (near, far)])


async def _leave(bank: Bank, near: _Side, far: _Side, moments: _Moments, plan: Plan) -> CallTimes:
    """Hang up what is left, and read the records."""
    views: list[CallView | None] = []
    for side in (near, far):
        view = None
        with suppress(ModembankError):  # the server may be away; the bank's own limit ends the call then
            if side.call_id:
                view = await bank.call(side.call_id)
                if not view.ended:
                    await bank.hang_up(side.call_id)
                    view = await bank.call(side.call_id)
        views.append(view)
    for side in (near, far):
        await side.client.close()
    return _times(views[0], views[1], moments, plan)


def _times(out: CallView | None, inward: CallView | None, moments: _Moments, plan: Plan) -> CallTimes:
    if out is None:
        return CallTimes()
    zero = out.dialing_at or out.created_at

    def since(at: float | None) -> float | None:
        return None if at is None else round(at - zero, 2)

    ended, answered = out.ended_at, out.answered_at
    return CallTimes(
        out_ringing=since(out.ringing_at),
        in_ringing=since(inward.ringing_at) if inward else None,
        answer=since(moments.answer),
        in_answered=since(inward.answered_at) if inward else None,
        out_answered=since(answered),
        hang_up=since(moments.hang_up),
        out_ended=since(ended),
        in_ended=since(inward.ended_at) if inward else None,
        hung_up_by_caller=plan.hung_up_by_caller,
        talk_s=round(ended - answered, 1) if ended is not None and answered is not None else 0.0,
    )


def clock_skew_s(asked: float, stamped: float, returned: float) -> float:
    """Return how far the server's clock is ahead of ours, at the least; 0 when the clocks may well agree.

    `stamped` was read on the server's clock between `asked` and `returned` of ours.
    """
    return max(0.0, stamped - returned) + min(0.0, stamped - asked)


async def _within(limit_s: float, look: Callable[[], Awaitable[bool]]) -> bool:
    """Look again and again until it is true; False when the time is over."""
    deadline = time.monotonic() + limit_s
    while not await look():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True

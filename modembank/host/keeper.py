"""Keeps one modem running and carries its one call.

The keeper is the modem's only listener. It tells the doctor when the driver failed, and opens the port again when the
doctor says so; it hangs up whatever call a modem has that nobody owns (after a killed server), and gives every call
to exactly one `Call` object.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from modembank.at.calls import ClccState, CurrentCall
from modembank.bus.events import AnyEvent, CallSnapshot, LeftOverCall, ModemChanged, ModemSnapshot
from modembank.bus.vocabulary import Cause, Direction, ModemState
from modembank.call.call import Call
from modembank.call.media import MediaEngine
from modembank.call.reporter import CallReporter
from modembank.errors import ModembankError, SimNotReadyError, WrongStateError
from modembank.host.driver import Driver
from modembank.host.mailbox import Mailbox
from modembank.host.snapshots import is_small_news, snapshot_of
from modembank.host.vitals import Vitals
from modembank.ids import new_id
from modembank.modem.events import CallKind, CallProgress, CallRelease, Evidence
from modembank.modem.events import Direction as Way
from modembank.modem.info import ModemInfo
from modembank.modem.modem import Modem
from modembank.modem.timings import ModemTimings
from modembank.tty.discovery import ModemPorts
from modembank.tty.transport import TransportOpener

log = logging.getLogger(__name__)

# Half of what I2 allows: a call must be seen twice, for one that is just being cleared is nobody's either.
STRANGERS_S = 4.0
# News that nobody waits for, such as the signal, are told this often at most: a modem may tell hundreds a second.
SMALL_NEWS_S = 0.5

# Ends that no network told: the modem itself went, or stopped making sense.
_FAILURES: Mapping[Evidence, Cause] = {
    Evidence.PORT_LOST: Cause.MODEM_LOST,
    Evidence.RESET: Cause.MODEM_FAILED,
    Evidence.DEADLINE: Cause.MODEM_FAILED,
}


def _same_way(call: Call, way: Way) -> bool:
    return (call.direction is Direction.OUTBOUND) == (way is Way.MO)


def is_stranger(call: CurrentCall) -> bool:
    """Whether a call that nobody here owns must go: an outgoing one, or one that somebody else answered. One that
    rings is about to be told.
    """
    return call.direction is Way.MO or call.state in (ClccState.ACTIVE, ClccState.HELD)


class ModemKeeper:
    """Implements `ModemSink`."""

    def __init__(
        self,
        ports: ModemPorts,
        *,
        host_id: str,
        opener: TransportOpener,
        engine: MediaEngine,
        publish: Callable[[AnyEvent], None],
        wideband: bool = False,
        timings: ModemTimings | None = None,
    ) -> None:
        self.ports = ports
        self._host_id = host_id
        self._engine = engine
        self._publish = publish
        self.mailbox = Mailbox(
            host_id=host_id,
            usb_path=ports.usb_path,
            modem=lambda: self._modem,
            publish=publish,
            patience=timings.channel.patience if timings is not None else 1.0,
        )
        self._modem = Modem(ports, self, messages=self.mailbox, backend=opener, timings=timings, wideband=wideband)
        self._call: Call | None = None
        self._usb_path = ports.usb_path
        self._cleared = False
        self._clearing: asyncio.Task[None] | None = None
        self._override: tuple[ModemState, str] | None = None
        self._rings: CallProgress | None = None
        self._last: ModemSnapshot | None = None
        self._telling: asyncio.TimerHandle | None = None
        self._driver = Driver(ports.usb_path, self._modem.run)
        self._state_since: tuple[ModemState, float] = (ModemState.OPENING, asyncio.get_running_loop().time())
        self._stuck_since_s: float | None = None
        self._mute_calls = 0
        self._mute_since_s = 0.0

    @property
    def modem(self) -> Modem:
        """The driver."""
        return self._modem

    @property
    def call(self) -> Call | None:
        """The call it carries now."""
        return self._call

    async def run(self, delay_s: float = 0.0) -> None:
        """Keep the modem up until cancelled: whenever the driver has failed, wait for `reopen`."""
        await asyncio.sleep(delay_s)
        while True:
            await self._driver.wait()
            self._override = None
            strangers = asyncio.create_task(self._watch_strangers(), name=f"strangers:{self._usb_path}")
            mailbox = asyncio.create_task(self.mailbox.run(), name=f"mailbox:{self._usb_path}")
            try:
                fall = await self._driver.run_once()
            finally:
                strangers.cancel()
                mailbox.cancel()
            if fall is not None:
                self._fell(fall.detail)

    # Ward, for the doctor

    def vitals(self) -> Vitals:
        """See `Ward`."""
        state, since_s = self._state_since
        answered_s = self._modem.answered_s if state in (ModemState.READY, ModemState.IN_CALL) else None
        return Vitals(
            state=state,
            state_since_s=since_s,
            state_detail=self.snapshot().state_detail,
            in_call=self._call is not None,
            fall=self._driver.fall,
            answered_s=answered_s,
            mute_calls=self._mute_calls,
            mute_since_s=self._mute_since_s,
            stuck_since_s=self._stuck_since_s,
        )

    def is_attached(self) -> bool:
        """See `Ward`."""
        return self.ports.at.exists()

    async def reopen(self) -> None:
        """See `Ward`."""
        await self._driver.stop()
        self._stuck_since_s = None
        self._mute_calls = 0
        self._driver.let_run()

    async def close(self, detail: str) -> None:
        """See `Ward`."""
        await self._close(ModemState.FAILED, detail)

    async def isolate(self, detail: str) -> None:
        """See `Ward`."""
        await self._close(ModemState.QUARANTINED, detail)

    async def cycle_radio(self) -> None:
        """See `Ward`."""
        self._stuck_since_s = None
        self._cleared = False
        self._tell()  # it is not ready, and not well, before its calls were looked at again
        await self._modem.cycle_radio()

    async def restart(self) -> None:
        """See `Ward`."""
        self._stuck_since_s = None
        self._mute_calls = 0
        await self._modem.restart()

    async def _close(self, state: ModemState, detail: str) -> None:
        await self._driver.stop()
        self._fell(detail, state)

    def lost(self, detail: str) -> None:
        """The device is gone: end its call now."""
        self._fell(detail)

    def snapshot(self) -> ModemSnapshot:
        """The modem as the bank should see it."""
        info = self._modem.info
        if self._override is not None:
            return snapshot_of(info, state=self._override[0], detail=self._override[1])
        if info.state is ModemState.READY and not self._cleared:
            return snapshot_of(info, state=ModemState.STARTING, detail="looking for calls of an earlier run")
        if info.state is ModemState.READY and self._call is not None:
            return snapshot_of(info, state=ModemState.IN_CALL)
        return snapshot_of(info)

    def call_snapshot(self) -> CallSnapshot | None:
        """The call it carries now, for the bank's reconciliation."""
        if self._call is None:
            return None
        return CallSnapshot(
            call_id=self._call.call_id,
            usb_path=self._usb_path,
            iccid=self._modem.info.iccid or "",
            status=self._call.status,
        )

    def new_call(self, call_id: str, iccid: str) -> Call:
        """Make the object for an outbound call.

        Raises:
            SimNotReadyError: another SIM is in the modem now, or the modem is not ready.
            WrongStateError: the line is in use.
        """
        if self._call is not None:
            raise WrongStateError("the line is in use")
        if self._modem.info.iccid != iccid:
            raise SimNotReadyError("the SIM is not in this modem any more")
        if self.snapshot().state is not ModemState.READY:
            raise SimNotReadyError(f"the modem is {self.snapshot().state}: {self.snapshot().state_detail}")
        return self._take(call_id, Direction.OUTBOUND)

    # ModemSink

    def modem_changed(self, info: ModemInfo) -> None:
        """See `ModemSink`."""
        idle = self._clearing is None and self._stuck_since_s is None  # else the next step of healing comes first
        if info.state is ModemState.READY and not self._cleared and idle:
            self._clearing = asyncio.create_task(self._clear(info), name=f"clear:{self._usb_path}")
        elif info.state in (ModemState.OPENING, ModemState.STARTING) and self._call is None:
            self._cleared = False
        self._tell()

    def call_progress(self, progress: CallProgress) -> None:
        """See `ModemSink`."""
        call = self._call
        if progress.kind is CallKind.INCOMING:
            self._incoming(progress)
        elif call is None or not _same_way(call, progress.direction):
            log.warning("modem %s: a call that nobody owns is %s", self._usb_path, progress.kind)
        elif progress.kind is CallKind.ALERTING:
            call.alerting(progress.at, progress.evidence.value)
        elif progress.kind is CallKind.ANSWERED:
            call.answered(progress.at, progress.monotonic_s, progress.evidence.value)
        elif progress.kind in (CallKind.HELD, CallKind.ACTIVE):
            call.held(progress.kind is CallKind.HELD)

    def call_released(self, release: CallRelease) -> None:
        """See `ModemSink`."""
        if release.direction is Way.MT:
            self._rings = None  # if it still waited for its turn, the caller has given up
        if self._call is None or not _same_way(self._call, release.direction):
            return
        failure = Cause.NUMBER_BLACKLISTED if release.blacklisted else _FAILURES.get(release.evidence)
        if failure is None:
            self._call.released(release.at, release.monotonic_s, release.cause_q850, release.text)
        else:
            self._call.line_failed(failure, release.text)

    def dtmf_received(self, digit: str) -> None:
        """See `ModemSink`."""
        if self._call is not None:
            self._call.remote_dtmf(digit)

    def audio_flow(self, ready: bool) -> None:
        """See `ModemSink`."""
        if self._call is not None:
            self._call.audio_flow(ready)

    # inside

    async def _clear(self, info: ModemInfo) -> None:
        """Hang up what a server that died may have left (I2); only then may the line be used."""
        try:
            count = await self._modem.clear_calls()
        except ModembankError as error:
            log.warning("modem %s: could not clear left-over calls: %s", self._usb_path, error)
            self._stuck_since_s = asyncio.get_running_loop().time()
            self._cleared = False
            return
        else:
            self._cleared = True
            if count:
                log.warning("modem %s: hung up %d left-over call(s)", self._usb_path, count)
                self._publish(
                    LeftOverCall(
                        host_id=self._host_id,
                        at=datetime.now(UTC),
                        usb_path=self._usb_path,
                        iccid=info.iccid,
                        count=count,
                    )
                )
        finally:
            self._clearing = None
            self._tell()
        self._take_waiting()

    def _incoming(self, progress: CallProgress) -> None:
        """Take an incoming call, now or as soon as the line's last call is closed: the modem tells of it once."""
        iccid = self._modem.info.iccid
        if self._call is not None or not self._cleared or iccid is None:
            self._rings = progress
            if self._call is not None and not self._call.on_line:
                # The line rings before our dial began: it cannot dial any more.
                self._call.line_failed(Cause.CONGESTION, "the line was taken by an incoming call")
            return
        self._rings = None
        call = self._take(new_id("call"), Direction.INBOUND)
        call.ring(progress.at, self._usb_path, iccid, progress.number)

    def _take(self, call_id: str, direction: Direction) -> Call:
        call = Call(
            call_id=call_id,
            direction=direction,
            line=self._modem,
            engine=self._engine,
            reporter=CallReporter(self._host_id, call_id, self._publish),
            on_ended=self._call_over,
        )
        self._call = call
        self._tell()
        return call

    def _call_over(self) -> None:
        call, self._call = self._call, None
        mute = None if call is None else call.was_mute
        if mute is not None:
            self._mute_calls = self._mute_calls + 1 if mute else 0
            self._mute_since_s = asyncio.get_running_loop().time()
        self._take_waiting()
        self._tell()

    def _take_waiting(self) -> None:
        if self._rings is not None:
            self._incoming(self._rings)

    async def _watch_strangers(self) -> None:
        """Hang up outgoing calls that nobody owns: another program on the modem's second port, a line we missed."""
        seen = False
        while True:
            await asyncio.sleep(STRANGERS_S)
            if self._call is not None or self.snapshot().state is not ModemState.READY:
                seen = False
                continue
            try:
                calls = await self._modem.list_calls()
            except ModembankError as error:
                log.debug("modem %s: could not look for strangers' calls: %s", self._usb_path, error)
                continue
            stranger = self._call is None and any(is_stranger(call) for call in calls)
            if stranger and seen:
                await self._clear(self._modem.info)
            seen = stranger and not seen

    def _fell(self, detail: str, state: ModemState = ModemState.FAILED) -> None:
        self._override = (state, detail)
        self._cleared = False
        if self._call is not None:
            self._call.line_failed(Cause.MODEM_LOST, detail)
        self._tell()

    def _tell(self) -> None:
        """Tell of what changed: a state at once, signal and the like not too often."""
        now = self.snapshot()
        if now.state is not self._state_since[0]:
            self._state_since = now.state, asyncio.get_running_loop().time()
        if now == self._last:
            return
        if self._last is not None and is_small_news(self._last, now):
            if self._telling is None:
                self._telling = asyncio.get_running_loop().call_later(SMALL_NEWS_S, self._tell_now)
        else:
            self._tell_now()

    def _tell_now(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        now = self.snapshot()
        if now != self._last:
            self._last = now
            self._publish(ModemChanged(host_id=self._host_id, at=datetime.now(UTC), modem=now))

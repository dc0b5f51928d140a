"""Keeps one modem running and carries its one call.

The keeper is the modem's only listener. It restarts a modem that failed, with growing pauses, hangs up whatever call
a modem has that nobody owns (after a killed server), and gives every call to exactly one `Call` object.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from modembank.bus.events import AnyEvent, CallSnapshot, LeftOverCall, ModemChanged, ModemSnapshot
from modembank.bus.vocabulary import Cause, Direction, ModemState
from modembank.call.call import Call
from modembank.call.media import MediaEngine
from modembank.call.reporter import CallReporter
from modembank.errors import ModembankError, SimNotReadyError, WrongStateError
from modembank.host.snapshots import snapshot_of
from modembank.ids import new_id
from modembank.modem.events import CallKind, CallProgress, CallRelease, Evidence
from modembank.modem.events import Direction as Way
from modembank.modem.info import ModemInfo
from modembank.modem.modem import Modem
from modembank.tty.discovery import ModemPorts
from modembank.tty.transport import TransportOpener

log = logging.getLogger(__name__)

# Pauses before a failed modem is tried again; the last one repeats. A modem needs 10 to 30 s to come back from a reset.
RESTART_PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
# Half of what I2 allows: a call must be seen twice, for one that is just being cleared is nobody's either.
STRANGERS_S = 4.0
# Up for this long, it counts as healthy again and the pauses start anew.
HEALTHY_AFTER_S = 120.0

# Ends that no network told: the modem itself went, or stopped making sense.
_FAILURES: Mapping[Evidence, Cause] = {
    Evidence.PORT_LOST: Cause.MODEM_LOST,
    Evidence.RESET: Cause.MODEM_FAILED,
    Evidence.DEADLINE: Cause.MODEM_FAILED,
}


def _same_way(call: Call, way: Way) -> bool:
    return (call.direction is Direction.OUTBOUND) == (way is Way.MO)


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
    ) -> None:
        self.ports = ports
        self._host_id = host_id
        self._engine = engine
        self._publish = publish
        self._modem = Modem(ports, self, backend=opener, wideband=wideband)
        self._call: Call | None = None
        self._usb_path = ports.usb_path
        self._cleared = False
        self._clearing: asyncio.Task[None] | None = None
        self._override: tuple[ModemState, str] | None = None
        self._rings: CallProgress | None = None
        self._last: ModemSnapshot | None = None

    @property
    def modem(self) -> Modem:
        """The driver."""
        return self._modem

    @property
    def call(self) -> Call | None:
        """The call it carries now."""
        return self._call

    async def run(self) -> None:
        """Keep the modem up until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            self._override = None
            strangers = asyncio.create_task(self._watch_strangers(), name=f"strangers:{self._usb_path}")
            try:
                await self._modem.run()
                detail = "the driver stopped"
            except ModembankError as error:
                detail = str(error)
            except Exception as error:  # supervisor: one broken modem must not take the host down
                log.exception("modem %s: unexpected failure", self._usb_path)
                detail = f"internal error: {error!r}"
            finally:
                strangers.cancel()
            self._fell(detail)
            failures = 1 if loop.time() - started > HEALTHY_AFTER_S else failures + 1
            pause = RESTART_PAUSES_S[min(failures, len(RESTART_PAUSES_S)) - 1]
            log.warning("modem %s failed: %s; next try in %g s", self._usb_path, detail, pause)
            await asyncio.sleep(pause)

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
        if info.state is ModemState.READY and not self._cleared and self._clearing is None:
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
        failure = _FAILURES.get(release.evidence)
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
            log.warning("modem %s: could not look for left-over calls: %s", self._usb_path, error)
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
        self._call = None
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
            stranger = self._call is None and any(call.direction is Way.MO for call in calls)
            if stranger and seen:
                await self._clear(self._modem.info)
            seen = stranger and not seen

    def _fell(self, detail: str) -> None:
        self._override = (ModemState.FAILED, detail)
        self._cleared = False
        if self._call is not None:
            self._call.line_failed(Cause.MODEM_LOST, detail)
        self._tell()

    def _tell(self) -> None:
        now = self.snapshot()
        if now != self._last:
            self._last = now
            self._publish(ModemChanged(host_id=self._host_id, at=datetime.now(UTC), modem=now))

"""One machine with modems: finds them, keeps them, carries out the bank's commands, tells the bank what happens.

The host alone talks to its modems and terminates the media of their calls. It meets the bank on the bus only.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from modembank.at.console import check_console_line
from modembank.bus.bus import Bus
from modembank.bus.commands import (
    AddCandidate,
    Answer,
    AnyCommand,
    AnyReply,
    AtReply,
    Attach,
    Dial,
    Done,
    HangUp,
    HostSnapshot,
    ReadTrace,
    Refused,
    ReleaseModem,
    RunAt,
    SdpAnswer,
    SendDtmf,
    SetHeld,
    SetMuted,
    Snapshot,
    Trace,
    TraceLine,
)
from modembank.bus.events import HostStarted, HostStopped, ModemGone
from modembank.bus.vocabulary import Cause, HangupSource
from modembank.call.call import Call
from modembank.call.media import MediaEngine
from modembank.call.order import Order
from modembank.errors import ModembankError, NotFoundError
from modembank.host.doctor import Doctor
from modembank.host.guard import Guard
from modembank.host.hubs import HubWatch
from modembank.host.keeper import ModemKeeper
from modembank.host.messages import MessageDesk
from modembank.host.sim_care import SimDesk
from modembank.modem.timings import ModemTimings
from modembank.tty.discovery import ModemPorts
from modembank.tty.hotplug import HotplugWatch, open_uevents
from modembank.tty.power import UsbPower
from modembank.tty.scanner import Scanner
from modembank.tty.trace import Way
from modembank.tty.transport import TransportOpener
from modembank.tty.wiring import Wiring, wire

log = logging.getLogger(__name__)

# Hanging up all calls at the end: each modem confirms within 5 s, and they do it side by side.
STOP_LIMIT_S = 10.0
# What a dial waits for the network's answer to an earlier question; with all else it stays below the bank's 15 s.
GIVE_WAY_LIMIT_S = 8.0


class Host:
    """Runs the modems of one machine."""

    def __init__(
        self,
        *,
        host_id: str,
        bus: Bus,
        engine: MediaEngine,
        opener: TransportOpener,
        sysfs_root: Path,
        dev_root: Path,
        rescan_s: float,
        wideband: bool = False,
        slots: Mapping[str, str] | None = None,
        patience: float = 1.0,
        forwarding_s: tuple[float, float] = (60.0, 86_400.0),
        wirings: tuple[Wiring, ...] = (),
    ) -> None:
        """`slots` names places of the USB topology, see `tty/chassis.py`; `wirings`: see `tty/wiring.py`. `patience`:
        factor on waits for modems.
        """
        self.host_id = host_id
        self._bus = bus
        self._engine = engine
        self._opener = opener
        self._rescan_s = rescan_s
        self._wideband = wideband
        self._scanner = Scanner(sysfs_root, dev_root, slots or {})
        self._timings = ModemTimings().scaled(patience)
        self._wirings = wirings
        self._guard = Guard()
        self._keepers: dict[str, ModemKeeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._doctor = Doctor(
            host_id=host_id,
            wards=self._keepers,
            power=UsbPower(sysfs_root),
            publish=bus.publish,
            patience=patience,
        )
        self._hubs = HubWatch(host_id, bus.publish, self._doctor.expect, patience)
        self._messages = MessageDesk(self._keeper)
        self._sim_desk = SimDesk(host_id, self._keeper, self._keepers.values, bus.publish, forwarding_s)
        self._table: dict[type, Callable[..., Awaitable[AnyReply]]] = {
            **self._sim_desk.table,
            **self._messages.table,
            Dial: self._dial,
            Answer: self._answer,
            HangUp: self._hang_up,
            Attach: self._attach,
            AddCandidate: self._add_candidate,
            SendDtmf: self._send_dtmf,
            SetMuted: self._set_muted,
            SetHeld: self._set_held,
            RunAt: self._run_at,
            ReadTrace: self._read_trace,
            ReleaseModem: self._release_modem,
            Snapshot: self._snapshot,
        }

    async def run(self) -> None:
        """Serve until cancelled; then end all calls and let the modems go."""
        self._bus.publish(HostStarted(host_id=self.host_id, at=datetime.now(UTC)))
        stop_serving = self._bus.serve(self.host_id, self.handle)
        changes = HotplugWatch(open_uevents())
        healing = asyncio.create_task(self._doctor.run(), name="doctor")
        desk = asyncio.create_task(self._sim_desk.run(), name="sim-desk")
        try:
            while True:
                await self._rescan()
                await changes.wait(self._rescan_s)
        finally:
            desk.cancel()
            changes.close()
            healing.cancel()
            await asyncio.gather(healing, return_exceptions=True)
            await self._end_calls()
            stop_serving()
            await self._messages.settle()
            await self._stop_keepers()
            self._bus.publish(HostStopped(host_id=self.host_id, at=datetime.now(UTC)))

    async def handle(self, command: AnyCommand) -> AnyReply:
        """Carry out one command; errors become `Refused` with their stable code."""
        try:
            return await self._table[type(command)](command)
        except ModembankError as error:
            return Refused(code=error.code, detail=str(error))

    # discovery

    async def _rescan(self) -> None:
        found = await asyncio.to_thread(self._look)
        now = {ports.usb_path: ports for ports in found}
        known = frozenset(self._keepers)
        gone = [path for path, keeper in self._keepers.items() if now.get(path) != keeper.ports]
        # Side by side: a call that takes its time to end must not keep the others' modems from being noticed.
        await asyncio.gather(*(self._drop(path) for path in gone))
        new = [ports for path, ports in now.items() if path not in self._keepers]
        for ports in new:
            self._keep(ports, random.uniform(0, self._hubs.spread_s(ports.usb_path)))
            self._doctor.arrived(ports.usb_path)
        missing = [path for path in gone if path not in now and not self._doctor.is_expected(path)]
        self._hubs.look(missing, frozenset(now), known)

    def _look(self) -> tuple[ModemPorts, ...]:
        return wire(self._scanner.look(), self._wirings)

    def _keep(self, ports: ModemPorts, delay_s: float) -> None:
        log.info("modem %s (%s) is attached", ports.usb_path, ports.dialect)
        keeper = ModemKeeper(
            ports,
            host_id=self.host_id,
            opener=self._opener,
            engine=self._engine,
            publish=self._bus.publish,
            wideband=self._wideband,
            timings=self._timings,
        )
        self._keepers[ports.usb_path] = keeper
        self._tasks[ports.usb_path] = asyncio.create_task(keeper.run(delay_s), name=f"modem:{ports.usb_path}")

    async def _drop(self, usb_path: str) -> None:
        """The device is gone, or came back under other names."""
        log.warning("modem %s is gone", usb_path)
        keeper, task = self._keepers.pop(usb_path), self._tasks.pop(usb_path)
        keeper.lost("the device is gone")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if keeper.call is not None:
            await keeper.call.wait_ended()
        self._bus.publish(ModemGone(host_id=self.host_id, at=datetime.now(UTC), usb_path=usb_path))

    async def _end_calls(self) -> None:
        calls = [keeper.call for keeper in self._keepers.values() if keeper.call is not None]
        ends = (call.hang_up(HangupSource.SYSTEM, Cause.SERVER_RESTART) for call in calls)
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await asyncio.gather(*ends, return_exceptions=True)
        except TimeoutError:
            log.error("not every modem confirmed the end of its call within %g s", STOP_LIMIT_S)

    async def _stop_keepers(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._keepers.clear()

    # commands

    async def _dial(self, command: Dial) -> AnyReply:
        keeper = self._keeper(command.usb_path)
        self._guard.admit(command.command_id, command.iccid, command.epoch)
        await keeper.modem.give_way(GIVE_WAY_LIMIT_S)
        call = keeper.new_call(command.call_id, command.iccid)  # at once: nothing is asked any more from here
        sdp = await call.place(
            Order(
                number=command.number,
                timeout_s=command.timeout_s,
                max_duration_s=command.max_duration_s,
                offer=command.offer,
                media_first=command.media_first,
            )
        )
        return Done() if sdp is None else SdpAnswer(sdp=sdp)

    async def _answer(self, command: Answer) -> AnyReply:
        sdp = await self._call(command.call_id).answer(command.offer, command.max_duration_s)
        return Done() if sdp is None else SdpAnswer(sdp=sdp)

    async def _hang_up(self, command: HangUp) -> AnyReply:
        await self._call(command.call_id).hang_up(command.source, command.cause)
        return Done()

    async def _attach(self, command: Attach) -> AnyReply:
        return SdpAnswer(sdp=await self._call(command.call_id).attach(command.offer))

    async def _add_candidate(self, command: AddCandidate) -> AnyReply:
        call = self._call(command.call_id)
        await call.add_candidate(command.candidate, command.sdp_mid, command.sdp_m_line_index)
        return Done()

    async def _send_dtmf(self, command: SendDtmf) -> AnyReply:
        await self._call(command.call_id).send_dtmf(command.digits)
        return Done()

    async def _set_muted(self, command: SetMuted) -> AnyReply:
        self._call(command.call_id).set_muted(command.muted)
        return Done()

    async def _set_held(self, command: SetHeld) -> AnyReply:
        await self._call(command.call_id).set_held(command.held)
        return Done()

    async def _run_at(self, command: RunAt) -> AnyReply:
        line = check_console_line(command.line, unrestricted=command.unrestricted)
        return AtReply(lines=await self._keeper(command.usb_path).modem.run_at(line))

    async def _read_trace(self, command: ReadTrace) -> AnyReply:
        modem = self._keeper(command.usb_path).modem
        lines = modem.transcript(command.limit) if command.transcript else modem.trace(command.limit)
        return Trace(
            lines=tuple(
                TraceLine(
                    at=line.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                    out=line.way is Way.TO_MODEM,
                    text=line.text,
                )
                for line in lines
            )
        )

    async def _release_modem(self, command: ReleaseModem) -> AnyReply:
        self._doctor.release(command.usb_path)
        return Done()

    async def _snapshot(self, command: Snapshot) -> AnyReply:
        calls = (keeper.call_snapshot() for keeper in self._keepers.values())
        return HostSnapshot(
            host_id=self.host_id,
            modems=tuple(keeper.snapshot() for keeper in self._keepers.values()),
            calls=tuple(call for call in calls if call is not None),
        )

    def _keeper(self, usb_path: str) -> ModemKeeper:
        keeper = self._keepers.get(usb_path)
        if keeper is None:
            raise NotFoundError(f"no modem at {usb_path} is attached to this host")
        return keeper

    def _call(self, call_id: str) -> Call:
        for keeper in self._keepers.values():
            if keeper.call is not None and keeper.call.call_id == call_id:
                return keeper.call
        raise NotFoundError(f"this host carries no call {call_id}")

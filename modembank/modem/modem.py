"""One modem: opens its port, brings it to ready, keeps its state, carries its one call."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from pathlib import Path

from modembank.at.calls import CurrentCall, Evidence, read_call_urc
from modembank.at.command import AtCommand, console
from modembank.at.identity import SimStatus
from modembank.at.messages import StoredPdu, StoreUse
from modembank.at.network import read_registration
from modembank.at.ussd import UssdReply
from modembank.dialects import get_dialect
from modembank.errors import (
    AtError,
    AtSyntaxError,
    ModemError,
    NotRegisteredError,
    NoVoiceError,
    PortError,
    PortLostError,
    SimNotReadyError,
)
from modembank.modem import bringup
from modembank.modem.calls import CallControl
from modembank.modem.events import MessageSink, ModemSink
from modembank.modem.info import ModemInfo, ModemState
from modembank.modem.messages import Messages
from modembank.modem.snapshot import Snapshot
from modembank.modem.timings import ModemTimings
from modembank.modem.ussd import Ussd
from modembank.modem.voice import arm_voice
from modembank.tty.backends import PortOpener
from modembank.tty.channel import AtChannel
from modembank.tty.discovery import ModemPorts
from modembank.tty.trace import TraceLine
from modembank.tty.transport import SerialBackend, TransportOpener

_log = logging.getLogger(__name__)


class Modem:
    """One modem. `run` owns it; the other methods work while `run` does, and raise PortLostError when it does not."""

    def __init__(
        self,
        ports: ModemPorts,
        sink: ModemSink,
        *,
        messages: MessageSink | None = None,
        backend: SerialBackend | TransportOpener = SerialBackend.SERIALX,
        timings: ModemTimings | None = None,
    ) -> None:
        """`backend`: a choice, or the opener that all modems of a host share so that its limits hold for them all.

        `messages` is told of short messages and USSD; without it, messages stay where they are stored.
        """
        self._ports = ports
        self._sink = sink
        self._backend = backend
        self._timings = timings or ModemTimings()
        self._dialect = get_dialect(ports.dialect)
        self._channel: AtChannel | None = None
        self._snapshot = Snapshot(ports, sink, lambda: self._calls.busy)
        self._calls = self._make_calls()
        self._message_sink = messages
        self._messages, self._ussd = self._make_services()
        self._attention = asyncio.Event()
        self._lost: asyncio.Future[None] | None = None
        self._restart = False
        self._last_trace: tuple[TraceLine, ...] = ()

    @property
    def info(self) -> ModemInfo:
        """What is known right now."""
        return self._snapshot.info

    @property
    def audio_path(self) -> Path | None:
        """The tty that carries voice."""
        return self._ports.audio

    @property
    def atd_written(self) -> bool:
        """Whether the bytes of the last `dial`'s ATD were handed to the port: if so, nothing may be retried."""
        return self._calls.atd_written

    async def run(self) -> None:
        """Open, bring up, and tend the modem until cancelled.

        Raises:
            PortMissingError, PortBusyError, TooManyPortsError: the port could not be opened.
            PortLostError: the port is gone or the modem hangs. A call, if any, has been released by then.
        """
        self._restart = False
        self._lost = asyncio.get_running_loop().create_future()
        self._snapshot.opening()
        try:
            self._channel = await AtChannel.open(self._opener(), self._ports.at, self, self._timings.channel)
            self._snapshot.opened()
            await self._serve(self._lost)
        except PortError as error:
            self._snapshot.lost(str(error))
            raise
        finally:
            self._snapshot.lost("closed")
            await self._close()

    async def dial(self, number: str) -> None:
        """Place a voice call: the voice path is armed and read back, then exactly one ATD is written.

        Returns when ATD was answered with OK; what the call does then, the sink is told. After AtTimeoutError,
        PortLostError or a cancellation with `atd_written` true the call may exist, and its release will be told.

        Raises:
            InvalidNumberError, SimNotReadyError, NotRegisteredError, NoVoiceError, DialFailedError: nothing was
                charged.
            AtTimeoutError, PortLostError: see `atd_written`.
        """
        self._check_can_dial()
        await self._ussd.give_way()
        await self._calls.dial(number)

    async def answer(self) -> None:
        """Answer the incoming call. Raises WrongStateError, DialFailedError, NoVoiceError."""
        await self._calls.answer()

    async def reject(self) -> None:
        """Refuse the incoming call. Raises WrongStateError."""
        await self._calls.reject()

    async def hang_up(self) -> None:
        """End the call and return when its end is sure and told; without a call nothing happens."""
        await self._calls.hang_up()

    async def send_dtmf(self, digit: str) -> None:
        """Send one of 0-9, *, #, A-D. Raises AtSyntaxError, WrongStateError, AtResultError."""
        await self._calls.send_dtmf(digit)

    async def hold(self, on: bool) -> None:
        """Put the call on hold or take it back. Raises WrongStateError, AtResultError."""
        await self._calls.hold(on)

    async def list_calls(self) -> tuple[CurrentCall, ...]:
        """The voice calls that the modem shows in `+CLCC`."""
        return await self._calls.list_calls()

    async def clear_calls(self) -> int:
        """Hang up whatever `+CLCC` shows, such as calls left over after a restart; return how many those were."""
        return await self._calls.clear_calls()

    async def send_pdu(self, tpdu_hex: str, length: int) -> int:
        """Submit one short message and return the network's reference for its delivery report.

        Args:
            tpdu_hex: the PDU, with or without the service centre's address in front.
            length: octets of the TPDU, without that address.

        Raises:
            SmsUnknownError: the PDU was written and its answer was lost, or tells nothing; it may be on its way.
            CmsError, AtResultError: refused; nothing was sent.
            AtTimeoutError, PortLostError, WrongStateError, AtSyntaxError: nothing was written.
            asyncio.CancelledError: like SmsUnknownError.
        """
        return await self._messages.send(tpdu_hex, length)

    async def read_messages(self) -> tuple[StoredPdu, ...]:
        """All messages of all stores; they stay there. Raises ModemError, AtTimeoutError, PortLostError."""
        return await self._messages.read()

    async def delete_message(self, store: str, index: int) -> None:
        """Delete a message that was read, once it is safe elsewhere (I3).

        Raises: WrongStateError when it was not read from the card that is in the modem now; AtResultError.
        """
        await self._messages.delete(store, index)

    @property
    def message_stores(self) -> tuple[StoreUse, ...]:
        """How full the message stores were when they were last read."""
        return self._messages.use

    async def ussd(self, code: str) -> UssdReply:
        """Send a code such as `*100#` and return what the network says, as raw as it came.

        With `m` REPLY_WANTED the session is open: `answer_ussd` within 60 s, or it is cancelled. A call that is
        dialled ends it.

        Raises:
            UssdTimeoutError: no answer; the code may have been carried out.
            WrongStateError: a call is up, or a session is open.
            AtSyntaxError, AtResultError, ModemError, PortLostError.
        """
        return await self._ussd.start(code)

    async def answer_ussd(self, text: str) -> UssdReply:
        """Answer the network in the open session. Raises like `ussd`; WrongStateError without a session."""
        return await self._ussd.answer(text)

    async def cancel_ussd(self) -> None:
        """End the open session; without one nothing happens. Raises AtTimeoutError, PortLostError."""
        await self._ussd.cancel()

    async def run_at(self, line: str) -> tuple[str, ...]:
        """Run a console line and return its information text. The caller has applied the allow-list.

        Raises: AtSyntaxError, AtTimeoutError, CmeError, CmsError, AtResultError, PortLostError.
        """
        return await self._ask(console(line))

    def trace(self, limit: int) -> tuple[TraceLine, ...]:
        """The last `limit` lines of the conversation, masked; those of the last run once it is over."""
        return self._channel.trace(limit) if self._channel is not None else self._last_trace[-limit:]

    # ---- from the channel -----------------------------------------------------------------------------------

    def urc_received(self, line: str) -> None:
        """One unsolicited line."""
        try:
            self._sort_urc(line)
        except AtSyntaxError as error:
            _log.info("a URC that does not follow its manual: %s", error)

    def channel_lost(self, error: PortLostError) -> None:
        """The port is gone or the modem hangs."""
        self._calls.end(Evidence.PORT_LOST)
        self._ussd.end(error)
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(error)

    # ---- life -----------------------------------------------------------------------------------------------

    def _opener(self) -> TransportOpener:
        return PortOpener(self._backend) if isinstance(self._backend, SerialBackend) else self._backend

    def _make_calls(self) -> CallControl:
        return CallControl(self._ask, self._dialect, self._sink, self._timings, self._snapshot.refresh)

    def _make_services(self) -> tuple[Messages, Ussd]:
        dialect, sink, radio = self._dialect, self._message_sink, asyncio.Lock()
        return (
            Messages(self._ask, dialect.message_stores, sink, radio, self._in_call),
            Ussd(self._ask, dialect.ussd, sink, radio, self._in_call, self._timings),
        )

    def _in_call(self) -> bool:
        return self._calls.busy

    async def _serve(self, lost: asyncio.Future[None]) -> None:
        tasks = [
            asyncio.create_task(self._tend(), name=f"tend {self._ports.usb_path}"),
            asyncio.create_task(self._calls.watch(), name=f"watch calls {self._ports.usb_path}"),
        ]
        try:
            done, _ = await asyncio.wait((lost, *tasks), return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self) -> None:
        self._calls.end(Evidence.PORT_LOST)
        self._ussd.end(PortLostError("the port was closed"))
        channel, self._channel = self._channel, None
        if channel is not None:
            self._last_trace = channel.trace(1000)
            await channel.close()
        await self._calls.close()
        if self._lost is not None and self._lost.done():
            self._lost.exception()
        self._calls = self._make_calls()
        await self._ussd.close()
        self._messages, self._ussd = self._make_services()

    async def _tend(self) -> None:
        while True:
            try:
                await self._bring_up()
                while not self._restart:
                    await self._wait_for_attention()
                    if not self._restart:
                        await self._look_again()
            except AtError as error:
                _log.warning("modem %s: %s; starting over", self._ports.usb_path, error)
                await asyncio.sleep(self._timings.sim_busy_s)

    async def _bring_up(self) -> None:
        self._snapshot.starting()
        self._messages.forget()
        if self._restart:
            self._restart = False
            await asyncio.sleep(self._timings.boot_quiet_s)
        await bringup.wake(self._ask)
        self._snapshot.set_identity(await bringup.read_identity(self._ask))
        refused = await bringup.apply_settings(self._ask, self._dialect)
        self._calls.blind = not await bringup.enable_call_events(self._ask, self._dialect)
        await self._prove_voice(f"refused: {', '.join(refused)}" if refused else "")
        await self._look_again()
        if not self._restart:
            self._snapshot.started()

    async def _prove_voice(self, fault: str) -> None:
        try:
            await arm_voice(self._ask, self._dialect.voice)
        except NoVoiceError as error:
            self._snapshot.set_voice(False, str(error))
        else:
            self._snapshot.set_voice(True, fault)

    async def _look_again(self) -> None:
        """Read what may have changed: the SIM if in doubt, registration, operator and signal."""
        if self._snapshot.sim is not SimStatus.READY:
            status = await bringup.read_sim(self._ask, self._timings)
            ready = status is SimStatus.READY
            card = await bringup.read_card(self._ask, self._dialect) if ready else bringup.NO_CARD
            self._snapshot.set_sim(status, card)
            if ready:
                await self._messages.prepare()
        self._snapshot.set_network(await bringup.read_network(self._ask))

    async def _wait_for_attention(self) -> None:
        ready = self.info.state in {ModemState.READY, ModemState.IN_CALL}
        period_s = self._timings.liveness_s if ready else self._timings.unready_s
        period_s *= 1 + random.uniform(-self._timings.jitter, self._timings.jitter)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(period_s):
                await self._attention.wait()
        self._attention.clear()

    async def _ask(self, command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        if self._channel is None:
            raise PortLostError(f"modem {self._ports.usb_path} is not open")
        return await self._channel.run(command, on_written)

    # ---- what it hears --------------------------------------------------------------------------------------

    def _sort_urc(self, line: str) -> None:
        dialect = self._dialect
        indication = dialect.read_indication(line) or read_call_urc(line)
        if indication is not None:
            self._calls.observe(indication)
        elif (digit := dialect.read_dtmf(line)) is not None:
            self._sink.dtmf_received(digit)
        elif (flow := dialect.read_audio_flow(line)) is not None:
            self._sink.audio_flow(flow)
        elif (rssi_dbm := dialect.read_signal(line)) is not None:
            self._snapshot.set_signal(rssi_dbm)
        elif self._messages.heard(line) or self._ussd.heard(line):
            return
        elif line.startswith(("+CREG:", "+CEREG:")):
            self._heard_registration(line)
        elif line.startswith(dialect.sim_events):
            self._snapshot.doubt_sim()
            self._messages.forget()
            self._attention.set()
        elif line in dialect.boot_events:
            self._heard_boot()

    def _heard_registration(self, line: str) -> None:
        report = read_registration(line)
        if not report.registration.carries_voice and report.domain == "CREG":
            self._snapshot.set_registration(report.registration)  # bad news at once; both domains are asked soon
        self._attention.set()

    def _heard_boot(self) -> None:
        _log.info("modem %s has restarted", self._ports.usb_path)
        self._calls.end(Evidence.RESET)
        self._ussd.end(ModemError("the modem restarted"))
        self._restart = True
        self._snapshot.starting()
        self._attention.set()

    def _check_can_dial(self) -> None:
        info = self.info
        if self._channel is None:
            raise PortLostError(f"modem {self._ports.usb_path} is not open")
        if info.state in {ModemState.NO_SIM, ModemState.SIM_LOCKED, ModemState.STARTING}:
            raise SimNotReadyError(info.state_detail)
        if not info.voice:
            raise NoVoiceError(info.state_detail or "voice has not been proven")
        if not info.registration.carries_voice:
            raise NotRegisteredError(f"registration: {info.registration.value.replace('_', ' ')}")

"""One modem: opens its port, brings it to ready, keeps its state, carries its one call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from modembank.at.calls import CurrentCall
from modembank.at.command import AtCommand, console
from modembank.at.forwarding import Forwarding
from modembank.at.messages import StoredPdu, StoreUse
from modembank.at.ussd import UssdReply
from modembank.dialects import get_dialect
from modembank.errors import (
    NotRegisteredError,
    NoVoiceError,
    PortError,
    PortLostError,
    SimNotReadyError,
)
from modembank.media.records import AudioPlace
from modembank.modem import reset
from modembank.modem.events import MessageSink, ModemSink
from modembank.modem.info import ModemInfo, ModemState
from modembank.modem.session import Session
from modembank.modem.sim_care import SimCare
from modembank.modem.snapshot import Snapshot
from modembank.modem.timings import ModemTimings
from modembank.modem.voice import VoiceSwitch, sound_of
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
        wideband: bool = False,
    ) -> None:
        """`backend`: a choice, or the opener that all modems of a host share so that its limits hold for them all.

        `messages` is told of short messages and USSD; without it, messages stay where they are stored. `wideband`:
        ask for 16 kHz sound where the family has it.
        """
        self._ports = ports
        self._sink = sink
        self._backend = backend
        self._timings = timings or ModemTimings()
        self._dialect = get_dialect(ports.dialect)
        self._voice = VoiceSwitch(self._ask, sound_of(ports, self._dialect), wideband=wideband)
        self._channel: AtChannel | None = None
        self._message_sink = messages
        self._snapshot = Snapshot(ports, sink, lambda: self._session.in_call())
        self._care = SimCare(
            self._ask, self._dialect.read_tries, lambda: self._session.in_call(), self._snapshot.set_asking
        )
        self._session: Session = self._new_session()
        self._lost: asyncio.Future[None] | None = None
        self._last_channel: AtChannel | None = None

    @property
    def info(self) -> ModemInfo:
        """What is known right now."""
        return self._snapshot.info

    @property
    def audio(self) -> AudioPlace | None:
        """Where its sound is, at the rate that was proven at bring-up."""
        return self._voice.place

    @property
    def atd_written(self) -> bool:
        """Whether the bytes of the last `dial`'s ATD were handed to the port: if so, nothing may be retried."""
        return self._session.calls.atd_written

    async def run(self) -> None:
        """Open, bring up, and tend the modem until cancelled.

        Raises:
            PortMissingError, PortBusyError, TooManyPortsError: the port could not be opened.
            PortLostError: the port is gone or the modem hangs. A call, if any, has been released by then.
        """
        self._lost = asyncio.get_running_loop().create_future()
        self._snapshot.opening()
        try:
            self._channel = await AtChannel.open(
                self._opener(), self._ports.at, self, self._timings.channel, self._ports.baud
            )
            self._snapshot.opened()
            await self._serve(self._lost)
        except PortError as error:
            self._snapshot.lost(str(error))
            raise
        finally:
            self._snapshot.lost("closed")
            await self._close()

    async def give_way(self, limit_s: float) -> None:
        """Make the line free for a call: questions to the network about the SIM stop after the one that is out.

        Raises LineBusyError: its answer did not come in time.
        """
        await self._care.give_way(limit_s)

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
        await self._session.ussd.give_way()
        await self._session.calls.dial(number)

    async def answer(self) -> None:
        """Answer the incoming call. Raises WrongStateError, DialFailedError, NoVoiceError."""
        await self._session.calls.answer()

    async def reject(self) -> None:
        """Refuse the incoming call. Raises WrongStateError."""
        await self._session.calls.reject()

    async def hang_up(self) -> None:
        """End the call and return when its end is sure and told; without a call nothing happens."""
        await self._session.calls.hang_up()

    async def send_dtmf(self, digit: str) -> None:
        """Send one of 0-9, *, #, A-D. Raises AtSyntaxError, WrongStateError, AtResultError."""
        await self._session.calls.send_dtmf(digit)

    async def hold(self, on: bool) -> None:
        """Put the call on hold or take it back. Raises WrongStateError, AtResultError."""
        await self._session.calls.hold(on)

    async def list_calls(self) -> tuple[CurrentCall, ...]:
        """The voice calls that the modem shows in `+CLCC`."""
        return await self._session.calls.list_calls()

    async def clear_calls(self) -> int:
        """Hang up whatever `+CLCC` shows, such as calls left over after a restart; return how many those were."""
        return await self._session.calls.clear_calls()

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
        return await self._session.messages.send(tpdu_hex, length)

    async def read_messages(self) -> tuple[StoredPdu, ...]:
        """All messages of all stores; they stay there. Raises ModemError, AtTimeoutError, PortLostError."""
        return await self._session.messages.read()

    async def delete_message(self, store: str, index: int) -> None:
        """Delete a message that was read, once it is safe elsewhere (I3).

        Raises: WrongStateError when it was not read from the card that is in the modem now; AtResultError.
        """
        await self._session.messages.delete(store, index)

    @property
    def message_stores(self) -> tuple[StoreUse, ...]:
        """How full the message stores were when they were last read."""
        return self._session.messages.use

    async def ussd(self, code: str) -> UssdReply:
        """Send a code such as `*100#` and return what the network says, as raw as it came.

        With `m` REPLY_WANTED the session is open: `answer_ussd` within 60 s, or it is cancelled. A call that is
        dialled ends it.

        Raises:
            UssdTimeoutError: no answer; the code may have been carried out.
            WrongStateError: a call is up, or a session is open.
            SmsFormatError: letters that USSD lacks, or more than 182.
            AtResultError, ModemError, PortLostError.
        """
        return await self._session.ussd.start(code)

    async def answer_ussd(self, text: str) -> UssdReply:
        """Answer the network in the open session. Raises like `ussd`; WrongStateError without a session."""
        return await self._session.ussd.answer(text)

    async def cancel_ussd(self) -> None:
        """End the open session; without one nothing happens. Raises AtTimeoutError, PortLostError."""
        await self._session.ussd.cancel()

    async def enter_pin(self, pin: str) -> None:
        """Unlock the card; it is read again then, and the sink is told.

        Raises:
            PinWrongError: the card refused it.
            PinRefusedError: fewer than 3 tries are left or their number is not known, one was made since the card
                was inserted, or it asks for something else; nothing was tried.
            WrongStateError: the card asks for no PIN.
            AtTimeoutError, PortLostError: it may have been tried; it is not tried again.
        """
        await self._care.enter_pin(pin, self.info.iccid)
        self._session.look_again()

    async def enter_puk(self, puk: str, pin: str, left: int | None) -> None:
        """Unblock the card with its PUK and give it a new PIN; only ever at a person's wish.

        Args:
            left: the tries that the person saw, None when the modem does not tell.

        Raises: as `enter_pin`; PinRefusedError also when the tries left are not `left`.
        """
        await self._care.enter_puk(puk, pin, left)
        self._session.look_again()

    async def clear_forwarding(self) -> None:
        """Have the network send this SIM's calls nowhere else. Raises WrongStateError in a call, AtResultError."""
        await self._care.clear_forwarding()

    async def select_operator(self, plmn: str | None) -> None:
        """Register with one operator only, by PLMN, or (None) with any; the modem keeps the choice.

        Raises WrongStateError in a call, RequestError for what is no PLMN, AtResultError when it is not served.
        """
        await self._care.select_operator(plmn)
        self._session.look_around()

    async def read_forwarding(self) -> tuple[Forwarding, ...]:
        """Where the network sends this SIM's voice calls instead. Raises WrongStateError, AtResultError."""
        return await self._care.read_forwarding()

    async def run_at(self, line: str) -> tuple[str, ...]:
        """Run a console line and return its information text. The caller has applied the allow-list.

        Raises: AtSyntaxError, AtTimeoutError, CmeError, CmsError, AtResultError, PortLostError.
        """
        return await self._ask(console(line))

    async def cycle_radio(self) -> None:
        """Switch the radio off and on, then set the modem up anew. Not during a call.

        Raises: AtTimeoutError, AtResultError, PortLostError: the radio may be off now.
        """
        await reset.cycle_radio(self._ask, self._timings)
        self._session.set_up_again()

    async def restart(self) -> None:
        """Restart the modem, also while `run` does not: it may hear what it cannot answer. It leaves the bus for
        10 to 30 s and comes back under other numbers. Not during a call. Raises PortError, AtResultError.
        """
        if self._channel is not None:
            await reset.restart(self._ask)
        else:
            await reset.restart_unheard(self._opener(), self._ports.at)

    @property
    def answered_s(self) -> float | None:
        """When it answered last, by time.monotonic; None before the first answer and while `run` does not."""
        return self._channel.answered_s if self._channel is not None else None

    def trace(self, limit: int) -> tuple[TraceLine, ...]:
        """The last `limit` lines of the conversation, masked; those of the last run once it is over."""
        channel = self._channel or self._last_channel
        return channel.trace(limit) if channel is not None else ()

    def transcript(self, limit: int) -> tuple[TraceLine, ...]:
        """As `trace`, with other numbers, identities and texts in their places, so that it still parses."""
        channel = self._channel or self._last_channel
        return channel.transcript(limit) if channel is not None else ()

    # ---- from the channel -----------------------------------------------------------------------------------

    def urc_received(self, line: str) -> None:
        """One unsolicited line."""
        self._session.hear(line)

    def channel_lost(self, error: PortLostError) -> None:
        """The port is gone or the modem hangs."""
        self._session.lost(error)
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(error)

    # ---- life -----------------------------------------------------------------------------------------------

    def _opener(self) -> TransportOpener:
        return PortOpener(self._backend) if isinstance(self._backend, SerialBackend) else self._backend

    def _new_session(self) -> Session:
        return Session(
            self._ask,
            self._dialect,
            self._voice,
            self._snapshot,
            self._care,
            self._sink,
            self._message_sink,
            self._timings,
        )

    async def _serve(self, lost: asyncio.Future[None]) -> None:
        running = asyncio.create_task(self._session.run(), name=f"modem {self._ports.usb_path}")
        try:
            done, _ = await asyncio.wait((lost, running), return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _close(self) -> None:
        self._session.lost(PortLostError("the port was closed"))
        channel, self._channel = self._channel, None
        if channel is not None:
            self._last_channel = channel
            await channel.close()
        await self._session.close()
        if self._lost is not None and self._lost.done():
            self._lost.exception()
        self._session = self._new_session()

    async def _ask(self, command: AtCommand, on_written: Callable[[], None] | None = None) -> tuple[str, ...]:
        if self._channel is None:
            raise PortLostError(f"modem {self._ports.usb_path} is not open")
        return await self._channel.run(command, on_written)

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

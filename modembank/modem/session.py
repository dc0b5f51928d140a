"""One modem from the opening of its port to its loss: brought up, tended, listened to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from modembank.at.calls import Evidence, read_call_urc
from modembank.at.identity import SimStatus
from modembank.at.network import read_registration
from modembank.dialects import Dialect
from modembank.errors import AtError, AtSyntaxError, ModembankError, ModemError, NoVoiceError
from modembank.modem import bringup
from modembank.modem.ask import Ask
from modembank.modem.calls import CallControl
from modembank.modem.events import MessageSink, ModemSink
from modembank.modem.info import ModemState
from modembank.modem.messages import Messages
from modembank.modem.sim_care import SimCare
from modembank.modem.snapshot import Snapshot
from modembank.modem.timings import ModemTimings
from modembank.modem.ussd import Ussd
from modembank.modem.voice import VoiceSwitch

_log = logging.getLogger(__name__)


NO_SOUND = "calls have no sound: the settings name no sound card for this modem"


class Session:
    """The parts of a modem that live as long as its port is open, and what joins them."""

    def __init__(
        self,
        ask: Ask,
        dialect: Dialect,
        voice: VoiceSwitch,
        snapshot: Snapshot,
        care: SimCare,
        sink: ModemSink,
        messages: MessageSink | None,
        timings: ModemTimings,
    ) -> None:
        self._ask = ask
        self._dialect = dialect
        self._snapshot = snapshot
        self._care = care
        self._sink = sink
        self._timings = timings
        radio = asyncio.Lock()
        self.calls = CallControl(ask, dialect, voice, sink, timings, snapshot.refresh)
        self.messages = Messages(ask, dialect.message_stores, messages, radio, self.in_call)
        self.ussd = Ussd(ask, dialect.ussd, messages, radio, self.in_call, timings)
        self._attention = asyncio.Event()
        self._restart = False

    def in_call(self) -> bool:
        """Whether there is a call whose release has not been told."""
        return self.calls.busy

    async def run(self) -> None:
        """Bring the modem up and tend it until cancelled. Raises PortLostError."""
        tasks = [asyncio.create_task(self._tend(), name="tend"), asyncio.create_task(self.calls.watch(), name="watch")]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def lost(self, error: ModembankError) -> None:
        """The port is gone: a call and a USSD session are over."""
        self.calls.end(Evidence.PORT_LOST)
        self.ussd.end(error)

    async def close(self) -> None:
        """Wait until all is told; the channel is closed, so that what still runs ends by itself."""
        await self.calls.close()
        await self.ussd.close()

    def look_again(self) -> None:
        """Something happened to the card: it is read again, and what was read of it counts no more."""
        self._snapshot.doubt_sim()
        self.messages.forget()
        self._attention.set()

    def look_around(self) -> None:
        """Registration and operator are read again soon."""
        self._attention.set()

    def set_up_again(self) -> None:
        """The modem has lost its settings, or may have."""
        self._restart = True
        self._snapshot.starting()
        self._attention.set()

    def hear(self, line: str) -> None:
        """One unsolicited line."""
        try:
            self._sort(line)
        except AtSyntaxError as error:
            _log.info("a URC that does not follow its manual: %s", error)

    # ---- life -----------------------------------------------------------------------------------------------

    async def _tend(self) -> None:
        while True:
            try:
                await self._bring_up()
                while not self._restart:
                    await self._wait_for_attention()
                    if not self._restart:
                        await self._look_again()
            except AtError as error:
                _log.warning("modem %s: %s; starting over", self._snapshot.info.usb_path, error)
                await asyncio.sleep(self._timings.sim_busy_s)

    async def _bring_up(self) -> None:
        self._snapshot.starting()
        self.messages.forget()
        if self._restart:
            self._restart = False
            await asyncio.sleep(self._timings.boot_quiet_s)
        await bringup.wake(self._ask)
        self._snapshot.set_identity(await bringup.read_identity(self._ask))
        refused = await bringup.apply_settings(self._ask, self._dialect)
        self.calls.blind = not await bringup.enable_call_events(self._ask, self._dialect)
        await self._prove_voice(f"refused: {', '.join(refused)}" if refused else "")
        await self._look_again()
        if not self._restart:
            self._snapshot.started()

    async def _prove_voice(self, fault: str) -> None:
        if not self.calls.voice.exists:
            self._snapshot.set_voice(False, fault)
            return
        if self.calls.voice.silent:
            self._snapshot.set_voice(True, fault, note=NO_SOUND)
            return
        try:
            await self.calls.voice.prove()
        except NoVoiceError as error:
            self._snapshot.set_voice(False, str(error))
        else:
            voice = self.calls.voice
            if voice.note:
                _log.warning("%s: %s", self._snapshot.info.usb_path, voice.note)
            self._snapshot.set_voice(True, fault, voice.note, voice.place)

    async def _look_again(self) -> None:
        """Read what may have changed: the SIM if in doubt, registration, operator and signal."""
        if self._snapshot.sim is not SimStatus.READY:
            await self._look_at_sim()
        self._snapshot.set_network(await bringup.read_network(self._ask))

    async def _look_at_sim(self) -> None:
        status = await bringup.read_sim(self._ask, self._timings)
        card, lock = bringup.NO_CARD, None
        if status is SimStatus.READY:
            card = await bringup.read_card(self._ask, self._dialect)
        elif status is SimStatus.LOCKED:
            lock = await self._care.read()
            card = await bringup.read_locked_card(self._ask, self._dialect)
        self._care.saw(status, card.iccid)
        self._snapshot.set_sim(status, card, lock)
        if status is SimStatus.READY:
            await self.messages.prepare()

    async def _wait_for_attention(self) -> None:
        ready = self._snapshot.info.state in {ModemState.READY, ModemState.IN_CALL}
        period_s = self._timings.liveness_s if ready else self._timings.unready_s
        period_s *= 1 + random.uniform(-self._timings.jitter, self._timings.jitter)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(period_s):
                await self._attention.wait()
        self._attention.clear()

    # ---- what it hears --------------------------------------------------------------------------------------

    def _sort(self, line: str) -> None:
        dialect = self._dialect
        indication = dialect.read_indication(line) or read_call_urc(line)
        if indication is not None:
            self.calls.observe(indication)
        elif (digit := dialect.read_dtmf(line)) is not None:
            self._sink.dtmf_received(digit)
        elif (flow := dialect.read_audio_flow(line)) is not None:
            self._sink.audio_flow(flow)
        elif (rssi_dbm := dialect.read_signal(line)) is not None:
            self._snapshot.set_signal(rssi_dbm)
        elif self.messages.heard(line) or self.ussd.heard(line):
            return
        elif line.startswith(("+CREG:", "+CEREG:")):
            self._heard_registration(line)
        elif line.startswith(dialect.sim_events):
            self.look_again()
        elif line in dialect.boot_events:
            self._heard_boot()

    def _heard_registration(self, line: str) -> None:
        report = read_registration(line)
        if not report.registration.carries_voice and report.domain == "CREG":
            self._snapshot.set_registration(report.registration)  # bad news at once; both domains are asked soon
        self._attention.set()

    def _heard_boot(self) -> None:
        _log.info("modem %s has restarted", self._snapshot.info.usb_path)
        self.calls.end(Evidence.RESET)
        self.ussd.end(ModemError("the modem restarted"))
        self.set_up_again()

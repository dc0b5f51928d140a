"""The other end of the seam, played by a test: a host that takes commands and tells what the test wants told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from modembank.bus.bus import InProcessBus, refused
from modembank.bus.commands import (
    AddCandidate,
    Answer,
    AnyCommand,
    AnyReply,
    AtReply,
    Attach,
    CancelUssd,
    ConfirmMessages,
    Dial,
    Done,
    HangUp,
    HostSnapshot,
    ReadTrace,
    RunAt,
    RunUssd,
    SdpAnswer,
    SendDtmf,
    SetHeld,
    SetMuted,
    Snapshot,
    SubmitPdu,
    Submitted,
    Trace,
    TraceLine,
    UssdAnswer,
)
from modembank.bus.events import (
    CallAnswered,
    CallDialing,
    CallDtmf,
    CallEnded,
    CallHeld,
    CallLevels,
    CallMuted,
    CallRinging,
    CallSnapshot,
    HostStarted,
    IncomingCall,
    ModemChanged,
    ModemSnapshot,
)
from modembank.bus.vocabulary import CallStatus, Cause, HangupSource, ModemState, SubmitOutcome, UssdOutcome

HOST_ID = "host_scripted"


@dataclass
class ScriptedCall:
    """A call on this host. Times of its events count up by themselves."""

    call_id: str
    usb_path: str
    iccid: str
    status: CallStatus
    sequence: int = 0
    answered: bool = False


def modem(number: int) -> ModemSnapshot:
    """A ready modem with a SIM; each number its own."""
    return ModemSnapshot(
        usb_path=f"1-1.{number}",
        dialect="quectel-ec25",
        state=ModemState.READY,
        manufacturer="Quectel",
        model="EC25",
        imei=f"86000000{number:07d}",
        iccid=f"894400000000{number:07d}",
        imsi=f"00101{number:010d}",
        number=f"+447700900{number:03d}",
        registration="home",
        operator="Test PLMN",
        plmn="00101",
        access="LTE",
        rssi_dbm=-71,
        voice=True,
        at_port=f"/dev/ttyUSB{4 * number + 2}",
        audio_port=f"/dev/ttyUSB{4 * number + 1}",
    )


@dataclass
class ScriptedHost:
    """Serves one host id on a bus; `commands` is what it was asked."""

    bus: InProcessBus
    modems: list[ModemSnapshot]
    commands: list[AnyCommand] = field(default_factory=list)
    calls: dict[str, ScriptedCall] = field(default_factory=dict)
    references: int = 0
    gates: dict[type, asyncio.Event] = field(default_factory=lambda: defaultdict(_open_gate))

    def start(self) -> None:
        """Serve, and tell of the modems."""
        self.bus.serve(HOST_ID, self._handle)
        self.bus.publish(HostStarted(host_id=HOST_ID, at=_now()))
        for snapshot in self.modems:
            self.bus.publish(ModemChanged(host_id=HOST_ID, at=_now(), modem=snapshot))

    def hold_back(self, kind: type) -> asyncio.Event:
        """Answer no command of this kind until the result is set."""
        self.gates[kind] = asyncio.Event()
        return self.gates[kind]

    def ring(self, call_id: str) -> None:
        """The remote phone rings."""
        call = self._advance(call_id, CallStatus.RINGING)
        self.bus.publish(CallRinging(**_of(call), evidence="+CLCC stat 3"))

    def pick_up(self, call_id: str) -> None:
        """The remote person picks up."""
        call = self._advance(call_id, CallStatus.IN_PROGRESS)
        call.answered = True
        self.bus.publish(CallAnswered(**_of(call), evidence="+CLCC stat 0"))

    def level(self, call_id: str, dbfs: float) -> None:
        """A level meter."""
        call = self._advance(call_id, None)
        self.bus.publish(CallLevels(**_of(call), to_far_dbfs=dbfs, from_far_dbfs=dbfs))

    def end(self, call_id: str, source: HangupSource, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """The GSM call is over."""
        call = self.calls.pop(call_id)
        call.sequence += 1
        status = CallStatus.COMPLETED if call.answered else CallStatus.CANCELED
        self.bus.publish(
            CallEnded(
                **_of(call),
                status=status,
                source=source,
                cause=cause,
                q850=16,
                detail="scripted",
                duration_s=1.5 if call.answered else 0.0,
                quality=None,
            )
        )

    def incoming(self, call_id: str, snapshot: ModemSnapshot, number: str | None) -> None:
        """A modem rings."""
        assert snapshot.iccid is not None
        call = ScriptedCall(call_id, snapshot.usb_path, snapshot.iccid, CallStatus.RINGING, 1)
        self.calls[call_id] = call
        self.bus.publish(IncomingCall(**_of(call), usb_path=snapshot.usb_path, iccid=snapshot.iccid, number=number))

    def change(self, snapshot: ModemSnapshot, **changes: object) -> None:
        """Something of a modem changes."""
        changed = replace(snapshot, **changes)  # type: ignore[arg-type]  # the test knows the fields
        self.bus.publish(ModemChanged(host_id=HOST_ID, at=_now(), modem=changed))

    def asked(self, kind: type) -> list[AnyCommand]:
        """The commands of one kind."""
        return [command for command in self.commands if isinstance(command, kind)]

    def _advance(self, call_id: str, status: CallStatus | None) -> ScriptedCall:
        call = self.calls[call_id]
        call.sequence += 1
        call.status = status or call.status
        return call

    async def _handle(self, command: AnyCommand) -> AnyReply:
        self.commands.append(command)
        await self.gates[type(command)].wait()
        match command:
            case Dial():
                return self._dial(command)
            case Answer():
                return self._answer(command)
            case HangUp():
                if command.call_id in self.calls:
                    self.end(command.call_id, command.source, command.cause)
                return Done()
            case Attach():
                return _sdp(command.offer)
            case SendDtmf():
                for digit in command.digits:
                    call = self._advance(command.call_id, None)
                    self.bus.publish(CallDtmf(**_of(call), digit=digit, from_far=True))
                return Done()
            case SetMuted():
                call = self._advance(command.call_id, None)
                self.bus.publish(CallMuted(**_of(call), muted=command.muted))
                return Done()
            case SetHeld():
                call = self._advance(command.call_id, None)
                self.bus.publish(CallHeld(**_of(call), held=command.held))
                return Done()
            case RunAt():
                return AtReply(lines=("+CSQ: 21,99", "OK"))
            case ReadTrace():
                line = TraceLine(at="2026-11-22T15:00:00.000001Z", out=True, text="AT+CSQ")
                return Trace(lines=(line,) * min(command.limit, 3))
            case Snapshot():
                return self._snapshot()
            case SubmitPdu():
                self.references += 1
                return Submitted(outcome=SubmitOutcome.TAKEN, reference=self.references)
            case RunUssd():
                return UssdAnswer(outcome=UssdOutcome.DONE, text="Your balance is £12.34.", raw="raw", dcs=15)
            case AddCandidate() | ConfirmMessages() | CancelUssd():
                return Done()

    def _dial(self, command: Dial) -> AnyReply:
        reply = _sdp(command.offer) if command.offer is not None else Done()
        if isinstance(reply, SdpAnswer | Done):
            call = ScriptedCall(command.call_id, command.usb_path, command.iccid, CallStatus.DIALING, 1)
            self.calls[command.call_id] = call
            self.bus.publish(CallDialing(**_of(call)))
        return reply

    def _answer(self, command: Answer) -> AnyReply:
        reply = _sdp(command.offer) if command.offer is not None else Done()
        self.pick_up(command.call_id)
        return reply

    def _snapshot(self) -> HostSnapshot:
        calls = tuple(
            CallSnapshot(call_id=call.call_id, usb_path=call.usb_path, iccid=call.iccid, status=call.status)
            for call in self.calls.values()
        )
        return HostSnapshot(host_id=HOST_ID, modems=tuple(self.modems), calls=calls)


def _sdp(offer: str) -> AnyReply:
    """Answer what looks like an offer with audio."""
    if "m=audio" not in offer:
        return refused("invalid_offer", "the offer has no audio section")
    return SdpAnswer(sdp=offer.replace("a=setup:actpass", "a=setup:active"))


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


def _of(call: ScriptedCall) -> dict[str, object]:
    return {"host_id": HOST_ID, "at": _now(), "call_id": call.call_id, "sequence": call.sequence}


def _now() -> datetime:
    return datetime.now(UTC)

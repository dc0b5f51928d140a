"""What the bank asks of a host. Each command is a small frozen record that can be serialised.

`command_id` makes a command idempotent: a host executes one id once. `deadline_s` is relative, so that two clocks
need not agree: the host refuses a command that it could not start within it. Commands that act on a SIM carry the
epoch of the claim; the host refuses one that is older than the newest it has seen for that ICCID.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modembank.bus.events import CallSnapshot, ForwardedTo, ModemSnapshot
from modembank.bus.vocabulary import Cause, HangupSource, SubmitOutcome, UssdOutcome
from modembank.ids import new_id


def _command_id() -> str:
    return new_id("cmd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Common to all commands."""

    command_id: str = field(default_factory=_command_id)
    deadline_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Command):
    """Start an outbound call. The call row and the SIM's claim are committed before this is sent (I9)."""

    call_id: str
    usb_path: str
    iccid: str
    epoch: int
    number: str  # E.164 with +, or an allow-listed short code; checked again before ATD
    timeout_s: float  # from ATD to answer
    max_duration_s: float  # from answer to forced release
    offer: str | None = None  # SDP of the far side; None: attached later or never
    media_first: bool = False  # wait for the far side's media before ATD


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Command):
    """Answer an incoming call; with an offer the far side is attached first."""

    call_id: str
    max_duration_s: float
    offer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp(Command):
    """End a call in any state; repeating it is harmless."""

    call_id: str
    source: HangupSource
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach(Command):
    """Join (or re-join) a far side: answered with `SdpAnswer`."""

    call_id: str
    offer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCandidate(Command):
    """One trickled ICE candidate (RFC 8838); `candidate` None ends them."""

    call_id: str
    candidate: str | None
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDtmf(Command):
    """Send digits 0-9 * # A-D towards the GSM side, one after the other."""

    call_id: str
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMuted(Command):
    """Silence the far side's voice towards the GSM side, or let it through again."""

    call_id: str
    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHeld(Command):
    """Put the GSM call on hold, or resume it (3GPP TS 22.030 call hold)."""

    call_id: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAt(Command):
    """Run one console command; the allow-list was checked by the sender and is checked again by the host."""

    usb_path: str
    line: str
    unrestricted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTrace(Command):
    """Read the newest lines of a modem's AT trace: masked, or as a transcript that still parses."""

    usb_path: str
    limit: int = 200
    transcript: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseModem(Command):
    """Take a modem out of quarantine now: a person has looked at it."""

    usb_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimCommand(Command):
    """Common to what is done to a card; refused when another one is in the modem."""

    usb_path: str
    iccid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterPin(SimCommand):
    """Try a PIN once, never with fewer than 3 tries left (I8)."""

    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterPuk(SimCommand):
    """Unblock the card at a person's wish; `tries_left` is what the person saw, and must be true."""

    puk: str = field(repr=False)
    pin: str = field(repr=False)
    tries_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadForwarding(SimCommand):
    """Ask the network where it forwards this SIM's voice calls; answered with `Forwardings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearForwarding(SimCommand):
    """Erase every forwarding and ask again; answered with `Forwardings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectOperator(SimCommand):
    """Register with one operator only, by PLMN; None lets the modem choose again."""

    plmn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Command):
    """Ask for everything the host runs now; answered with `HostSnapshot`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPdu(Command):
    """Hand one part of a message to the network, at most once; answered with `Submitted`.

    The part is committed as `sending` before this is sent: whatever becomes of us, it is never sent again.
    """

    usb_path: str
    iccid: str
    pdu: str  # hexadecimal, the service centre's address first
    length: int  # octets without that address


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmMessages(Command):
    """These messages are committed, or were before: the host may delete them (I3). Repeating it is harmless."""

    usb_path: str
    iccid: str
    digests: tuple[str, ...]  # of `ReadMessage`


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUssd(Command):
    """Send a code, or the answer to a menu; answered with `UssdAnswer`. The allow-list was checked by the sender."""

    usb_path: str
    iccid: str
    text: str
    answer: bool = False  # in the open session


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUssd(Command):
    """End the open USSD session; without one nothing happens."""

    usb_path: str
    iccid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The command was carried out."""

    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SdpAnswer:
    """The answer to an offer."""

    sdp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AtReply:
    """Information text and final result code of a console command."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """One line on the wire; `out` is towards the modem. `at` is RFC 3339 UTC with microseconds."""

    at: str
    out: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The newest lines of a modem's AT trace, oldest first."""

    lines: tuple[TraceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of one part. `reference` is the network's, for delivery reports; `cms` the number of +CMS ERROR."""

    outcome: SubmitOutcome
    reference: int | None = None
    cms: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdAnswer:
    """What the network said; `raw` is the modem's string as it came, None where there was none."""

    outcome: UssdOutcome
    text: str
    raw: str | None = None
    dcs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSnapshot:
    """All modems and calls of a host."""

    host_id: str
    modems: tuple[ModemSnapshot, ...]
    calls: tuple[CallSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwardings:
    """Where the network forwards a SIM's voice calls now."""

    active: tuple[ForwardedTo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The host did not carry the command out; `code` is the code of an error in `errors.py`."""

    code: str
    detail: str


AnyCommand = (
    Dial
    | Answer
    | HangUp
    | Attach
    | AddCandidate
    | SendDtmf
    | SetMuted
    | SetHeld
    | RunAt
    | ReadTrace
    | ReleaseModem
    | Snapshot
    | SubmitPdu
    | ConfirmMessages
    | RunUssd
    | CancelUssd
    | EnterPin
    | EnterPuk
    | ReadForwarding
    | ClearForwarding
    | SelectOperator
)
AnyReply = Done | SdpAnswer | AtReply | Trace | HostSnapshot | Submitted | UssdAnswer | Forwardings | Refused

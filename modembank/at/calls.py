"""What a modem says about calls, as records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from modembank.at.fields import read_fields, read_number, read_optional, read_text
from modembank.at.result import CALL_CODES
from modembank.errors import AtSyntaxError

VOICE_MODE = 0
CLCC_ENDED = 6  # SIMCom's, in URCs only
_WITHHELD = 1


class Direction(StrEnum):
    """Who called. MO: mobile originated; MT: mobile terminated."""

    MO = "mo"
    MT = "mt"


class ClccState(IntEnum):
    """`<stat>` of +CLCC. Source: 3GPP TS 27.007 section 7.18."""

    ACTIVE = 0
    HELD = 1
    DIALING = 2
    ALERTING = 3
    INCOMING = 4
    WAITING = 5


class CallKind(StrEnum):
    """What happened to a call."""

    DIALING = "dialing"
    ALERTING = "alerting"
    ANSWERED = "answered"
    HELD = "held"
    ACTIVE = "active"  # active again after hold
    INCOMING = "incoming"
    WAITING = "waiting"
    RELEASED = "released"


class Evidence(StrEnum):
    """How we know."""

    ATD = "atd"
    RING = "ring"
    CLIP = "clip"
    CCWA = "ccwa"
    DSCI = "dsci"
    CCINFO = "ccinfo"
    CURC = "curc"  # Huawei's ^ORIG, ^CONF, ^CONN, ^CEND
    CLCC_URC = "clcc_urc"  # +CLCC that nobody asked for: SIMCom
    VOICE_CALL = "voice_call"  # SIMCom's VOICE CALL: BEGIN and END
    CLCC = "clcc"
    FINAL = "final_result_code"
    DEADLINE = "deadline"
    RESET = "modem_reset"
    PORT_LOST = "port_lost"


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """One `+CLCC` line. Source: 3GPP TS 27.007 section 7.18."""

    index: int
    direction: Direction
    state: ClccState
    mode: int
    number: str | None


@dataclass(frozen=True, slots=True)
class Indication:
    """One URC about one call; `index` identifies a call among those of the same evidence only."""

    kind: CallKind
    evidence: Evidence
    index: int | None = None
    direction: Direction | None = None
    number: str | None = None
    network_tone: bool | None = None
    code: str | None = None  # the final result code behind evidence FINAL
    q850: int | None = None  # the network's cause, where the URC tells it


def read_direction(number: int) -> Direction:
    """`<dir>`: 0 MO, 1 MT. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 7.18."""
    if number not in (0, 1):
        raise AtSyntaxError(f"{number} is no call direction")
    return Direction.MT if number else Direction.MO


def read_clcc(line: str) -> CurrentCall:
    """One `+CLCC` line of any mode. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 7.18."""
    fields = read_fields(line, "+CLCC:")
    try:
        state = ClccState(read_number(fields, 2))
    except ValueError:
        raise AtSyntaxError("an unknown call state in +CLCC") from None
    direction = read_direction(read_number(fields, 1))
    return CurrentCall(read_number(fields, 0), direction, state, read_number(fields, 3), read_text(fields, 5))


def read_voice_calls(info: tuple[str, ...]) -> tuple[CurrentCall, ...]:
    """The voice calls of a `+CLCC` answer; LTE modems list their data bearer among them. Raises AtSyntaxError.

    SIMCom's URCs of the same name may stand inside the answer: the last line about a call counts, and 6 ends it.
    """
    calls: dict[int, CurrentCall] = {}
    for line in info:
        fields = read_fields(line, "+CLCC:")
        if read_number(fields, 2) == CLCC_ENDED:
            calls.pop(read_number(fields, 0), None)
        else:
            call = read_clcc(line)
            calls[call.index] = call
    return tuple(call for call in calls.values() if call.mode == VOICE_MODE)


def read_clip(line: str) -> str | None:
    """The caller's number, None when withheld. Raises AtSyntaxError. Source: 3GPP TS 27.007 section 7.6."""
    fields = read_fields(line, "+CLIP:")
    return None if read_optional(fields, 5) == _WITHHELD else read_text(fields, 0)


def read_call_urc(line: str) -> Indication | None:
    """The standard's call URCs, those with no call index; None for anything else."""
    if line == "RING" or line.startswith("+CRING: VOICE"):
        return Indication(CallKind.INCOMING, Evidence.RING, direction=Direction.MT)
    if line.startswith("+CLIP:"):
        return Indication(CallKind.INCOMING, Evidence.CLIP, direction=Direction.MT, number=read_clip(line))
    if line.startswith("+CCWA:"):
        number = read_text(read_fields(line, "+CCWA:"), 0)
        return Indication(CallKind.WAITING, Evidence.CCWA, direction=Direction.MT, number=number)
    if line in CALL_CODES:
        return Indication(CallKind.RELEASED, Evidence.FINAL, code=line)
    return None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a call ended; `q850` when the modem told a number or a text we know.

    `blacklisted`: the modem refused the number by itself, see `BlacklistSigns`.
    """

    q850: int | None
    text: str
    blacklisted: bool = False


BLACKLISTED = Cause(None, "the modem refuses this number for a while, after too many failed tries", blacklisted=True)


@dataclass(frozen=True, slots=True)
class BlacklistSigns:
    """How a modem says that it refuses a number by itself after too many failed tries.

    `codes` are final result codes, `reports` what a `+CEER` line begins with after its name, or any part of its text.
    Source: GSM 02.07 annex A, now 3GPP TS 22.001: after failed tries a number waits, and in the end is blacklisted.
    """

    codes: frozenset[str]
    reports: tuple[str, ...] = ()
    texts: tuple[str, ...] = ("blacklist", "black list")

    def in_code(self, code: str | None) -> bool:
        """Whether this final result code says it."""
        return code in self.codes

    def in_report(self, line: str) -> bool:
        """Whether this `+CEER` line says it."""
        text = line.partition(":")[2].replace(" ", "").lower()
        plain = any(sign.replace(" ", "") in text for sign in self.texts)
        return plain or any(text == sign or text.startswith(f"{sign},") for sign in self.reports)


# Source: Bluetooth HFP section 4.34.2 (codes); Cinterion BGS2 AT manual, +CEER, proprietary causes of call control:
# 14 blacklisted in the auto-call retry list, 15 that list is full, 16 redial before the minimum time has elapsed.
BLACKLIST_SIGNS = BlacklistSigns(frozenset({"BLACKLISTED", "DELAYED"}), reports=("9,14", "9,15", "9,16"))


# Source: 3GPP TS 24.008 table 10.5.123 (the numbers agree with ITU-T Q.850).
CAUSES = {
    1: "unassigned number", 3: "no route to destination", 6: "channel unacceptable", 8: "operator determined barring",
    16: "normal call clearing", 17: "user busy", 18: "no user responding", 19: "user alerting, no answer",
    21: "call rejected", 22: "number changed", 25: "pre-emption", 26: "non selected user clearing",
    27: "destination out of order", 28: "invalid number format", 29: "facility rejected",
    30: "response to status enquiry", 31: "normal, unspecified", 34: "no circuit/channel available",
    38: "network out of order", 41: "temporary failure", 42: "switching equipment congestion",
    43: "access information discarded", 44: "requested circuit/channel not available",
    47: "resources unavailable", 49: "quality of service unavailable", 50: "requested facility not subscribed",
    55: "incoming calls barred within the cug", 57: "bearer capability not authorized",
    58: "bearer capability not presently available", 63: "service or option not available",
    65: "bearer service not implemented", 68: "acm equal to or greater than acmmax",
    69: "requested facility not implemented", 70: "only restricted digital information bearer capability available",
    79: "service or option not implemented", 81: "invalid transaction identifier value", 87: "user not member of cug",
    88: "incompatible destination", 91: "invalid transit network selection", 95: "semantically incorrect message",
    96: "invalid mandatory information", 97: "message type non-existent or not implemented",
    98: "message type not compatible with protocol state", 99: "information element non-existent",
    100: "conditional ie error", 101: "message not compatible with protocol state",
    102: "recovery on timer expiry", 111: "protocol error, unspecified", 127: "interworking, unspecified",
}  # fmt: skip
_BY_TEXT = {text: number for number, text in CAUSES.items()} | {
    "normal clearing": 16, "busy": 17, "no answer": 19, "user alerting no answer": 19, "rejected": 21,
    "unassigned (unallocated) number": 1, "switching equipment congestion": 42, "normal unspecified": 31,
}  # fmt: skip
_CODES = {"BUSY": 17, "NO ANSWER": 19}
_NOTHING = {"no cause information available", "no report available", ""}


def read_ceer(line: str) -> Cause | None:
    """The cause of the last release, None when the modem knows none. Raises AtSyntaxError.

    Firmware writes a text, a number or both, in any order; the last number that 24.008 lists is the cause.
    Source: 3GPP TS 27.007 section 6.10 (free text); TS 24.008 table 10.5.123.
    """
    fields = read_fields(line, "+CEER:")
    numbers = [int(field) for field in fields if re.fullmatch(r"[0-9]{1,3}", field)]
    text = ", ".join(field for field in fields if field and not re.fullmatch(r"-?[0-9]+", field))
    known = [number for number in numbers if number in CAUSES]
    cause = _BY_TEXT.get(text.lower(), known[-1] if known else None)
    if cause is None:
        return None if text.lower() in _NOTHING else Cause(None, text)
    return Cause(cause, text or CAUSES[cause])


def cause_of(q850: int) -> Cause:
    """The cause behind a number of the network's."""
    return Cause(q850, CAUSES.get(q850, f"cause {q850}"))


def read_call_code(code: str) -> Cause:
    """The cause behind BUSY, NO ANSWER, NO CARRIER. Source: ITU-T V.250 table 1."""
    number = _CODES.get(code)
    return Cause(number, CAUSES[number] if number is not None else code.lower())

"""Call forwarding as the network keeps it. Pure. Source: 3GPP TS 27.007 section 7.11 (+CCFC), TS 22.082."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from modembank.at.command import AtCommand, RetryClass
from modembank.at.fields import read_fields, read_number, read_optional, read_text

NETWORK_S = 40.0  # the network is asked, not the card
_VOICE = 1  # bit of `<class>`


class ForwardingReason(StrEnum):
    """`<reason>`, in the order of its numbers."""

    UNCONDITIONAL = "unconditional"
    BUSY = "busy"
    NO_REPLY = "no_reply"
    NOT_REACHABLE = "not_reachable"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Voice calls that are sent elsewhere. `number` is None where the network does not tell it."""

    reason: ForwardingReason
    number: str | None


def query(reason: ForwardingReason) -> AtCommand:
    """`+CCFC=<reason>,2`."""
    return AtCommand(f"+CCFC={list(ForwardingReason).index(reason)},2", "+CCFC:", timeout_s=NETWORK_S)


def erase(reason: ForwardingReason) -> AtCommand:
    """`+CCFC=<reason>,4`: voice, data and fax of this reason are forwarded no more."""
    index = list(ForwardingReason).index(reason)
    return AtCommand(f"+CCFC={index},4", timeout_s=NETWORK_S, retry=RetryClass.ONCE)


def read_forwarding(lines: tuple[str, ...], reason: ForwardingReason) -> Forwarding | None:
    """What is active for voice among `+CCFC: <status>,<class>[,<number>,…]`, None for nothing. Raises AtSyntaxError.

    A network that names no class answers for all of them.
    """
    for line in lines:
        fields = read_fields(line, "+CCFC:")
        kinds = read_optional(fields, 1)
        if read_number(fields, 0) == 1 and (kinds is None or kinds & _VOICE):
            return Forwarding(reason, read_text(fields, 2))
    return None

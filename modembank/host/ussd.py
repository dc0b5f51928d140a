"""A driver's USSD reply in the words of the bus."""

from __future__ import annotations

from modembank.at.ussd import UssdReply
from modembank.bus.vocabulary import UssdOutcome
from modembank.dialects import get_dialect
from modembank.errors import SmsFormatError
from modembank.sms.ussd import Charset, UssdForm, decode_ussd

_CHARSETS = {charset.value: charset for charset in Charset}


def outcome_of(reply: UssdReply) -> UssdOutcome:
    """Return `<m>` in words; both lists stand in the standard's order."""
    return tuple(UssdOutcome)[reply.m]


def text_of(reply: UssdReply, dialect: str) -> str:
    """Return what the network wrote, empty when nothing; the string as it came where it follows no rule."""
    if reply.raw is None:
        return ""
    charset = _CHARSETS.get(reply.charset or "", Charset.IRA)
    packs = get_dialect(dialect).ussd is UssdForm.PACKED
    try:
        return decode_ussd(reply.raw, reply.dcs, charset=charset, packs=packs).text
    except SmsFormatError:
        return reply.raw

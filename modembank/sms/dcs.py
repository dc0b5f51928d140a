"""Data coding schemes: of SMS, and of cell broadcast, which USSD uses too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from modembank.errors import SmsFormatError


class Encoding(StrEnum):
    """What the user data is made of."""

    GSM7 = "gsm7"
    OCTETS = "octets"
    UCS2 = "ucs2"


class MessageClass(IntEnum):
    """Message class; 0 is shown at once and not stored ("flash"). Source: 3GPP TS 23.038 section 4."""

    FLASH = 0
    MODEM = 1
    SIM = 2
    TERMINAL = 3


class Waiting(StrEnum):
    """Of what kind the waiting messages are. Source: 3GPP TS 23.038 section 4."""

    VOICEMAIL = "voicemail"
    FAX = "fax"
    EMAIL = "email"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Coding:
    """The meaning of a data coding scheme octet."""

    encoding: Encoding
    message_class: MessageClass | None = None
    compressed: bool = False
    delete_after_reading: bool = False
    waiting: Waiting | None = None
    waiting_active: bool = False
    language_prefix: bool = False  # cell broadcast only: the text starts with a language
    has_header: bool = False  # cell broadcast only: the text starts with a user data header


_CHARACTER_SETS = (Encoding.GSM7, Encoding.OCTETS, Encoding.UCS2, Encoding.GSM7)  # the last is reserved
_CODES = {Encoding.GSM7: 0x00, Encoding.OCTETS: 0x04, Encoding.UCS2: 0x08}
_HAS_CLASS = 0x10
_COMPRESSED = 0x20


def read_sms_dcs(dcs: int) -> Coding:
    """TP-DCS; reserved values mean the GSM 7 bit default alphabet. Source: 3GPP TS 23.038 section 4."""
    group = dcs >> 4
    if group <= 0x7:
        return _general(dcs, delete_after_reading=group >= 0x4)
    if group in (0xC, 0xD, 0xE):
        encoding = Encoding.UCS2 if group == 0xE else Encoding.GSM7
        waiting = tuple(Waiting)[dcs & 0x03]
        return Coding(encoding, waiting=waiting, waiting_active=bool(dcs & 0x08), delete_after_reading=group == 0xC)
    if group == 0xF:
        return _with_class(dcs)
    return Coding(Encoding.GSM7)


def sms_dcs(encoding: Encoding, message_class: MessageClass | None = None) -> int:
    """TP-DCS of an uncompressed text. Source: 3GPP TS 23.038 section 4, general data coding group."""
    return _CODES[encoding] | (0 if message_class is None else _HAS_CLASS | message_class)


def read_cbs_dcs(dcs: int) -> Coding:
    """The data coding scheme of a USSD string; reserved values mean GSM 7 bit. Source: 3GPP TS 23.038 section 5.

    Raises:
        SmsFormatError: not an octet.
    """
    if not 0 <= dcs <= 0xFF:
        raise SmsFormatError(f"{dcs} is no data coding scheme")
    group = dcs >> 4
    if dcs in (0x10, 0x11):
        return Coding(Encoding.UCS2 if dcs == 0x11 else Encoding.GSM7, language_prefix=True)
    if 0x4 <= group <= 0x7:
        return _general(dcs, delete_after_reading=False)
    if group == 0x9:
        return Coding(_CHARACTER_SETS[dcs >> 2 & 0x03], MessageClass(dcs & 0x03), has_header=True)
    if group == 0xF:
        return _with_class(dcs)
    return Coding(Encoding.GSM7)


def _general(dcs: int, delete_after_reading: bool) -> Coding:
    message_class = MessageClass(dcs & 0x03) if dcs & _HAS_CLASS else None
    return Coding(_CHARACTER_SETS[dcs >> 2 & 0x03], message_class, bool(dcs & _COMPRESSED), delete_after_reading)


def _with_class(dcs: int) -> Coding:
    return Coding(Encoding.OCTETS if dcs & 0x04 else Encoding.GSM7, MessageClass(dcs & 0x03))

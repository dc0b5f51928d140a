"""USSD texts: how a modem wants them in `AT+CUSD`, and what it means by a string of `+CUSD`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from modembank.errors import SmsFormatError
from modembank.sms import alphabet
from modembank.sms.dcs import Coding, Encoding, read_cbs_dcs

DCS_DEFAULT = 15  # GSM 7 bit, language unspecified
_MOST_OCTETS = 160  # a USSD string; 182 septets. Source: 3GPP TS 24.090 and TS 23.038 section 6.1.2.3
_LANGUAGE = re.compile(r"[A-Za-z]{2}\r")


class UssdForm(StrEnum):
    """How a modem writes a USSD string; a setting of its dialect."""

    PLAIN = "plain"  # the characters themselves
    UCS2 = "ucs2"  # UCS2 in hexadecimal whatever the dcs says: +CSCS="UCS2"
    PACKED = "packed"  # packed septets in hexadecimal whatever the dcs says: Huawei
    OCTETS = "octets"  # one octet per character in hexadecimal
    BY_DCS = "by_dcs"  # hexadecimal of what the dcs says
    AUTO = "auto"


class Charset(StrEnum):
    """The value of +CSCS that was set. Source: 3GPP TS 27.007 section 5.5."""

    GSM = "GSM"
    IRA = "IRA"
    UCS2 = "UCS2"


@dataclass(frozen=True, slots=True)
class UssdText:
    """The text, the raw string it came from and the form it was read as."""

    text: str
    raw: str
    form: UssdForm


def encode_ussd(code: str, form: UssdForm) -> str:
    """The string between the quotes of `AT+CUSD=1,"…",15`. Raises SmsFormatError.

    Args:
        code: a code such as `*100#`, or an answer to a menu.
        form: PLAIN, UCS2 or PACKED.

    Source: 3GPP TS 27.007 section 7.15; TS 23.038 section 6.1.2.3.
    """
    septets = alphabet.encode(code)
    packed = alphabet.pack_ussd(septets)
    if not code or len(packed) > _MOST_OCTETS:
        raise SmsFormatError("a USSD string has 1 to 182 characters")
    if form is UssdForm.PACKED:
        return packed.hex().upper()
    if form is UssdForm.UCS2:
        return code.encode("utf-16-be").hex().upper()
    if form is not UssdForm.PLAIN:
        raise SmsFormatError(f"no modem is sent a USSD string in the form {form}")
    if not code.isascii() or not code.isprintable() or '"' in code:
        raise SmsFormatError("a plain USSD string is printable ASCII without quotes")
    return code


def decode_ussd(
    raw: str,
    dcs: int | None,
    form: UssdForm = UssdForm.AUTO,
    *,
    charset: Charset = Charset.GSM,
    packs: bool = False,
) -> UssdText:
    """The text of a `+CUSD` string.

    Args:
        raw: what stood between the quotes.
        dcs: its data coding scheme; None where the modem gave none, which means 15.
        form: how this modem writes; AUTO looks at the string, the dcs, `charset` and `packs`.
        charset: the value of +CSCS.
        packs: whether this family is known to send packed septets.

    Raises:
        SmsFormatError: a form was given and the string does not follow it, or `dcs` is no octet.

    Source: 3GPP TS 23.038 section 5 and 6.1.2.3.
    """
    coding = read_cbs_dcs(DCS_DEFAULT if dcs is None else dcs)
    if form is UssdForm.AUTO:
        form = _recognise(raw, coding, charset, packs)
    return UssdText(_read(raw, coding, form, charset), raw, form)


def _recognise(raw: str, coding: Coding, charset: Charset, packs: bool) -> UssdForm:
    """Most certain first: the dcs, then the charset if the text is plausible, then what the family does."""
    if not raw or len(raw) % 2 or re.fullmatch(r"[0-9A-Fa-f]+", raw) is None:
        return UssdForm.PLAIN
    if coding.encoding is Encoding.UCS2 and len(raw) % 4 == 0:
        return UssdForm.BY_DCS
    if charset is Charset.UCS2 and len(raw) % 4 == 0 and _is_plausible(bytes.fromhex(raw)):
        return UssdForm.UCS2
    if coding.encoding is Encoding.OCTETS:
        return UssdForm.BY_DCS
    return UssdForm.PACKED if packs else UssdForm.PLAIN


def _is_plausible(octets: bytes) -> bool:
    """Whether UTF-16BE gives characters that people write."""
    text = octets.decode("utf-16-be", errors="replace")
    return not any(
        char == "\ufffd" or (unicodedata.category(char) in ("Cn", "Co", "Cc") and char not in "\n\r\t") for char in text
    )


def _read(raw: str, coding: Coding, form: UssdForm, charset: Charset) -> str:
    if form is UssdForm.PLAIN:
        text = _gsm_controls(raw) if charset is Charset.GSM else raw
        return _without_language(text, coding)
    octets = _hex(raw)
    encoding = coding.encoding if form is UssdForm.BY_DCS else _ENCODINGS[form]
    if encoding is Encoding.UCS2:
        # With dcs 0x11, two octets of packed language come first.
        cut = 2 if form is UssdForm.BY_DCS and coding.language_prefix else 0
        return octets[cut:].decode("utf-16-be", errors="replace")
    if encoding is Encoding.OCTETS:
        return octets.decode("latin-1")
    return _without_language(alphabet.decode(alphabet.unpack_ussd(octets)), coding)


_ENCODINGS = {UssdForm.UCS2: Encoding.UCS2, UssdForm.PACKED: Encoding.GSM7, UssdForm.OCTETS: Encoding.OCTETS}


def _hex(raw: str) -> bytes:
    try:
        return bytes.fromhex(raw)
    except ValueError:
        raise SmsFormatError("this USSD string is not hexadecimal") from None


def _without_language(text: str, coding: Coding) -> str:
    """With dcs 0x10, two letters of ISO 639 and CR come first. Source: 3GPP TS 23.038 section 5."""
    return text[3:] if coding.language_prefix and _LANGUAGE.match(text) else text


def _gsm_controls(raw: str) -> str:
    """Read control characters by the GSM alphabet: `$` comes as 0x02, `[` as an escape pair.

    The printable ones stay what they are: many modems write ASCII although the charset is "GSM".
    """
    return re.sub(r"\x1b[\x00-\x7f]|[\x00-\x1f]", lambda found: alphabet.decode(found[0].encode("ascii")), raw)

"""TP-User-Data: header and payload, packed and unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from modembank.errors import SmsFormatError
from modembank.sms.alphabet import Alphabet, decode, pack, unpack
from modembank.sms.dcs import Encoding, read_sms_dcs
from modembank.sms.octets import Octets
from modembank.sms.udh import NO_HEADER, Header, read_header, write_header

MOST_OCTETS = 140
MOST_SEPTETS = 160


@dataclass(frozen=True, slots=True)
class UserData:
    """What a person or program sent: `payload` is septets (one in each octet) for GSM 7, else octets."""

    encoding: Encoding
    payload: bytes
    header: Header = NO_HEADER
    compressed: bool = False  # the payload is then neither text nor data that we can read

    @property
    def text(self) -> str | None:
        """The text of this part alone; None for 8-bit and compressed data."""
        return join_text((self,))


def join_text(parts: Sequence[UserData]) -> str | None:
    """The text of parts in their order; None when one of them is 8-bit or compressed.

    Payloads are joined before they are decoded: other phones split escape and surrogate pairs between parts.
    A lone surrogate reads as U+FFFD, so that every text can be stored as UTF-8.
    """
    if any(part.compressed or part.encoding is Encoding.OCTETS for part in parts):
        return None
    runs = groupby(parts, key=lambda part: (part.encoding, part.header.alphabet))
    return "".join(
        _text(encoding, alphabet, b"".join(part.payload for part in run)) for (encoding, alphabet), run in runs
    )


def read_user_data(dcs: int, has_header: bool, octets: Octets) -> UserData:
    """TP-UDL and TP-UD. Raises SmsFormatError. Source: 3GPP TS 23.040 sections 9.2.3.16 and 9.2.3.24."""
    coding = read_sms_dcs(dcs)
    length = octets.byte("the user data length")
    in_septets = coding.encoding is Encoding.GSM7 and not coding.compressed
    field = octets.take((7 * length + 7) // 8 if in_septets else length, "the user data")
    header, header_octets = _split_header(field) if has_header else (NO_HEADER, 0)
    if not in_septets:
        return UserData(coding.encoding, field[header_octets:], header, coding.compressed)
    header_septets = _header_septets(header_octets)
    if header_septets > length:
        raise SmsFormatError("the user data header is longer than the user data")
    payload = unpack(field[header_octets:], length - header_septets, _fill_bits(header_octets))
    return UserData(coding.encoding, payload, header)


def write_user_data(data: UserData) -> bytes:
    """TP-UDL and TP-UD. Raises SmsFormatError: more than 140 octets."""
    header = write_header(data.header)
    if data.encoding is Encoding.GSM7 and not data.compressed:
        length = _header_septets(len(header)) + len(data.payload)
        field = header + pack(data.payload, _fill_bits(len(header)))
    else:
        field = header + data.payload
        length = len(field)
    if len(field) > MOST_OCTETS:
        raise SmsFormatError(f"user data of {len(field)} octets; an SMS carries at most {MOST_OCTETS}")
    return bytes((length,)) + field


def capacity(encoding: Encoding, header: Header) -> int:
    """How many septets or octets of payload fit beside this header. Raises SmsFormatError."""
    header_octets = len(write_header(header))
    if encoding is Encoding.GSM7:
        return MOST_SEPTETS - _header_septets(header_octets)
    return MOST_OCTETS - header_octets


def _text(encoding: Encoding, alphabet: Alphabet, payload: bytes) -> str:
    return decode(payload, alphabet) if encoding is Encoding.GSM7 else payload.decode("utf-16-be", errors="replace")


def _split_header(field: bytes) -> tuple[Header, int]:
    reader = Octets(field)
    length = reader.byte("the user data header length")
    return read_header(reader.take(length, "the user data header")), length + 1


def _header_septets(header_octets: int) -> int:
    return (8 * header_octets + 6) // 7


def _fill_bits(header_octets: int) -> int:
    """Zero bits between header and text, so that the text starts on a septet. Source: TS 23.040 section 9.2.3.24."""
    return -8 * header_octets % 7

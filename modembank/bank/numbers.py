"""What may reach `ATD`. A dial string can change the SIM's settings at the network (3GPP TS 27.007 section 6.2,
TS 22.030), so nothing but E.164 digits or an allow-listed service number passes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from modembank.config import CallSettings
from modembank.errors import DestinationRefusedError, EmergencyNumberError, InvalidNumberError, RequestError

# Source: ITU-T E.164 section 6.1, at most 15 digits; shorter than 7 there is no subscriber anywhere.
E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_WRITTEN = re.compile(r"\+?[0-9]{2,20}", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -.()/")
_LONGEST_INPUT = 40

# Known to every GSM phone or to every film; refused in each country. Source: 3GPP TS 22.101 section 10.1.
COMMON_EMERGENCY = frozenset({"112", "911", "999"})
# A phone takes these for emergency numbers too while it has no SIM of its own network's list: no short code may be one.
# Source: 3GPP TS 22.101 section 10.1.
_NO_SHORT_CODE = COMMON_EMERGENCY | {"000", "08", "110", "118", "119"}
# Satellite, shared-cost and premium networks without a country. Source: ITU-T E.164 list of assigned codes.
DENIED_PREFIXES = ("+870", "+878", "+881", "+882", "+883", "+888", "+979")


class NumberKind(StrEnum):
    """What sort of number it is."""

    SUBSCRIBER = "subscriber"
    SHORT_CODE = "short_code"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Dialable:
    """A checked number: E.164 with `+` for a subscriber, else bare digits."""

    number: str
    kind: NumberKind = NumberKind.SUBSCRIBER


def parse_dialable(raw: str, country: str, settings: CallSettings) -> Dialable:
    """Check what a person typed; national numbers are read as the bank's country writes them.

    Args:
        raw: digits with an optional leading `+` and the separators space - . ( ) /
        country: ISO 3166-1 code of the bank.

    Raises:
        InvalidNumberError: not a number.
        EmergencyNumberError: an emergency number, while they are switched off.
        DestinationRefusedError: a satellite or premium network.
    """
    digits = _digits(raw)
    if is_emergency(digits, country) or (digits in settings.short_codes and digits in _NO_SHORT_CODE):
        if not settings.emergency_numbers:
            raise EmergencyNumberError(
                "emergency numbers are refused; use a telephone, or read docs on calls.emergency_numbers"
            )
        return Dialable(digits.lstrip("+"), NumberKind.EMERGENCY)
    if digits in settings.short_codes:
        return Dialable(digits, NumberKind.SHORT_CODE)
    if digits.startswith(DENIED_PREFIXES):
        raise _denied()
    number = _e164(digits, country)
    if number.startswith(DENIED_PREFIXES):
        raise _denied()
    return Dialable(number)


def is_emergency(digits: str, country: str) -> bool:
    """Whether this is an emergency number in the country, or one of those known everywhere."""
    bare = digits.lstrip("+")
    return bare in COMMON_EMERGENCY or bool(phonenumbers.is_emergency_number(bare, country))


def caller_number(raw: str | None, country: str) -> str | None:
    """Return the number of an incoming call as E.164 where it can be, else as the network told it."""
    if not raw:
        return None
    try:
        return _e164(_digits(raw), country)
    except RequestError:
        return raw


def _digits(raw: str) -> str:
    if len(raw) > _LONGEST_INPUT:
        raise InvalidNumberError("a telephone number is at most 15 digits long")
    digits = raw.translate(_SEPARATORS)
    if not _WRITTEN.fullmatch(digits):
        raise InvalidNumberError("a telephone number is digits, at most one + in front, and separators - . ( ) /")
    return digits


def _e164(digits: str, country: str) -> str:
    try:
        parsed = phonenumbers.parse(digits, country)
    except NumberParseException:
        raise InvalidNumberError(f"this is no telephone number, seen from {country}; write it with +") from None
    number = str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    # Only the length is asked of the library: it calls ranges invalid that are not yet, or never, given out.
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    if number.startswith(DENIED_PREFIXES):
        raise _denied()
    if not possible or not E164.fullmatch(number):
        raise InvalidNumberError(
            f"this has not the length of a telephone number, seen from {country}; short service numbers "
            "must stand in calls.short_codes"
        )
    return number


def _denied() -> DestinationRefusedError:
    return DestinationRefusedError("satellite and international premium networks are refused")

"""Addresses, time stamps, coding schemes, headers, validity and causes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.errors import SmsFormatError
from modembank.sms.address import (
    Address,
    NumberType,
    address_of,
    read_address,
    read_service_centre,
    write_address,
    write_service_centre,
)
from modembank.sms.alphabet import DEFAULT, Alphabet
from modembank.sms.causes import CMS_CAUSES, Outcome, cms_words, delivery_outcome, delivery_words
from modembank.sms.dcs import Coding, Encoding, MessageClass, Waiting, read_cbs_dcs, read_sms_dcs, sms_dcs
from modembank.sms.national import Language
from modembank.sms.octets import Octets, read_hex
from modembank.sms.scts import TimeStamp, stamp
from modembank.sms.udh import (
    Concat,
    Element,
    Header,
    Ports,
    concat_element,
    read_header,
    shift_elements,
    write_header,
)
from modembank.sms.validity import (
    NO_VALIDITY,
    Format,
    Validity,
    absolute,
    read_relative,
    read_validity,
    relative,
    relative_octet,
    write_validity,
)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("+447700900901", "0C91447700099010"),
        ("+44770090090", "0B914477000990F0"),
        ("12345", "05812143F5"),
        ("*100#", "05811A00FB"),
        ("InfoSMS", "0DD049B7F93D6D4E01"),
        ("a", "02D061"),
    ],
)
def test_addresses_both_ways(text: str, octets: str) -> None:
    written = write_address(address_of(text))
    assert read_address(Octets(written)).text == text
    assert written.hex().upper() == octets


@given(st.text("0123456789*#", min_size=1, max_size=20), st.booleans())
def test_numbers_go_round(digits: str, international: bool) -> None:
    address = address_of("+" * international + digits)
    assert read_address(Octets(write_address(address))) == address
    assert read_service_centre(Octets(write_service_centre(address))) == address


@given(st.text("ABCabc xyz$@_é", min_size=1, max_size=11))
def test_names_go_round_without_an_at_sign_at_the_end(name: str) -> None:
    assert read_address(Octets(write_address(address_of(name)))) == Address(name, 0xD0)


@pytest.mark.parametrize("text", ["+", "+44x", "1" * 21, "TwelveLetter", "漢字", "+" + "1" * 21])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(SmsFormatError):
        address_of(text)


def test_a_national_number_has_no_plus() -> None:
    address = read_address(Octets(bytes.fromhex("0BA1704700909010")))
    assert (address.text, address.type) == ("07740009090", NumberType.NATIONAL)
    with pytest.raises(SmsFormatError, match="contradict"):
        write_address(Address("+447700900901", 0xA1))


def test_a_service_centre_is_a_number() -> None:
    assert write_service_centre(None) == b"\x00"
    assert read_service_centre(Octets(b"\x00")) is None
    with pytest.raises(SmsFormatError, match="is a number"):
        write_service_centre(Address("InfoSMS", 0xD0))


@pytest.mark.parametrize(
    ("octets", "at"),
    [
        ("20806291731408", datetime(2002, 8, 26, 19, 37, 41, tzinfo=UTC)),
        ("99309251619580", datetime(1999, 3, 29, 13, 16, 59, tzinfo=UTC)),
        ("07101000000000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("96211000000000", datetime(2069, 12, 1, tzinfo=UTC)),
        ("62212251619508", datetime(2026, 12, 22, 15, 16, 59, tzinfo=UTC)),
        ("6221225161958A", datetime(2026, 12, 22, 22, 16, 59, tzinfo=UTC)),  # west by 28 quarters
    ],
)
def test_time_stamps(octets: str, at: datetime) -> None:
    assert TimeStamp(bytes.fromhex(octets)).at == at


@pytest.mark.parametrize(
    "octets", ["00000000000000", "FFFFFFFFFFFFFF", "62312251619500", "6221225161", "622122516195F0"]
)
def test_what_is_no_date_is_none(octets: str) -> None:
    assert TimeStamp(bytes.fromhex(octets)).at is None


ZONES = st.integers(-79, 79).map(lambda quarters: timezone(quarters * timedelta(minutes=15)))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2069, 12, 31), timezones=ZONES))  # noqa: DTZ001 - bounds are naive
def test_times_go_round(at: datetime) -> None:
    at = at.replace(microsecond=0)
    read = stamp(at).at
    assert read == at
    assert read.utcoffset() == at.utcoffset()


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(SmsFormatError):
        stamp(datetime(2026, 11, 22))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("dcs", "coding"),
    [
        (0x00, Coding(Encoding.GSM7)),
        (0x04, Coding(Encoding.OCTETS)),
        (0x08, Coding(Encoding.UCS2)),
        (0x10, Coding(Encoding.GSM7, MessageClass.FLASH)),
        (0x18, Coding(Encoding.UCS2, MessageClass.FLASH)),
        (0x2A, Coding(Encoding.UCS2, compressed=True)),
        (0x48, Coding(Encoding.UCS2, delete_after_reading=True)),
        (0x84, Coding(Encoding.GSM7)),
        (0xC8, Coding(Encoding.GSM7, waiting=Waiting.VOICEMAIL, waiting_active=True, delete_after_reading=True)),
        (0xD1, Coding(Encoding.GSM7, waiting=Waiting.FAX)),
        (0xEA, Coding(Encoding.UCS2, waiting=Waiting.EMAIL, waiting_active=True)),
        (0xF0, Coding(Encoding.GSM7, MessageClass.FLASH)),
        (0xF7, Coding(Encoding.OCTETS, MessageClass.TERMINAL)),
    ],
)
def test_sms_coding(dcs: int, coding: Coding) -> None:
    assert read_sms_dcs(dcs) == coding


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("message_class", [None, *MessageClass])
def test_written_coding_is_read(encoding: Encoding, message_class: MessageClass | None) -> None:
    assert read_sms_dcs(sms_dcs(encoding, message_class)) == Coding(encoding, message_class)


@pytest.mark.parametrize(
    ("dcs", "coding"),
    [
        (0x0F, Coding(Encoding.GSM7)),
        (0x10, Coding(Encoding.GSM7, language_prefix=True)),
        (0x11, Coding(Encoding.UCS2, language_prefix=True)),
        (0x21, Coding(Encoding.GSM7)),
        (0x44, Coding(Encoding.OCTETS)),
        (0x48, Coding(Encoding.UCS2)),
        (0x58, Coding(Encoding.UCS2, MessageClass.FLASH)),
        (0x98, Coding(Encoding.UCS2, MessageClass.FLASH, has_header=True)),
        (0xF4, Coding(Encoding.OCTETS, MessageClass.FLASH)),
        (0xF1, Coding(Encoding.GSM7, MessageClass.MODEM)),
    ],
)
def test_ussd_coding(dcs: int, coding: Coding) -> None:
    assert read_cbs_dcs(dcs) == coding


def header(octets: str) -> Header:
    return read_header(bytes.fromhex(octets))


def test_headers() -> None:
    assert header("0003CC0201").concat == Concat(0xCC, 2, 1, 8)
    assert header("080412340301").concat == Concat(0x1234, 3, 1, 16)
    assert header("05040B8423F0").ports == Ports(0x0B84, 0x23F0)
    assert header("04020102").ports == Ports(1, 2)
    assert header("240101250103").alphabet == Alphabet(Language.PORTUGUESE, Language.TURKISH)
    assert header("").concat is None and header("").ports is None and header("").alphabet == DEFAULT


def test_of_repeated_elements_the_last_counts() -> None:
    assert header("0003CC0201080412340302").concat == Concat(0x1234, 3, 2, 16)


@pytest.mark.parametrize("octets", ["0003CC0200", "0003CC0203", "0003CC0000", "0002CC02"])
def test_a_concatenation_that_makes_no_sense_is_ignored(octets: str) -> None:
    assert header(octets).concat is None


@pytest.mark.parametrize("octets", ["2401FF", "250102", "2400"])
def test_an_unknown_language_is_ignored(octets: str) -> None:
    assert header(octets).alphabet == DEFAULT


def test_unknown_elements_are_kept() -> None:
    octets = bytes.fromhex("7003AABBCC0003CC0201")
    read = read_header(octets)
    assert read.elements[0] == Element(0x70, b"\xaa\xbb\xcc")
    assert write_header(read) == bytes((len(octets),)) + octets


def test_an_element_that_runs_past_the_end_is_refused() -> None:
    with pytest.raises(SmsFormatError, match="too early"):
        header("0009CC0201")


@pytest.mark.parametrize(
    "concat", [Concat(256, 2, 1), Concat(1, 256, 1), Concat(1, 2, 3), Concat(1, 2, 0), Concat(1, 2, 1, 4)]
)
def test_a_concatenation_that_does_not_fit_is_refused(concat: Concat) -> None:
    with pytest.raises(SmsFormatError):
        concat_element(concat)


def test_shift_elements_are_read_again() -> None:
    one = Alphabet(Language.HINDI, Language.SPANISH)
    assert Header(shift_elements(one)).alphabet == one
    assert shift_elements(DEFAULT) == ()


@pytest.mark.parametrize(
    ("octet", "period"),
    [
        (0, timedelta(minutes=5)),
        (143, timedelta(hours=12)),
        (144, timedelta(hours=12, minutes=30)),
        (167, timedelta(hours=24)),
        (168, timedelta(days=2)),
        (169, timedelta(days=3)),
        (196, timedelta(days=30)),
        (197, timedelta(weeks=5)),
        (255, timedelta(weeks=63)),
    ],
)
def test_relative_validity(octet: int, period: timedelta) -> None:
    assert read_relative(octet) == period
    assert relative_octet(period) == octet


def test_relative_validity_rounds_up() -> None:
    assert relative_octet(timedelta(minutes=6)) == 1
    assert relative(timedelta(days=31)).period == timedelta(weeks=5)
    for period in (timedelta(0), timedelta(weeks=63, seconds=1)):
        with pytest.raises(SmsFormatError):
            relative_octet(period)


@pytest.mark.parametrize(
    "validity",
    [
        NO_VALIDITY,
        relative(timedelta(days=1)),
        absolute(datetime(2026, 11, 22, 12, tzinfo=UTC)),
        Validity(Format.ENHANCED),
        Validity(Format.ENHANCED, timedelta(seconds=90), single_shot=True),
        Validity(Format.ENHANCED, timedelta(hours=71, minutes=59, seconds=58)),
        Validity(Format.ENHANCED, timedelta(days=30), single_shot=True),
    ],
)
def test_validity_goes_round(validity: Validity) -> None:
    assert read_validity(validity.format, Octets(write_validity(validity))) == validity


@pytest.mark.parametrize("octets", ["80000000000000", "04000000000000", "07000000000000"])
def test_reserved_validity_is_refused(octets: str) -> None:
    with pytest.raises(SmsFormatError):
        read_validity(Format.ENHANCED, Octets(bytes.fromhex(octets)))


@pytest.mark.parametrize("kind", [Format.RELATIVE, Format.ABSOLUTE])
def test_validity_without_its_value_is_refused(kind: Format) -> None:
    with pytest.raises(SmsFormatError, match="lacks"):
        write_validity(Validity(kind))


@pytest.mark.parametrize("text", ["", "0", "0G", "00 00", "é0", "0x00", "٠٠"])
def test_what_is_no_hexadecimal(text: str) -> None:
    with pytest.raises(SmsFormatError):
        read_hex(text)


@pytest.mark.parametrize(
    ("cms", "words"),
    [
        (21, "short message transfer rejected"),
        (208, "SIM SMS storage full"),
        (322, "memory full"),
        (331, "no network service"),
        (332, "network timeout"),
        (500, "unknown error"),
        (512, "error 512 of the modem's maker"),
        (399, "unknown error 399"),
    ],
)
def test_cms_errors_in_words(cms: int, words: str) -> None:
    assert cms_words(cms) == words


def test_every_cms_error_of_the_sheet_has_words() -> None:
    sheet = {1, 8, 10, 21, 27, 28, 29, 30, 38, 41, 42, 47, 50, 69, 81, *range(95, 100), 111, 127, 143, 159,
             *range(192, 197), 208, 211, *range(300, 306), *range(310, 319),
             320, 321, 322, 330, 331, 332, 340, 500}  # fmt: skip
    assert sheet <= set(CMS_CAUSES)


@pytest.mark.parametrize(
    ("first", "last", "outcome"),
    [
        (0x00, 0x1F, Outcome.DELIVERED),
        (0x20, 0x3F, Outcome.PENDING),
        (0x40, 0x7F, Outcome.FAILED),
        (0x80, 0xFF, Outcome.FAILED),
    ],
)
def test_delivery_outcomes(first: int, last: int, outcome: Outcome) -> None:
    assert {delivery_outcome(status) for status in range(first, last + 1)} == {outcome}


def test_delivery_words() -> None:
    assert delivery_words(0x46) == "validity period expired"
    assert delivery_words(0x31) == "still trying (status 49)"
    assert delivery_words(0xFF) == "gave up: service rejected"

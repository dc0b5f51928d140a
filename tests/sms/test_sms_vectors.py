"""PDUs that an independent packer verified, both ways. The numbers are those of the published vectors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from modembank.errors import SmsFormatError
from modembank.sms import deliver, pdu, status_report, submit
from modembank.sms.address import NumberType
from modembank.sms.causes import Outcome
from modembank.sms.dcs import Encoding
from modembank.sms.deliver import Deliver
from modembank.sms.segment import segment
from modembank.sms.status_report import StatusReport
from modembank.sms.submit import Submit
from modembank.sms.udh import Concat
from modembank.sms.validity import relative

PLAIN = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
SUBSCRIBER = "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37"
EXTENDED = "07911326040000F0040B911346610089F6000020806291731408139BF286B7F16D509BD406B8A16C7A9B171E"
PART_8 = "07911326040000F0440B911346610089F600002080629173140813050003CC020182C16030180C068341801F"
PART_16 = "07911326040000F0440B911346610089F60008208062917314081106080412340301006800690020D83DDE00"
NAMED = "0791447758100650040DD049B7F93D6D4E0100009010714132400005E8329BFD06"
REPORT = "0006D60B911326880736F4111011719551401110117195714000"
GAMMU = "07915155000000F011000B915155214365F70000FF0BE8329BFD06DDDF723619"
SMSTOOLS = "0031000B915155214365F70000FF13E8329BFD0699E5EF3668DE9ED3DF6FF61C"
DELIVERS = (PLAIN, SUBSCRIBER, EXTENDED, PART_8, PART_16, NAMED)


@pytest.mark.parametrize(
    ("vector", "sender", "text"),
    [
        (PLAIN, "+31641600986", "How are you?"),
        (SUBSCRIBER, "27838890001", "hellohello"),
        (EXTENDED, "+31641600986", "€[]{}|^~\\x"),
        (PART_8, "+31641600986", "AAAAAAAAAA@ü"),
        (PART_16, "+31641600986", "hi 😀"),
        (NAMED, "InfoSMS", "hello"),
    ],
)
def test_delivers_are_read(vector: str, sender: str, text: str) -> None:
    read = deliver.decode(vector)
    assert (read.sender.text, read.data.text) == (sender, text)


@pytest.mark.parametrize("vector", DELIVERS)
def test_delivers_are_written_octet_for_octet(vector: str) -> None:
    written = deliver.encode(deliver.decode(vector))
    assert written.hex == vector
    assert written.length == len(vector) // 2 - 8


@pytest.mark.parametrize("vector", [GAMMU, SMSTOOLS])
def test_submits_are_written_octet_for_octet(vector: str) -> None:
    assert submit.encode(submit.decode(vector)).hex == vector


def test_time_stamps_of_delivers() -> None:
    assert deliver.decode(PLAIN).sent.at == datetime(2002, 8, 26, 19, 37, 41, tzinfo=UTC)
    east = timezone(timedelta(hours=2))
    sent = deliver.decode(SUBSCRIBER).sent.at
    assert sent == datetime(1999, 3, 29, 15, 16, 59, tzinfo=east)
    assert sent.utcoffset() == timedelta(hours=2)


def test_addresses_of_delivers() -> None:
    assert deliver.decode(SUBSCRIBER).sender.type is NumberType.SUBSCRIBER
    assert deliver.decode(NAMED).sender.type is NumberType.ALPHANUMERIC
    centre = deliver.decode(PLAIN).service_centre
    assert centre is not None and centre.text == "+31624000000"


def test_parts_of_delivers() -> None:
    assert deliver.decode(PART_8).data.header.concat == Concat(0xCC, 2, 1, 8)
    assert deliver.decode(PART_16).data.header.concat == Concat(0x1234, 3, 1, 16)
    assert deliver.decode(PART_16).data.encoding is Encoding.UCS2


def test_gammu_submit_is_composed() -> None:
    (part,) = segment("hello world").parts
    composed = submit.compose(
        "+15551234567", part, validity=relative(timedelta(weeks=63)), service_centre="+15550000000"
    )
    written = submit.encode(composed)
    assert (written.hex, written.length) == (GAMMU, 24)


def test_smstools_submit_is_composed() -> None:
    (part,) = segment("hello from smstools").parts
    composed = submit.compose("+15551234567", part, validity=relative(timedelta(weeks=63)), request_report=True)
    written = submit.encode(composed)
    assert (written.hex, written.length) == (SMSTOOLS, 31)


def test_status_report_both_ways() -> None:
    report = status_report.decode(REPORT)
    assert (report.reference, report.recipient.text, report.outcome) == (214, "+31628870634", Outcome.DELIVERED)
    assert report.words == "received by the recipient"
    zone = timezone(timedelta(hours=1))
    assert report.submitted.at == datetime(2011, 1, 11, 17, 59, 15, tzinfo=zone)
    assert report.discharged.at == datetime(2011, 1, 11, 17, 59, 17, tzinfo=zone)
    assert status_report.encode(report).hex == REPORT


@pytest.mark.parametrize(
    ("vector", "kind"), [(PLAIN, Deliver), (GAMMU, Submit), (SMSTOOLS, Submit), (REPORT, StatusReport)]
)
def test_a_pdu_tells_its_kind(vector: str, kind: type) -> None:
    assert type(pdu.decode(vector)) is kind


@pytest.mark.parametrize(
    ("decode", "vector"), [(deliver.decode, GAMMU), (submit.decode, PLAIN), (status_report.decode, PLAIN)]
)
def test_the_wrong_kind_is_refused(decode: object, vector: str) -> None:
    assert callable(decode)
    with pytest.raises(SmsFormatError, match="this PDU is no SMS-"):
        decode(vector)


def test_a_header_longer_than_its_user_data_is_refused() -> None:
    with pytest.raises(SmsFormatError, match="header is longer"):
        deliver.decode(PART_8[: PART_8.index("13050003")] + "03" + "027000")


@pytest.mark.parametrize("vector", [*DELIVERS, GAMMU, SMSTOOLS, REPORT])
def test_every_truncation_is_refused_with_a_sentence(vector: str) -> None:
    for length in range(len(vector) - 1):
        with pytest.raises(SmsFormatError, match=r"\w+ \w+"):
            pdu.decode(vector[:length])

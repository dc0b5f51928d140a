"""Whatever comes in, a decoder gives a record or SmsFormatError."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.errors import SmsFormatError
from modembank.sms import deliver, pdu, status_report, submit
from modembank.sms.assemble import join, key_of
from modembank.sms.deliver import Deliver
from modembank.sms.status_report import StatusReport
from modembank.sms.ussd import Charset, UssdForm, decode_ussd, encode_ussd

VECTORS = [
    bytes.fromhex(vector)
    for vector in (
        "07911326040000F0440B911346610089F600002080629173140813050003CC020182C16030180C068341801F",
        "07911326040000F0440B911346610089F60008208062917314081106080412340301006800690020D83DDE00",
        "0791447758100650040DD049B7F93D6D4E0100009010714132400005E8329BFD06",
        "0006D60B911326880736F4111011719551401110117195714000",
        "07915155000000F011000B915155214365F70000FF0BE8329BFD06DDDF723619",
    )
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A good PDU with octets changed, put in or taken out."""
    octets = bytearray(draw(st.sampled_from(VECTORS)))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(octets)))
        octets[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return octets.hex()


NOISE = st.one_of(damaged(), st.binary(max_size=200).map(bytes.hex), st.text(max_size=60), st.text("0123456789ABCDEF"))


def storable(text: str | None) -> bool:
    return text is None or bool(text.encode("utf-8")) or not text


@settings(max_examples=1500)
@given(NOISE)
def test_every_decoder_refuses_or_gives_what_can_be_shown(text: str) -> None:
    for decode in (pdu.decode, deliver.decode, submit.decode, status_report.decode):
        try:
            record = decode(text)
        except SmsFormatError as error:
            assert str(error)
            continue
        if isinstance(record, Deliver):
            assert storable(record.sender.text) and storable(record.data.text)
            assert record.sent.at is None or record.sent.at.tzinfo is not None
            assert record.data.header.ports is None or record.coding is not None
            concat = record.data.header.concat
            assert (key_of(record) is None) == (concat is None)
            if concat is not None:
                assert storable(join(concat.total, {concat.sequence: record}).text)
        elif isinstance(record, StatusReport):
            assert record.outcome and record.words


@settings(max_examples=500)
@given(damaged())
def test_what_was_read_can_be_written_and_reads_the_same(text: str) -> None:
    try:
        record = deliver.decode(text)
        written = deliver.encode(record)
    except SmsFormatError:
        return
    assert deliver.decode(written.hex) == record


@settings(max_examples=500)
@given(
    st.one_of(st.text(max_size=40), st.text("0123456789ABCDEFabcdef", max_size=60)),
    st.one_of(st.none(), st.integers(-5, 300)),
    st.sampled_from(list(UssdForm)),
    st.sampled_from(list(Charset)),
    st.booleans(),
)
def test_ussd_strings(raw: str, dcs: int | None, form: UssdForm, charset: Charset, packs: bool) -> None:
    try:
        read = decode_ussd(raw, dcs, form, charset=charset, packs=packs)
    except SmsFormatError:
        assert form is not UssdForm.AUTO or dcs is not None
        return
    assert read.raw == raw


@given(st.text(max_size=200), st.sampled_from(list(UssdForm)))
def test_ussd_codes(code: str, form: UssdForm) -> None:
    try:
        written = encode_ussd(code, form)
    except SmsFormatError:
        return
    assert written.isascii() and written.isprintable() and '"' not in written

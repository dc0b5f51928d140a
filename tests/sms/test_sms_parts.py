"""Long texts: split, sent, read and joined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modembank.errors import SmsFormatError
from modembank.sms import deliver, submit
from modembank.sms.address import address_of
from modembank.sms.alphabet import DEFAULT, Alphabet
from modembank.sms.assemble import GAP, Gathering, Joined, home_of, is_repeated, join, key_of
from modembank.sms.dcs import Encoding, MessageClass, sms_dcs
from modembank.sms.deliver import Deliver
from modembank.sms.national import Language
from modembank.sms.scts import stamp
from modembank.sms.segment import segment, segment_octets
from modembank.sms.udh import Concat, Header, concat_element
from modembank.sms.user_data import UserData

SENDER = "+447700900901"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXTS = st.one_of(
    st.text("abc @€[]{}~^|\\\n\rÇ", max_size=700),
    st.text("ab😀漢я\r\n", max_size=300),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=300),
)


class Shelf:
    """Keeps parts as the bank does, without its database."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Gathering]] = []

    def add(self, part: Deliver) -> tuple[str | None, ...]:
        """Take a part; return the text that it made whole."""
        key, concat = key_of(part), part.data.header.concat
        if key is None or concat is None:
            return (join(1, {1: part}).text,)
        known = [message for its_key, message in self.messages if its_key == key]
        if is_repeated(known, part):
            return ()
        home = home_of(known, part) or Gathering("", concat.total, {})
        grown = Gathering("", home.total, {**home.parts, concat.sequence: part})
        self.messages = [(k, one) for k, one in self.messages if one is not home] + [(key, grown)]
        return (join(grown.total, grown.parts).text,) if grown.complete else ()

    def unfinished(self) -> list[Joined]:
        """What is not whole."""
        return [join(one.total, one.parts) for _, one in self.messages if not one.complete]


def arrived(part: UserData, sender: str = SENDER, sent: datetime = NOON) -> Deliver:
    """One part as the phone at the other end reads it, through a PDU."""
    dcs = sms_dcs(part.encoding)
    return deliver.decode(deliver.encode(Deliver(None, address_of(sender), stamp(sent), part, dcs)).hex)


def parts_of(text: str, reference: int = 7, width: int = 8, sent: datetime = NOON) -> list[Deliver]:
    return [arrived(part, sent=sent) for part in segment(text, reference=reference, width=width).parts]


LONG = "".join(f"{number:04d} " for number in range(90))  # three parts, each of its own


@pytest.mark.parametrize(
    ("char", "encoding", "single", "width", "each"),
    [
        ("a", Encoding.GSM7, 160, 8, 153),
        ("a", Encoding.GSM7, 160, 16, 152),
        ("я", Encoding.UCS2, 70, 8, 67),
        ("я", Encoding.UCS2, 70, 16, 66),
        ("€", Encoding.GSM7, 80, 8, 76),
        ("😀", Encoding.UCS2, 35, 8, 33),
        ("😀", Encoding.UCS2, 35, 16, 33),
    ],
)
def test_sizes(char: str, encoding: Encoding, single: int, width: int, each: int) -> None:
    assert len(segment(char * single, width=width).parts) == 1
    long = segment(char * (single + 1), width=width)
    assert long.encoding is encoding
    assert [len(part.text or "") for part in long.parts] == [each, single + 1 - each]
    assert len(segment(char * 2 * each, width=width).parts) == 2
    assert len(segment(char * (2 * each + 1), width=width).parts) == 3


@pytest.mark.parametrize(("width", "each"), [(8, 134), (16, 133)])
def test_sizes_of_octets(width: int, each: int) -> None:
    assert len(segment_octets(bytes(140), width=width).parts) == 1
    assert [len(part.payload) for part in segment_octets(bytes(141), width=width).parts] == [each, 141 - each]
    assert segment_octets(bytes(141)).parts[0].text is None


def test_counts() -> None:
    for text, characters, units in (("ab€", 3, 4), ("я😀", 2, 3), ("", 0, 0)):
        counted = segment(text)
        assert (counted.characters, counted.units, len(counted.parts)) == (characters, units, 1)


def test_an_encoding_can_be_forced() -> None:
    assert segment("abc", encoding=Encoding.UCS2).parts[0].payload == "abc".encode("utf-16-be")
    with pytest.raises(SmsFormatError, match="U\\+044F is not in"):
        segment("abcя", encoding=Encoding.GSM7)
    with pytest.raises(SmsFormatError, match="octets, not text"):
        segment("abc", encoding=Encoding.OCTETS)


@pytest.mark.parametrize("reference", [-1, 256])
def test_a_reference_beyond_its_width_is_refused(reference: int) -> None:
    with pytest.raises(SmsFormatError, match="reference"):
        segment("a", reference=reference)


def test_too_long_a_text_and_half_a_character_are_refused() -> None:
    assert len(segment("a" * 153 * 255).parts) == 255
    with pytest.raises(SmsFormatError, match="256 parts"):
        segment("a" * (153 * 255 + 1))
    with pytest.raises(SmsFormatError, match="surrogate"):
        segment("\ud83d")


def test_national_tables_take_room_for_their_elements() -> None:
    turkish = Alphabet(single=Language.TURKISH)
    assert len(segment("a" * 155, alphabet=turkish).parts) == 1
    two = segment("ğ" * 78, alphabet=turkish)
    assert (two.encoding, [part.text for part in two.parts]) == (Encoding.GSM7, ["ğ" * 74, "ğ" * 4])
    assert all(part.header.alphabet == turkish for part in two.parts)
    assert arrived(two.parts[0]).data.text == "ğ" * 74


@settings(max_examples=60)
@given(TEXTS, st.sampled_from([8, 16]), st.sampled_from([DEFAULT, Alphabet(Language.PORTUGUESE, Language.SPANISH)]))
def test_a_text_goes_round_through_submit(text: str, width: int, alphabet: Alphabet) -> None:
    sent = segment(text, reference=200, width=width, alphabet=alphabet)
    shelf = Shelf()
    joined: tuple[str | None, ...] = ()
    for place, part in enumerate(sent.parts):
        pdu = submit.encode(submit.compose(SENDER, part, request_report=True))
        assert pdu.length == len(pdu.hex) // 2 - 1
        read = submit.decode(pdu.hex)
        assert (read.data, read.request_report) == (part, True)
        assert "\ufffd" not in (read.data.text or "") or "\ufffd" in text
        assert not (part.encoding is Encoding.GSM7 and part.payload.endswith(b"\x1b"))
        joined = shelf.add(Deliver(None, read.destination, stamp(NOON), read.data, read.dcs))
        assert bool(joined) == (place == len(sent.parts) - 1)
    assert joined == (text,)


def test_flash_and_octets() -> None:
    flash = submit.compose(SENDER, segment("hi").parts[0], message_class=MessageClass.FLASH)
    assert submit.encode(flash).hex[22:26] == "0010"
    (part,) = segment_octets(b"\x00\xff").parts
    read = submit.decode(submit.encode(submit.compose(SENDER, part)).hex)
    assert (read.dcs, read.data.payload, read.data.text) == (0x04, b"\x00\xff", None)


def test_an_sms_goes_to_a_number_only() -> None:
    with pytest.raises(SmsFormatError, match="to a number only"):
        submit.compose("InfoSMS", segment("hi").parts[0])


def test_contradictions_are_not_written() -> None:
    (part,) = segment("hi").parts
    composed = submit.compose(SENDER, part)
    for wrong in (
        submit.Submit(composed.destination, part, dcs=0x08),
        submit.Submit(composed.destination, part, reference=256),
        submit.Submit(composed.destination, UserData(Encoding.GSM7, bytes(161))),
        submit.Submit(composed.destination, UserData(Encoding.OCTETS, bytes(141)), dcs=0x04),
    ):
        with pytest.raises(SmsFormatError):
            submit.encode(wrong)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_in_any_order_are_joined_once(order: tuple[int, ...]) -> None:
    parts, shelf = parts_of(LONG), Shelf()
    told = [shelf.add(parts[place]) for place in (*order, *order)]
    assert told == [(), (), (LONG,), (), (), ()]
    assert shelf.unfinished() == []


def test_a_single_sms_is_whole_at_once() -> None:
    assert Shelf().add(parts_of("hi")[0]) == ("hi",)


@pytest.mark.parametrize(
    ("here", "missing", "shown"),
    [((0,), (2, 3), (0, -1)), ((1,), (1, 3), (-1, 1, -1)), ((2,), (1, 2), (-1, 2)), ((0, 2), (2,), (0, -1, 2))],
)
def test_a_lost_part_is_shown_as_a_gap(here: tuple[int, ...], missing: tuple[int, ...], shown: tuple[int, ...]) -> None:
    parts, shelf = parts_of(LONG), Shelf()
    for place in here:
        assert shelf.add(parts[place]) == ()
    text = "".join(GAP if place < 0 else parts[place].data.text or "" for place in shown)
    assert shelf.unfinished() == [Joined(text, missing)]


def test_senders_references_and_widths_are_told_apart() -> None:
    shelf = Shelf()
    eight, sixteen = parts_of(LONG, 7, 8), parts_of(LONG, 7, 16)
    others = [arrived(part, "+447700900902") for part in segment(LONG, reference=7).parts]
    more = parts_of(LONG, 8, 8)
    rounds = [[shelf.add(part) for part in parts] for parts in zip(eight, sixteen, others, more, strict=True)]
    assert rounds == [[()] * 4, [()] * 4, [(LONG,)] * 4]


def test_widths_are_never_mixed() -> None:
    shelf, eight, sixteen = Shelf(), parts_of(LONG, 7, 8), parts_of(LONG, 7, 16)
    assert [shelf.add(part) for part in (eight[0], sixteen[1], sixteen[2])] == [()] * 3


def test_a_reused_reference_opens_a_second_message_and_time_stamps_keep_them_apart() -> None:
    early = parts_of("early " * 40, sent=NOON)
    late = parts_of("later " * 40, sent=NOON + timedelta(hours=2))
    shelf = Shelf()
    assert [shelf.add(part) for part in (early[0], late[0])] == [(), ()]
    assert shelf.add(late[1]) == ("later " * 40,)
    assert shelf.add(early[1]) == ("early " * 40,)


def test_the_same_text_sent_again_with_the_same_reference_is_a_new_message() -> None:
    shelf = Shelf()
    texts: list[str | None] = []
    for hours in (0, 1):
        for part in parts_of(LONG, sent=NOON + timedelta(hours=hours)):
            texts += shelf.add(part)
    assert texts == [LONG, LONG]


@pytest.mark.parametrize(
    ("encoding", "whole", "cut"),
    [(Encoding.UCS2, "hi 😀".encode("utf-16-be"), 8), (Encoding.GSM7, b"hi \x1be", 4)],
)
def test_pairs_that_others_split_are_joined(encoding: Encoding, whole: bytes, cut: int) -> None:
    halves = (whole[:cut], whole[cut:])
    parts = [
        arrived(UserData(encoding, half, Header((concat_element(Concat(1, 2, place)),))))
        for place, half in enumerate(halves, 1)
    ]
    assert all((part.data.text or "").encode() for part in parts)
    shelf = Shelf()
    shelf.add(parts[1])
    assert shelf.add(parts[0]) == ("hi 😀" if encoding is Encoding.UCS2 else "hi €",)

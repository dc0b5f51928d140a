"""Messages on the AT port: PDUs with their heads, several lines of USSD, commands and their answers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at import messages as at
from modembank.at.command import AtCommand, RetryClass
from modembank.at.engine import AtEngine, Event, Prompt, Urc
from modembank.at.mask import mask
from modembank.at.messages import MessageStatus, StoredAt, StoredPdu, StoreUse
from modembank.at.result import Result
from modembank.errors import AtSyntaxError

# 3GPP TS 23.040, made with numbers reserved for fiction.
PDU = "07914477581006500409D04F6D6E0D4700009010714132400002E834"
TPDU = PDU[16:]
URCS = ("RING", "NO CARRIER", '+CMTI: "ME",4', '+CREG: 1,"1A2B","01C3D4",7', "RDY", "^BOOT:1,0")


def frame(*lines: str) -> bytes:
    return "".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1")


def cut(data: bytes, draw: st.DataObject) -> list[bytes]:
    edges = [0, *sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=10))), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def feed(engine: AtEngine, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in engine.feed(piece)]


@given(st.data())
def test_a_list_with_urcs_anywhere_in_any_chunking(data: st.DataObject) -> None:
    engine = AtEngine()
    engine.send(at.LIST_ALL)
    stream, heard = b"", []
    for line in ("+CMGL: 1,0,,19", PDU, "+CMGL: 4,1,,19", PDU, "OK"):
        for urc in data.draw(st.lists(st.sampled_from(URCS), max_size=2)):
            heard.append(urc)
            stream += frame(urc)
        stream += frame(line)
    events = feed(engine, cut(stream, data))
    info = (f"+CMGL: 1,0,,19\n{PDU}", f"+CMGL: 4,1,,19\n{PDU}")
    assert [event for event in events if isinstance(event, Result)] == [Result("+CMGL=4", "OK", info)]
    assert [event.text for event in events if isinstance(event, Urc)] == heard


def test_a_direct_message_inside_an_answer_is_one_urc() -> None:
    engine = AtEngine()
    engine.send(AtCommand("+CSQ", "+CSQ:"))
    events = engine.feed(frame("+CMT: ,19", PDU, "+CSQ: 17,99", "OK"))
    assert events == [Urc(f"+CMT: ,19\n{PDU}"), Result("+CSQ", "OK", ("+CSQ: 17,99",))]


def test_a_head_that_lost_its_pdu_does_not_take_the_imei() -> None:
    engine = AtEngine()
    assert engine.feed(frame("+CDS: 25")) == []
    engine.send(AtCommand("+CGSN", bare=r"\d{15}"))
    events = engine.feed(frame("866909030010099", "OK"))
    assert events == [Urc("+CDS: 25"), Result("+CGSN", "OK", ("866909030010099",))]


@pytest.mark.parametrize(
    "text",
    ['Menu:\r\n\r\n1) "Gold", five\r\n2) OK', "one line", 'a\r\nb"', "OK\r\nERROR"],
)
@given(data=st.data())
def test_a_ussd_text_of_several_lines_is_one_urc(text: str, data: st.DataObject) -> None:
    engine = AtEngine()
    engine.send(AtCommand('+CUSD=1,"*100#",15'))
    events = feed(engine, cut(frame(f'+CUSD: 1,"{text}",15', "OK"), data))
    joined = text.replace("\r\n", "\n")
    assert events == [Urc(f'+CUSD: 1,"{joined}",15'), Result('+CUSD=1,"*100#",15', "OK", ())]


def test_a_lost_quote_costs_no_more_than_one_deadline() -> None:
    engine = AtEngine()
    engine.feed(frame('+CUSD: 1,"Your balance is'))
    assert Urc('+CMTI: "ME",1') in engine.feed(frame('+CMTI: "ME",1'))
    engine.feed(frame('+CUSD: 1,"Your balance is'))
    engine.send(AtCommand("+CSQ", "+CSQ:"))
    assert engine.feed(frame("+CSQ: 17,99", "OK")) == []
    engine.give_up()
    sentinel = engine.resync().decode().strip("\r")
    answer = "+CMEE: 1" if "CMEE" in sentinel else '+CSCS: "GSM"'
    assert [type(event) for event in engine.feed(frame(answer, "OK"))] == [Result]


def test_the_echo_of_the_pdu_is_dropped() -> None:
    engine = AtEngine()
    command = at.submit(PDU, 20)
    engine.send(command)
    assert engine.feed(b"\r\n> ") == [Prompt()]
    assert engine.feed(PDU.encode() + b"\x1a\r\n" + frame("+CMGS: 7", "OK")) == [
        Result("+CMGS=20", "OK", ("+CMGS: 7",))
    ]


def test_a_urc_right_behind_the_prompt() -> None:
    """Both in one read: the URC's line end closes the line of the prompt, which has none of its own."""
    engine = AtEngine()
    engine.send(at.submit(PDU, 20))
    assert engine.feed(b'\r\n> \r\n+CDSI: "ME",3\r\n') == [Prompt(), Urc('+CDSI: "ME",3')]
    assert engine.feed(frame("+CMGS: 7", "OK")) == [Result("+CMGS=20", "OK", ("+CMGS: 7",))]


def test_submit() -> None:
    command = at.submit(PDU.lower(), 20)
    assert (command.text, command.payload, command.retry) == ("+CMGS=20", PDU, RetryClass.NEVER)
    assert at.submit(TPDU, 20).payload == f"00{TPDU}"  # the service centre of the card


@pytest.mark.parametrize(("pdu", "length"), [(PDU, 19), (PDU, 0), (PDU[:-1], 20), ("00\x1a1", 1), ("", 0), (PDU, 999)])
def test_what_is_no_pdu_is_never_written(pdu: str, length: int) -> None:
    with pytest.raises(AtSyntaxError):
        at.submit(pdu, length)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('+CMTI: "SM",4', StoredAt("SM", 4)),
        ('+CDSI: "SR",0', StoredAt("SR", 0)),
        ('+CMTI: "SM",-1', None),
        ("+CMTI: ,2", None),
        ("+CMTI: ME", None),
        ('+CMTI: "SM"";+CMGD",1', None),
    ],
)
def test_news(line: str, place: StoredAt | None) -> None:
    assert at.read_news(line) == place


def test_what_a_store_holds() -> None:
    assert at.read_listed(f"+CMGL: 3,0,,19\n{PDU.lower()}", "SM") == StoredPdu("SM", 3, MessageStatus.UNREAD, PDU)
    assert at.read_listed(f'+CMGL: 3,3,"Ann, me",19\n{PDU}', "SM").status is MessageStatus.SENT
    assert at.read_use("+CPMS: 10,10,2,23", "SM") == StoreUse("SM", 10, 10)
    assert at.read_use("+CPMS: 10,10,2,23", "SM").full and not at.read_use("+CPMS: 0,0", "SM").full
    assert at.read_reference("+CMGS: 214") == 214
    assert at.read_direct(f"+CMT: ,19\n{PDU}") == PDU


@pytest.mark.parametrize("line", ["+CMGL: 3,0,,19", "+CMGL: 3,9,,19\nAB", "+CMGL: x,0,,19\nAB", "+CMGR: 1"])
def test_a_broken_list_line(line: str) -> None:
    with pytest.raises(AtSyntaxError):
        at.read_listed(line, "SM")


@pytest.mark.parametrize("line", [PDU, f"+CMT: ,19\n{PDU}", f"+CMGL: 3,0,,19\n{PDU}", '+CUSD: 0,"You have\n5 left",15'])
def test_texts_do_not_show_in_a_trace(line: str) -> None:
    assert mask(line).endswith("***") and "5 left" not in mask(line) and PDU not in mask(line)

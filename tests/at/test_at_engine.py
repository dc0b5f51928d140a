"""The AT engine: the same conversation in any chunking, with noise, URCs anywhere and late answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.at.command import ANSWER, LIST_CALLS, READ_IMEI, READ_MODEL, READ_SIGNAL, AtCommand, dial, join
from modembank.at.engine import SENTINELS, AtEngine, Doubtful, Event, Prompt, Urc
from modembank.at.lines import LINE_CAP
from modembank.at.result import Result
from modembank.errors import AtBusyError

CREG = AtCommand("+CREG?", "+CREG:")
URCS = (
    "RING",
    '+CLIP: "+447700900123",145',
    '+CREG: 1,"1A2B","01C3D4",7',
    "+CREG: 2",
    "NO CARRIER",
    "BUSY",
    "^DSCI: 2,0,7,0,+447700900901,145,0",
    '+QIND: "csq",20,99',
    "RDY",
    "+QPCMV: 0,0",
    '+CMTI: "ME",4',
)
SENTINEL_ANSWERS = {"+CMEE?": ("+CMEE: 1",), "+CSCS?": ('+CSCS: "GSM"',)}


@dataclass(frozen=True)
class Exchange:
    """A command and what the modem says to it."""

    command: AtCommand
    info: tuple[str, ...]
    final: str = "OK"


EXCHANGES = (
    Exchange(READ_SIGNAL, ("+CSQ: 17,99",)),
    Exchange(CREG, ('+CREG: 2,1,"1A2B","01C3D4",2',)),
    Exchange(LIST_CALLS, ('+CLCC: 1,0,0,1,0,"",128', '+CLCC: 2,0,3,0,0,"+447700900901",145')),
    Exchange(LIST_CALLS, ()),
    Exchange(READ_IMEI, ("866909030010099",)),
    Exchange(join(READ_SIGNAL, CREG), ("+CSQ: 3,0", "+CREG: 0,5")),
    Exchange(AtCommand("+CNUM", "+CNUM:"), (), "+CME ERROR: 10"),
    Exchange(AtCommand("^DSCI=1"), (), "ERROR"),
    Exchange(dial("+447700900901"), ()),
)

noise = st.binary(max_size=30).map(lambda data: "~" + data.decode("latin-1").replace("\n", ""))
between = st.lists(st.sampled_from(URCS) | noise, max_size=3)


def frame(text: str) -> bytes:
    return f"\r\n{text}\r\n".encode("latin-1")


def answer_of(exchange: Exchange, draw: st.DrawFn, echo: bool, heard: list[str]) -> bytes:
    """Write an answer with URCs and noise before, within and after it; the URCs are kept in `heard`."""
    own = [*exchange.info, exchange.final]
    data = exchange.command.line + b"\r\n" if echo else b""
    for text in own:
        # While a call command waits, NO CARRIER may be its result: another test has that.
        for urc in draw(between):
            if exchange.command.call and urc in {"NO CARRIER", "BUSY"}:
                continue
            heard.append(urc)
            data += frame(urc)
        data += frame(text)
    return data


def chunks(data: bytes, draw: st.DrawFn) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    edges = [0, *cuts, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def feed(engine: AtEngine, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in engine.feed(piece)]


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Urc) and not event.text.startswith("~")]


def results(events: list[Event]) -> list[Result]:
    return [event for event in events if isinstance(event, Result)]


@given(st.data())
def test_any_chunking_with_noise_and_urcs_anywhere(data: st.DataObject) -> None:
    engine = AtEngine()
    for exchange in data.draw(st.lists(st.sampled_from(EXCHANGES), min_size=1, max_size=6)):
        heard: list[str] = []
        assert engine.send(exchange.command) == exchange.command.line
        answer = answer_of(exchange, data.draw, data.draw(st.booleans()), heard)
        events = feed(engine, chunks(answer, data.draw))
        assert results(events) == [Result(exchange.command.text, exchange.final, exchange.info)]
        assert texts(events) == [urc for urc in heard if not urc.startswith("~")]


@given(st.data())
def test_a_late_answer_never_reaches_the_next_command(data: st.DataObject) -> None:
    """The deadline passes at any byte of the answer; one or two sentinels follow; then life goes on."""
    engine = AtEngine()
    late, following = data.draw(st.lists(st.sampled_from(EXCHANGES), min_size=2, max_size=2))
    engine.send(late.command)
    answer = answer_of(late, data.draw, False, [])
    final_ends_at = len(answer) - 1
    before = data.draw(st.integers(0, final_ends_at))
    assert results(feed(engine, chunks(answer[:before], data.draw))) == []
    engine.give_up()
    with pytest.raises(AtBusyError):
        engine.send(following.command)
    stream = answer[before:]
    told: list[str] = []
    for _ in range(data.draw(st.integers(1, 2))):
        sentinel = engine.resync().decode().strip("\r").removeprefix("AT")
        answered = Exchange(AtCommand(sentinel), SENTINEL_ANSWERS[sentinel])
        stream += answer_of(answered, data.draw, False, told)
    events = feed(engine, chunks(stream[:-1], data.draw))
    assert results(events) == []  # not before all that is owed has come
    assert [result.command for result in results(engine.feed(stream[-1:]))] == [sentinel]
    wanted = [urc for urc in told if not urc.startswith("~")]
    assert texts(events)[len(texts(events)) - len(wanted) :] == wanted  # news is not lost while we wait
    engine.send(following.command)
    heard: list[str] = []
    events = feed(engine, chunks(answer_of(following, data.draw, False, heard), data.draw))
    assert results(events) == [Result(following.command.text, following.final, following.info)]


@given(st.binary(max_size=2000), st.integers(1, 7))
def test_garbage_never_breaks_the_engine(data: bytes, step: int) -> None:
    engine = AtEngine()
    engine.send(READ_SIGNAL)
    for start in range(0, len(data), step):
        engine.feed(data[start : start + step])
    engine.give_up()
    engine.resync()
    engine.resync()  # the garbage may have eaten the first one
    assert results(engine.feed(b'\r\nOK\r\n\r\n+CMEE: 1\r\n+CSCS: "GSM"\r\n\r\nOK\r\n'))


def test_the_echo_is_never_taken_for_the_imei() -> None:
    engine = AtEngine()
    engine.send(READ_IMEI)
    events = engine.feed(b"AT+CGSN\r\r\n866909030010099\r\n\r\nOK\r\n")
    assert events == [Result("+CGSN", "OK", ("866909030010099",))]
    assert engine.counters.echo == 1


def test_a_urc_is_never_taken_for_a_text_without_prefix() -> None:
    engine = AtEngine()
    engine.send(READ_MODEL)
    events = engine.feed(b'\r\nRING\r\n\r\nEC25\r\n+QIND: "csq",20,99\r\n\r\nOK\r\n')
    assert events == [Urc("RING"), Urc('+QIND: "csq",20,99'), Result("+CGMM", "OK", ("EC25",))]


def test_double_carriage_returns_are_dropped() -> None:
    assert AtEngine().feed(b"\r\r\n+CRING: VOICE\r\r\n") == [Urc("+CRING: VOICE")]


def test_glued_lines_come_apart() -> None:
    engine = AtEngine()
    engine.send(AtCommand("+CNUM", "+CNUM:"))
    events = engine.feed(b'+CSSI: 2RING\r\nERROR+CNUM: "","+447700900000",145\r\n\r\nOK\r\n')
    info = ('+CNUM: "","+447700900000",145',)
    assert events == [Urc("+CSSI: 2"), Urc("RING"), Result("+CNUM", "OK", info)]


def test_the_prompt_is_seen_without_a_line_end() -> None:
    engine = AtEngine()
    engine.send(AtCommand("+CMGS=24", "+CMGS:", payload="00"))
    assert engine.feed(b"\r\n>") == []
    assert engine.feed(b" ") == [Prompt()]


def test_nothing_is_a_prompt_to_a_command_without_a_message() -> None:
    engine = AtEngine()
    engine.send(READ_SIGNAL)
    assert engine.feed(b"\r\n> ") == []


def test_an_endless_line_is_dropped_and_counted() -> None:
    engine = AtEngine()
    engine.send(READ_SIGNAL)
    assert engine.feed(b"x" * (LINE_CAP * 3)) == []
    assert engine.feed(b"yy\r\n+CSQ: 1,99\r\nOK\r\n") == [Result("+CSQ", "OK", ("+CSQ: 1,99",))]
    assert engine.oversize == 1


def test_a_stray_ok_is_counted_and_given_to_nobody() -> None:
    engine = AtEngine()
    assert engine.feed(b"\r\nOK\r\n") == []
    assert engine.counters.stray == 1


@pytest.mark.parametrize("command", [dial("+447700900901"), ANSWER], ids=["ATD", "ATA"])
def test_no_carrier_while_dialling_is_doubtful_until_something_else_answers(command: AtCommand) -> None:
    engine = AtEngine()
    engine.send(command)
    assert engine.feed(b"\r\nNO CARRIER\r\n") == [Doubtful("NO CARRIER")]
    assert engine.feed(b"\r\nOK\r\n") == [Result(command.text, "OK", ())]
    assert engine.settle() is None


def test_no_carrier_is_the_result_of_atd_when_nothing_else_comes() -> None:
    engine = AtEngine()
    command = dial("+447700900901")
    engine.send(command)
    engine.feed(b"\r\nBUSY\r\n")
    assert engine.settle() == Result(command.text, "BUSY", ())


def test_no_carrier_never_ends_another_command() -> None:
    engine = AtEngine()
    engine.send(READ_SIGNAL)
    events = engine.feed(b"\r\nNO CARRIER\r\n\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
    assert events == [Urc("NO CARRIER"), Result("+CSQ", "OK", ("+CSQ: 9,99",))]


def test_a_registration_urc_inside_a_registration_answer() -> None:
    engine = AtEngine()
    engine.send(CREG)
    events = engine.feed(b'\r\n+CREG: 5,"1A2B","01C3D4",7\r\n\r\n+CREG: 2,1\r\n\r\nOK\r\n')
    assert events == [Urc('+CREG: 5,"1A2B","01C3D4",7'), Result("+CREG?", "OK", ("+CREG: 2,1",))]


def test_a_second_command_waits_for_the_first() -> None:
    engine = AtEngine()
    engine.send(READ_SIGNAL)
    with pytest.raises(AtBusyError):
        engine.send(CREG)


def test_the_sentinel_is_never_the_command_that_was_given_up() -> None:
    for given_up in SENTINELS:
        engine = AtEngine()
        engine.send(given_up)
        assert engine.resync() != given_up.line
        assert engine.resync() != given_up.line

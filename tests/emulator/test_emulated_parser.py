"""The emulator's own AT parser against any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modembank.emulator.parser import Argument, Command, Form, body_of, parse
from modembank.emulator.reply import RefusedError

ALPHABET = st.sampled_from(list('ATDEHVZS+^&;=?,"*#01x \x00\x1aé'))


@given(st.text(ALPHABET, max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_line_ends_in_commands_or_a_refusal(line: str) -> None:
    body = body_of(line)
    commands = parse(body if body is not None else line)
    seen = 0
    try:
        for command in commands:
            seen += 1
            assert command.name == command.name.upper()
    except RefusedError as refused:
        assert refused.result(1)
    assert seen <= len(line)


NAMES = st.sampled_from(["+CLIP", "^DSCI", "+QPCMV", "+CMEE"])
TEXTS = st.text(st.characters(codec="ascii", exclude_characters='"\r\n', exclude_categories=["Cc"]), max_size=12)


@given(st.lists(st.tuples(NAMES, st.lists(TEXTS, min_size=1, max_size=4)), min_size=1, max_size=5))
def test_what_is_joined_comes_apart_again(parts: list[tuple[str, list[str]]]) -> None:
    line = ";".join(f"{name}={','.join(f'{chr(34)}{text}{chr(34)}' for text in texts)}" for name, texts in parts)
    expected = [Command(name, Form.SET, tuple(Argument(text, quoted=True) for text in texts)) for name, texts in parts]
    assert list(parse(line)) == expected


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("E0V1&F", ["E", "V", "&F"]),
        ("D+447700900901;+CLCC", ["D", "+CLCC"]),
        ("+CREG?;+CSQ", ["+CREG", "+CSQ"]),
        ("s0=1s3?", ["S", "S"]),
        ('+CUSD=1,"*1;2#",15;E1', ["+CUSD", "E"]),
    ],
)
def test_lines_from_the_field(line: str, names: list[str]) -> None:
    assert [command.name for command in parse(line)] == names


def test_forms() -> None:
    forms = [command.form for command in parse("+CLIP;+CLIP?;+CLIP=?;+CLIP=1")]
    assert forms == [Form.EXECUTE, Form.READ, Form.TEST, Form.SET]


@pytest.mark.parametrize("line", ['+CLIP="', '+CLIP=1,"2', '+CLIP=a"b"', "+", "+=1", "S", "&", "é", "+C-SQ"])
def test_what_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(RefusedError):
        list(parse(line))

"""Messages byte by byte. Expectations: 3GPP TS 27.005, 3GPP TS 23.040, hardware facts section 10."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modembank.emulator import gsm7, pdu
from modembank.errors import EmulatorError
from tests.support.emulated_ports import PATIENCE_S, Bench, RawPort

Open = Callable[[Path], RawPort]
HELLO = "E8329BFD06"


async def at_port(emulator: Bench, open_port: Open, index: int = 0) -> RawPort:
    port = open_port(await emulator.link(index))
    port.ask('ATE0+CPMS="SM","SM","SM";+CNMI=2,1,0,2,0')
    return port


def submit_pdu(to: str, user: str = "05" + HELLO, *, first: int = 0x01, dcs: str = "00") -> tuple[int, str]:
    """Return the length that +CMGS tells and the PDU, put together by hand."""
    digits = to.removeprefix("+")
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[place + 1] + padded[place] for place in range(0, len(padded), 2))
    tpdu = f"{first:02X}00{len(digits):02X}91{swapped}00{dcs}{user}"
    return len(tpdu) // 2, "00" + tpdu


def send(port: RawPort, to: str, expected: bytes = b"OK\r\n", **values: object) -> bytes:
    octets, text = submit_pdu(to, **values)  # type: ignore[arg-type]  # only what the helper takes
    assert port.ask(f"AT+CMGS={octets}", b"> ") == b"\r\n> "
    port.write(text.encode() + b"\x1a")
    return port.read_until(expected)


async def messages(emulator: Bench, op: str, count: int, **values: object) -> list[dict[str, object]]:
    """Wait until an operation shows so many messages."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = (await emulator.call(op, **values))["messages"]
        assert isinstance(found, list)
        if len(found) >= count:
            assert len(found) == count
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("whole", "sender", "text"),
    [
        (
            "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
            "+31641600986",
            "How are you?",
        ),
        ("07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37", "27838890001", "hellohello"),
        ("07911326040000F0440B911346610089F60008208062917314081106080412340301006800690020D83DDE00", None, "hi 😀"),
        ("0791447758100650040DD049B7F93D6D4E0100009010714132400005E8329BFD06", "InfoSMS", "hello"),
    ],
)
def test_known_pdus_are_read(whole: str, sender: str | None, text: str) -> None:
    told, user = pdu.read_deliver(pdu.without_centre(pdu.from_hex(whole)))
    assert user.text() == text
    if sender is not None:
        assert told == sender


def test_known_submits_are_read() -> None:
    gammus = "07915155000000F011000B915155214365F70000FF0BE8329BFD06DDDF723619"
    wanted = pdu.read_submit(pdu.without_centre(pdu.from_hex(gammus)))
    assert (wanted.to, wanted.user.text(), wanted.report) == ("+15551234567", "hello world", False)
    smsds = "0031000B915155214365F70000FF13E8329BFD0699E5EF3668DE9ED3DF6FF61C"
    assert pdu.read_submit(pdu.without_centre(pdu.from_hex(smsds))).report


@pytest.mark.parametrize(
    ("text", "wide", "sizes"),
    [
        ("a" * 160, False, [160]),
        ("a" * 161, False, [153, 8]),
        ("a" * 305, True, [152, 152, 1]),
        ("a" * 152 + "€" + "b" * 10, False, [152, 12]),
        ("я" * 70, False, [70]),
        ("я" * 71, False, [67, 4]),
        ("я" * 66 + "😀" + "я" * 5, False, [66, 7]),
        ("я" * 67, True, [67]),
        ("я" * 71, True, [66, 5]),
    ],
)
def test_texts_are_split_at_the_limits(text: str, wide: bool, sizes: list[int]) -> None:
    parts = pdu.split(text, 0x1234, None, wide=wide, flash=False)
    texts = [part.text() for part in parts]
    assert "".join(texts) == text
    units = [len(t.encode("utf-16-be")) // 2 if "я" in text else len(t) + t.count("€") for t in texts]
    assert units == sizes
    expected = [(0x1234 if wide else 0x34, len(parts), n + 1) for n in range(len(parts))]
    assert [part.concatenation() for part in parts] == (expected if len(parts) > 1 else [None])


def test_septets_are_packed_as_in_the_standard() -> None:
    assert gsm7.pack([ord(char) for char in "hello"]).hex().upper() == HELLO
    assert gsm7.to_text([0x1B, 0x65, 0x1B, 0x41]) == "€A"


async def test_a_message_is_stored_told_read_and_deleted(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await emulator.call("sms", to=0, from_="+447700900991", text="hello")
    assert port.read_until(b"0\r\n") == b'\r\n+CMTI: "SM",0\r\n'
    assert port.ask("AT+CPMS?") == b'\r\n+CPMS: "SM",1,20,"SM",1,20,"SM",1,20\r\n\r\nOK\r\n'
    answer = port.ask("AT+CMGL=0")
    pattern = rb"\r\n\+CMGL: 0,0,,24\r\n0791447700099099" + rb"040C914477000990190000\d{14}05([0-9A-F]+)\r\n\r\nOK\r\n"
    assert re.fullmatch(pattern, answer), answer
    assert (HELLO + "\r\n").encode() in answer
    assert b"+CMGR: 1,,24\r\n" in port.ask("AT+CMGR=0")
    assert port.ask("AT+CMGL=0") == b"\r\nOK\r\n"
    assert b"+CMGL: 0,1,,24\r\n" in port.ask("AT+CMGL=4")
    assert port.ask("AT+CMGD=0") == b"\r\nOK\r\n"
    assert port.ask("AT+CMGR=0", b"321\r\n") == b"\r\n+CMS ERROR: 321\r\n"
    assert [m["text"] for m in await messages(emulator, "sms_inbox", 1, modem=0)] == ["hello"]


async def test_stores_are_apart_and_go_with_what_they_are_in(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await emulator.call("sms", to=0, text="on the card")
    port.read_until(b'"SM",0\r\n')
    port.ask('AT+CPMS="ME","ME","ME"')
    await emulator.call("sms", to=0, text="in the module")
    port.read_until(b'+CMTI: "ME",0\r\n')
    assert b"+CPMS: 1,20,1,255,1,255" in port.ask('AT+CPMS="SM","ME","ME"')
    kept = (await emulator.call("sms_store", modem=0))["messages"]
    assert [(entry["store"], entry["index"]) for entry in kept] == [("SM", 0), ("ME", 0)]
    iccid = (await emulator.call("remove_sim", modem=0))["iccid"]
    await emulator.call("remove_sim", modem=1)
    await emulator.call("insert_sim", modem=1, iccid=iccid)
    assert [e["store"] for e in (await emulator.call("sms_store", modem=0))["messages"]] == ["ME"]
    assert [e["store"] for e in (await emulator.call("sms_store", modem=1))["messages"]] == ["SM"]
    assert port.ask("AT+CMGL=4", b"310\r\n").endswith(b"+CMS ERROR: 310\r\n")


async def test_delete_by_flag(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    octets, text = submit_pdu("+447700900920")
    port.ask(f"AT+CMGW={octets}", b"> ")
    port.write(text.encode() + b"\x1a")
    assert port.read_until(b"OK\r\n") == b"\r\n+CMGW: 0\r\n\r\nOK\r\n"
    for number in (1, 2):
        await emulator.call("sms", to=0, text="x")
        port.read_until(f'+CMTI: "SM",{number}\r\n'.encode())
    port.ask("AT+CMGR=1;+CMGD=1,1")
    assert re.findall(rb"\+CMGL: (\d),(\d)", port.ask("AT+CMGL=4")) == [(b"0", b"2"), (b"2", b"0")]
    assert b"+CMGL: 0,2,," in port.ask("AT+CMGL=2")
    port.ask("AT+CMGD=0,4")
    assert port.ask("AT+CMGL=4") == b"\r\nOK\r\n"


async def test_a_message_is_sent_echoed_and_reported(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask('AT+CPMS="ME","ME","ME"')
    seen = send(port, emulator.parties["sms_echo"], first=0x21)
    assert seen == b"\r\n+CMGS: 0\r\n\r\nOK\r\n"
    rest = port.read_until(b"+CM", PATIENCE_S) + port.read_until(b"\r\n")
    rest += b"" if b"+CDSI" in rest else port.read_until(b"+CDSI") + port.read_until(b"\r\n")
    assert await messages(emulator, "sms_inbox", 1, modem=0)
    lines = port.ask("AT+CMGL=4")
    assert re.search(rb"\r\n0791[0-9A-F]+0600" + b"0C91447700099002", lines), lines
    assert b"040C91447700099002" in lines
    sent = await messages(emulator, "sms_sent", 1, modem=0)
    assert {key: sent[0][key] for key in ("to", "text", "mr", "report")} == {
        "to": emulator.parties["sms_echo"],
        "text": "hello",
        "mr": 0,
        "report": True,
    }
    assert b"+CMGS: 1\r\n" in send(port, emulator.parties["sms_silent"], first=0x21)
    await messages(emulator, "sms_sent", 2, modem=0)
    assert b"+CDSI" not in port.quiet(0.3)


async def test_sims_write_to_each_other(emulator: Bench, open_port: Open) -> None:
    one, two = await at_port(emulator, open_port, 0), await at_port(emulator, open_port, 1)
    await emulator.call("registration", modem=1, stat=0)
    send(one, await emulator.number(1), first=0x21)
    assert b"+CM" not in two.quiet(0.3)
    await emulator.call("registration", modem=1, stat=6)  # SMS only
    two.read_until(b'+CMTI: "SM",0\r\n')
    one.read_until(b'+CDSI: "SM",0\r\n')
    (got,) = await messages(emulator, "sms_inbox", 1, modem=1)
    assert (got["from"], got["text"]) == (await emulator.number(0), "hello")


async def test_refusals(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    assert send(port, emulator.parties["sms_fail"], b"38\r\n").endswith(b"+CMS ERROR: 38\r\n")
    for octets, text in ((5, submit_pdu("+447700900920")[1]), (19, "00ZZ"), (1, "0001"), (12, "00" + "04" * 12)):
        port.ask(f"AT+CMGS={octets}", b"> ")
        port.write(text.encode() + b"\x1a")
        assert port.read_until(b"304\r\n") == b"\r\n+CMS ERROR: 304\r\n"
    assert port.ask("AT+CMGF=1", b"303\r\n") == b"\r\n+CMS ERROR: 303\r\n"
    assert port.ask("AT+CNMA", b"340\r\n") == b"\r\n+CMS ERROR: 340\r\n"
    await emulator.call("fault", modem=0, name="cms_error", value=500)
    send(port, emulator.parties["sms_echo"], b"+CMS ERROR: 500\r\n")
    await emulator.call("fault", modem=0, name="cms_error", value=0)
    await emulator.call("registration", modem=0, stat=3)
    send(port, emulator.parties["sms_echo"], b"+CMS ERROR: 331\r\n")
    assert (await emulator.call("sms_sent", modem=0))["messages"] == []


async def test_escape_ends_the_prompt_and_a_prompt_may_be_missing(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask("AT+CMGS=18", b"> ")
    port.write(b"0001\x1b")
    assert port.read_until(b"OK\r\n") == b"\r\nOK\r\n"
    assert port.ask("AT") == b"\r\nOK\r\n"
    await emulator.call("fault", modem=0, name="prompt_missing", value=1)
    port.write(b"AT+CMGS=18\r")
    assert port.quiet(0.3) == b""
    port.write(b"\x1b")
    assert port.read_until(b"OK\r\n") == b"\r\nOK\r\n"


async def test_a_swallowed_answer_leaves_the_message_sent(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    await emulator.call("fault", modem=0, name="swallow_reply", value=1)
    octets, text = submit_pdu(emulator.parties["sms_silent"])
    port.ask(f"AT+CMGS={octets}", b"> ")
    port.write(text.encode() + b"\x1a")
    await messages(emulator, "sms_sent", 1, modem=0)
    assert b"+CMGS" not in port.quiet(0.5)


async def test_direct_messages_need_an_acknowledgement_in_phase_2_plus(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask("AT+CNMI=2,2,0,1,0")
    await emulator.call("sms", to=0, from_="modembank", text="one")
    seen = port.read_until(b"\r\n+CMT: ,") + port.read_until(b"\r\n") + port.read_until(b"\r\n")
    assert re.fullmatch(rb"\r\n\+CMT: ,\d+\r\n0791[0-9A-F]+\r\n", seen)
    await emulator.call("fault", modem=0, name="cnma_s", value=0.4)
    assert port.ask("AT+CSMS=1") == b"\r\n+CSMS: 1,1,1\r\n\r\nOK\r\n"
    await emulator.call("sms", to=0, text="two")
    await emulator.call("sms", to=0, text="three")
    port.read_until(b"+CMT: ,")
    assert port.ask("AT+CNMA").endswith(b"\r\nOK\r\n")
    port.read_until(b"+CMT: ,")  # not acknowledged: routing ends, the network keeps it and it is stored
    await messages(emulator, "sms_inbox", 3, modem=0)
    assert b"+CNMI: 2,0,0,0,0\r\n" in port.ask("AT+CNMI?")
    stored = (await emulator.call("sms_store", modem=0))["messages"]
    assert len(stored) == 1


async def test_direct_reports_and_buffering(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask("AT+CNMI=2,1,0,1,0")
    send(port, "+447700900950", first=0x21)
    report = port.read_until(b"+CDS: ") + port.read_until(b"\r\n") + port.read_until(b"\r\n")
    assert b"06000C91447700099005" in report
    assert report.endswith(b"00\r\n")
    send(port, "+15551230001", first=0x21)
    assert (port.read_until(b"+CDS: ") + port.read_until(b"\r\n") + port.read_until(b"\r\n")).endswith(b"43\r\n")
    port.ask("AT+CNMI=0,1,0,0,0")
    await emulator.call("sms", to=0, text="later")
    await messages(emulator, "sms_inbox", 1, modem=0)
    assert b"+CMTI" not in port.quiet(0.2)
    port.ask("AT+CNMI=2,1,0,0,0")
    port.read_until(b'+CMTI: "SM",0\r\n')


async def test_a_full_store_says_nothing_of_messages_until_there_is_room(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    port.ask('AT+QINDCFG="smsfull",1')
    await emulator.call("fault", modem=0, name="sms_capacity", value=1)
    await emulator.call("sms", to=0, text="one")
    port.read_until(b'+CMTI: "SM",0\r\n')
    await emulator.call("sms", to=0, text="two")
    assert b"+CMTI" not in port.read_until(b'+QIND: "smsfull","SM"\r\n')
    inbox = await emulator.call("sms_inbox", modem=0)
    assert (len(inbox["messages"]), inbox["waiting"]) == (1, 1)
    assert b"+CPMS: 1,1," in port.ask('AT+CPMS="SM","SM","SM"')
    port.ask("AT+CMGD=0")
    port.read_until(b'+CMTI: "SM",0\r\n')


async def test_parts_in_any_order_and_faults_of_delivery(emulator: Bench, open_port: Open) -> None:
    port = await at_port(emulator, open_port)
    answer = await emulator.call("sms", to=0, text="я" * 100, parts=[2, 1, 1], wide_ref=True)
    assert answer["parts"] == 3
    got = await messages(emulator, "sms_inbox", 3, modem=0)
    assert [m["parts"]["seq"] for m in got] == [2, 1, 1]
    await emulator.call("fault", modem=0, name="sms_out_of_order", value=True)
    await emulator.call("fault", modem=0, name="cmti_minus_one", value=True)
    port.quiet(0.1)
    await emulator.call("sms", to=0, text="a" * 200)
    port.read_until(b'+CMTI: "SM",-1\r\n')
    port.read_until(b'+CMTI: "SM",-1\r\n')
    stored = (await emulator.call("sms_store", modem=0))["messages"]
    users = [pdu.read_deliver(pdu.without_centre(pdu.from_hex(str(entry["pdu"]))))[1] for entry in stored[3:]]
    assert [user.concatenation()[2] for user in users] == [2, 1]
    await emulator.call("fault", modem=0, name="sms_out_of_order", value=False)
    await emulator.call("fault", modem=0, name="sms_twice", value=True)
    await emulator.call("sms", to=0, text="twice")
    await messages(emulator, "sms_inbox", 6, modem=0)
    assert len((await emulator.call("sms_store", modem=0))["messages"]) == 7


async def test_wrong_operations_are_refused(emulator: Bench) -> None:
    for values in (
        {"text": "x", "from": "far too long a name"},
        {"text": "я", "alphabet": "gsm7"},
        {"text": "x", "parts": [2]},
        {"pdu": "00"},
        {"pdu": "x"},
    ):
        with pytest.raises(EmulatorError):
            await emulator.call("sms", to=0, **values)

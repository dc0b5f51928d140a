"""The fault switches: each does to the bytes what its name says."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modembank.errors import EmulatorError
from tests.support.emulated_ports import Bench, RawPort

Open = Callable[[Path], RawPort]


@pytest.fixture
async def port(emulator: Bench, open_port: Open) -> RawPort:
    opened = open_port(await emulator.link(0))
    opened.ask("ATE0")
    return opened


async def fault(emulator: Bench, name: str, value: object) -> None:
    await emulator.call("fault", modem=0, name=name, value=value)


async def test_urc_stands_inside_an_answer(emulator: Bench, port: RawPort) -> None:
    await fault(emulator, "urc_inside_answer", True)
    lines = port.ask("AT+CGMM").split(b"\r\n")
    assert lines[1] == b"EC25"
    assert lines[3].startswith(b'+QIND: "csq",')
    assert lines[5] == b"OK"


async def test_urc_comes_in_two_pieces(emulator: Bench, port: RawPort) -> None:
    port.ask('AT+QINDCFG="csq",1,0')
    await fault(emulator, "urc_split", True)
    await emulator.call("signal", modem=0, rssi=5)
    first = port.read_until(b'\r\n+QIND: "')
    assert port.seen == b""
    assert first + port.read_until(b"99\r\n") == b'\r\n+QIND: "csq",5,99\r\n'


async def test_two_urcs_come_in_one_write(emulator: Bench, port: RawPort) -> None:
    port.ask('AT+QINDCFG="csq",1,0')
    await fault(emulator, "urc_pair", True)
    await emulator.call("signal", modem=0, rssi=5)
    await emulator.call("signal", modem=0, rssi=6)
    log = await emulator.call("at_log", modem=0, limit=1)
    port.read_until(b"6,99\r\n")
    assert log["lines"][-1]["bytes"].count("+QIND") == 2


async def test_double_carriage_return(emulator: Bench, port: RawPort) -> None:
    port.ask('AT+QINDCFG="csq",1,0')
    await fault(emulator, "double_cr", True)
    await emulator.call("signal", modem=0, rssi=5)
    assert port.read_until(b"\n", 10) == b"\r\r\n"
    assert port.read_until(b"\n") == b'+QIND: "csq",5,99\r\r\n'


async def test_swallowed_and_late_replies(emulator: Bench, port: RawPort) -> None:
    await fault(emulator, "swallow_reply", 1)
    port.write(b"AT+CGMI\r")
    assert port.ask("AT+CGMM") == b"\r\nEC25\r\n\r\nOK\r\n"
    await fault(emulator, "delay_reply_s", 0.4)
    started = time.monotonic()
    port.ask("AT")
    assert time.monotonic() - started >= 0.35
    port.ask("AT")
    await emulator.call("slow", modem=0, delay_s=0.3)
    started = time.monotonic()
    port.write(b"AT+CGMM\rAT+CGMI\r")
    port.read_until(b"Quectel\r\n\r\nOK\r\n")
    assert time.monotonic() - started >= 0.55


async def test_mute_and_half_hang(emulator: Bench, port: RawPort) -> None:
    port.ask('AT+QINDCFG="csq",1,0')
    await emulator.call("mute", modem=0, on=True)
    port.write(b"AT\r")
    await emulator.call("signal", modem=0, rssi=5)
    assert port.quiet(0.3) == b""
    await emulator.call("mute", modem=0, on=False)
    await emulator.call("hang", modem=0, on=True)
    port.write(b"AT\r")
    await emulator.call("signal", modem=0, rssi=6)
    assert port.quiet(0.3) == b'\r\n+QIND: "csq",6,99\r\n'
    await emulator.call("hang", modem=0, on=False)
    assert port.ask("AT") == b"\r\nOK\r\n"


async def test_unsupported_indications(emulator: Bench, port: RawPort) -> None:
    await fault(emulator, "dsci_unsupported", True)
    await fault(emulator, "ccinfo_unsupported", True)
    assert port.ask("AT^DSCI=1", b"ERROR\r\n") == b"\r\nERROR\r\n"
    assert port.ask('AT+QINDCFG="ccinfo",1,0', b"ERROR\r\n") == b"\r\nERROR\r\n"


async def test_empty_own_number_and_busy_pcm(emulator: Bench, port: RawPort) -> None:
    await fault(emulator, "cnum_empty", True)
    assert port.ask("AT+CNUM") == b"\r\nOK\r\n"
    await fault(emulator, "qpcmv_busy", True)
    assert port.read_until(b"0,0\r\n") == b"\r\n+QPCMV: 0,0\r\n"
    await fault(emulator, "qpcmv_busy", False)
    assert port.read_until(b"1,0\r\n") == b"\r\n+QPCMV: 1,0\r\n"


async def test_gnss_speaks_on_the_audio_port_until_told_not_to(emulator: Bench, port: RawPort, open_port: Open) -> None:
    audio = open_port(await emulator.link(0, "audio"))
    await fault(emulator, "gnss", True)
    assert b"$GPGSV" in audio.read_until(b"\r\n$GPRMC")
    port.ask('AT+QGPSCFG="outport","none"')
    audio.quiet(0.2)
    assert audio.quiet(1.3) == b""


async def test_dropped_device_is_gone_everywhere(emulator: Bench, port: RawPort) -> None:
    before = await emulator.modem(0)
    names = [Path(link).name for link in before["dev"].values()]
    await emulator.call("drop", modem=0)
    with pytest.raises(OSError) as lost:
        for _ in range(100):
            os.write(port.fd, b"AT\r")
    assert lost.value.errno == errno.EIO
    for name in names:
        assert not (emulator.running.dev / name).is_symlink()
        assert not (emulator.running.sys / "bus/usb-serial/devices" / name).is_symlink()
    answer = await emulator.call("readd", modem=0)
    assert not set(answer["dev"].values()) & set(before["dev"].values())
    after = await emulator.modem(0)
    assert (after["imei"], after["iccid"]) == (before["imei"], before["iccid"])


async def test_wrong_requests_are_refused_in_one_sentence(emulator: Bench) -> None:
    for op, values in (
        ("nonsense", {}),
        ("fault", {"modem": 0, "name": "nonsense", "value": 1}),
        ("fault", {"modem": 0, "name": "ppm", "value": "fast"}),
        ("signal", {"modem": 0, "rssi": 40}),
        ("signal", {"modem": 999, "rssi": 4}),
        ("readd", {"modem": 0}),
        ("incoming", {"to": "+447700900888"}),
        ("hangup", {"call": "c99999"}),
        ("heard", {"number": "+447700900666"}),
    ):
        with pytest.raises(EmulatorError) as refused:
            await emulator.call(op, **values)
        assert "\n" not in str(refused.value)
    assert (await emulator.call("seed"))["seed"] == emulator.running.seed

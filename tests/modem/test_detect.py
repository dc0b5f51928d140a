"""What is said of a modem, by what was seen of its ports; the ports themselves are in tests/cli/test_cli_detect.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from modembank.bus.vocabulary import ModemState
from modembank.modem.detect import Device, DeviceState, Served, SoundCard, detect
from modembank.modem.inspection import Order, PortLook, PortState, inspect_ports
from modembank.tty.chassis import Chassis
from modembank.tty.wiring import Wiring
from tests.tty.test_discovery import plug

AT, AUDIO = "/dev/ttyUSB2", "/dev/ttyUSB1"
OURS = PortLook(AT, PortState.HELD, pid=7, program="python3", ours=True)


def seen(tmp_path: Path, at: PortLook, audio: PortLook, served: Served | None = None) -> Device:
    plug(tmp_path, "1-1.4", ("2c7c", "0125"), {number: f"ttyUSB{number}" for number in range(4)})
    looks = {AT: at, AUDIO: audio}

    def inspect(orders: Sequence[Order]) -> dict[str, PortLook]:
        assert [(order.path, order.ask) for order in orders] == [(AT, True), (AUDIO, False)]
        return looks

    rack = detect(
        tmp_path,
        Path("/dev"),
        Chassis(slots={"1-1.4": "A4"}),
        {"1-1.4": served} if served else {},
        inspect=inspect,
    )
    (device,) = rack.devices
    assert device.slot == "A4"
    return device


@pytest.mark.parametrize(
    ("port", "state", "advice"),
    [
        (PortState.NO_PERMISSION, DeviceState.NO_PERMISSION, "dialout"),
        (PortState.MISSING, DeviceState.NO_NODE, "udev"),
        (PortState.HANGS, DeviceState.HANGS, "unplug"),
        (PortState.FAILS, DeviceState.FAILS, "unplug"),
        (PortState.HELD, DeviceState.HELD, "root"),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_either_port_can_be_the_trouble(
    tmp_path: Path, port: PortState, state: DeviceState, advice: str, which: int
) -> None:
    looks = [PortLook(AT, PortState.FREE, answers=True), PortLook(AUDIO, PortState.FREE)]
    looks[which] = replace(looks[which], state=port)
    device = seen(tmp_path, looks[0], looks[1])
    assert device.state is state and advice in device.advice
    assert (AT, AUDIO)[which] in device.detail


def test_a_program_that_holds_a_port_is_named(tmp_path: Path) -> None:
    held = PortLook(AT, PortState.HELD, pid=42, program="ModemManager")
    device = seen(tmp_path, held, PortLook(AUDIO, PortState.FREE))
    assert device.state is DeviceState.HELD and "ModemManager (pid 42)" in device.advice


def test_our_own_server_holds_it(tmp_path: Path) -> None:
    device = seen(tmp_path, OURS, replace(OURS, path=AUDIO))
    assert (device.state, device.advice) == (DeviceState.IN_USE, "") and "pid 7" in device.detail


def test_what_our_own_server_says_of_it(tmp_path: Path) -> None:
    served = Served(state=ModemState.FAILED, detail="no voice", imei="866909030010099")
    device = seen(tmp_path, OURS, replace(OURS, path=AUDIO), served)
    assert device.state is DeviceState.IN_USE and device.imei == served.imei
    assert "failed: no voice" in device.detail and "trace" in device.advice


def test_no_ports_no_process() -> None:
    assert inspect_ports([]) == {}


def test_a_process_that_says_nothing_is_left_behind() -> None:
    looks = inspect_ports([Order("/dev/null", ask=False)], silence_s=0.0)
    assert looks["/dev/null"].state is PortState.HANGS


# ---- sound cards and serial ports ---------------------------------------------------------------------------

SERIAL, LINE = "/dev/null", "hw:CARD=Line"  # a file that is there; nobody opens it
FREE = PortLook(SERIAL, PortState.FREE, answers=True)


def wired(tmp_path: Path, at: PortLook, card: PortState | None, port: str = SERIAL) -> Device:
    def inspect(orders: Sequence[Order]) -> dict[str, PortLook]:
        wanted = [Order(port, ask=True, baud=9600)]
        if card is not None:
            wanted.append(Order(LINE, ask=False, card=True))
        assert list(orders) == wanted
        looks = {port: at}
        return looks | ({LINE: PortLook(LINE, card, "the reason")} if card is not None else {})

    audio = LINE if card is not None else None
    wirings = [Wiring(at=Path(port), family="simcom-a7670", baud=9600, audio=audio)]
    (device,) = detect(tmp_path, Path("/dev"), Chassis(), {}, wirings, inspect=inspect).devices
    assert (device.usb_path, device.usb_id, device.family) == (port, "", "simcom-a7670")
    return device


@pytest.mark.parametrize(
    ("card", "state", "advice"),
    [
        (PortState.FREE, DeviceState.FREE, ""),
        (PortState.MISSING, DeviceState.NO_CARD, "arecord -L"),
        (PortState.HELD, DeviceState.HELD, "sound server"),
        (PortState.NO_PERMISSION, DeviceState.NO_PERMISSION, "audio"),
        (PortState.HANGS, DeviceState.HANGS, "unplug"),
        (PortState.FAILS, DeviceState.FAILS, "serial.modems"),
    ],
)
def test_the_card_of_a_modem_on_a_serial_port(tmp_path: Path, card: PortState, state: DeviceState, advice: str) -> None:
    device = wired(tmp_path, FREE, card)
    assert device.state is state and advice in device.advice and bool(advice) is bool(device.advice)
    assert device.card == SoundCard(name=LINE, wired=True, state=card)


def test_a_serial_port_without_a_card_is_told_to_be_silent(tmp_path: Path) -> None:
    device = wired(tmp_path, FREE, None)
    assert (device.state, device.advice, device.card) == (DeviceState.FREE, "", None)
    assert "silent" in device.detail


def test_a_serial_port_that_is_not_there_is_told_all_the_same(tmp_path: Path) -> None:
    port = str(tmp_path / "ttyUSB9")
    device = wired(tmp_path, PortLook(port, PortState.MISSING), None, port)
    assert device.state is DeviceState.NO_NODE and "serial.modems" in device.advice


def test_a_modem_on_a_serial_port_that_does_not_answer_may_have_another_speed(tmp_path: Path) -> None:
    device = wired(tmp_path, replace(FREE, answers=False), PortState.FREE)
    assert device.state is DeviceState.DEAD and "baud" in device.advice


def test_a_card_that_our_own_server_holds_is_in_a_call(tmp_path: Path) -> None:
    device = wired(tmp_path, replace(OURS, path=SERIAL), PortState.HELD)
    assert (device.state, device.advice) == (DeviceState.IN_USE, "")

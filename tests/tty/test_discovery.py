"""Modems are found by USB topology and interface number, whatever their ttys are called."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from modembank.tty.discovery import ModemPorts, scan, survey

EC25_TTYS = {0: "ttyUSB9", 1: "ttyUSB3", 2: "ttyUSB0", 3: "ttyUSB12"}


def plug(
    root: Path,
    usb_path: str,
    ids: tuple[str, str],
    ttys: dict[int, str],
    classes: dict[int, tuple[str, str, str]] | None = None,
) -> None:
    """Lay a device out as the kernel does: usb-serial's ttys below their interface, cdc-acm's in its folder `tty`."""
    device = root / "devices/pci0000:00/usb1" / usb_path
    device.mkdir(parents=True)
    (device / "idVendor").write_text(ids[0] + "\n")
    (device / "idProduct").write_text(ids[1] + "\n")
    link(root / "bus/usb/devices", device)
    for number, name in ttys.items():
        interface = device / f"{usb_path}:1.{number}"
        interface.mkdir()
        (interface / "bInterfaceNumber").write_text(f"{number:02x}\n")
        files = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
        for file, text in zip(files, (classes or {}).get(number, ("ff", "ff", "ff")), strict=True):
            (interface / file).write_text(text + "\n")
        if name.startswith("ttyACM"):
            (interface / "tty" / name).mkdir(parents=True)
            (interface / "tty" / name / "device").symlink_to(interface)
            link(root / "class/tty", interface / "tty" / name)
        else:
            (interface / name).mkdir()
            link(root / "bus/usb-serial/devices", interface / name)


def link(folder: Path, target: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / target.name).symlink_to(target)


def test_roles_follow_the_interface_number(tmp_path: Path) -> None:
    plug(tmp_path, "1-1.4.2", ("2c7c", "0125"), EC25_TTYS)
    dev = Path("/dev")
    assert scan(tmp_path, dev) == (
        ModemPorts("1-1.4.2", 0x2C7C, 0x0125, dev / "ttyUSB0", dev / "ttyUSB3", "quectel-ec25"),
    )


def test_modems_come_in_the_order_of_their_places(tmp_path: Path) -> None:
    for number, place in enumerate(("1-10", "1-2.10", "2-1", "1-2.9")):
        plug(tmp_path, place, ("2c7c", "0125"), {2: f"ttyUSB{number}"})
    assert [ports.usb_path for ports in scan(tmp_path, tmp_path)] == ["1-2.9", "1-2.10", "1-10", "2-1"]


@pytest.mark.parametrize(
    ("ids", "ttys"),
    [
        (("046d", "c31c"), {2: "ttyUSB0"}),  # a keyboard
        (("2c7c", "0125"), {1: "ttyUSB0"}),  # its AT port has not appeared yet
        (("2c7c", ""), {2: "ttyUSB0"}),  # unplugged while we look
    ],
)
def test_what_is_no_usable_modem_is_left_out(tmp_path: Path, ids: tuple[str, str], ttys: dict[int, str]) -> None:
    plug(tmp_path, "1-1", ids, ttys)
    assert scan(tmp_path, tmp_path) == ()


def test_a_modem_without_audio_port_is_found(tmp_path: Path) -> None:
    plug(tmp_path, "1-1", ("2c7c", "0125"), {2: "ttyUSB0"})
    assert [ports.audio for ports in scan(tmp_path, tmp_path)] == [None]


def test_cdc_acm_ttys_are_found_too(tmp_path: Path) -> None:
    plug(tmp_path, "1-1", ("2c7c", "0125"), {2: "ttyACM4"})
    assert [ports.at.name for ports in scan(tmp_path, tmp_path)] == ["ttyACM4"]


def test_no_usb_at_all(tmp_path: Path) -> None:
    assert scan(tmp_path, tmp_path) == ()


def test_64_modems_are_found_fast(tmp_path: Path) -> None:
    for number in range(64):
        ttys = {interface: f"ttyUSB{4 * number + interface}" for interface in range(4)}
        plug(tmp_path, f"1-{number + 1}", ("2c7c", "0125"), ttys)
    started_s = time.process_time()
    assert len(scan(tmp_path, tmp_path)) == 64
    assert time.process_time() - started_s < 1


@pytest.mark.parametrize(
    ("pid", "at", "audio"), [("1001", 2, 1), ("140c", 3, 2), ("1436", 4, 3), ("14ac", 4, 3), ("1506", 3, 2)]
)
def test_each_huawei_stick_has_its_own_layout(tmp_path: Path, pid: str, at: int, audio: int) -> None:
    plug(tmp_path, "1-1", ("12d1", pid), {number: f"ttyUSB{number}" for number in range(5)})
    (stick,) = scan(tmp_path, Path("/dev"))
    assert (stick.dialect, stick.at.name, stick.audio) == ("huawei-stick", f"ttyUSB{at}", Path(f"/dev/ttyUSB{audio}"))


def test_an_unlisted_huawei_stick_is_known_by_its_classes(tmp_path: Path) -> None:
    classes = {0: ("ff", "01", "01"), 1: ("ff", "01", "02"), 2: ("ff", "01", "03"), 3: ("ff", "02", "02")}
    plug(tmp_path, "1-1", ("12d1", "1c05"), {number: f"ttyUSB{number}" for number in range(4)}, classes)
    (stick,) = scan(tmp_path, Path("/dev"))
    assert (stick.at.name, stick.audio) == ("ttyUSB1", Path("/dev/ttyUSB2"))


def test_a_sim7600_and_a_telephone_of_huawei(tmp_path: Path) -> None:
    plug(tmp_path, "1-1", ("1e0e", "9001"), {number: f"ttyUSB{number}" for number in range(5)})
    plug(tmp_path, "1-2", ("12d1", "107e"), {})
    found = survey(tmp_path, Path("/dev"))
    assert [(one.dialect, one.at.name, one.audio) for one in found.modems] == [
        ("simcom-sim7600", "ttyUSB2", Path("/dev/ttyUSB4"))
    ]
    assert found.problems == ()


def test_what_is_in_the_way_is_said(tmp_path: Path) -> None:
    plug(tmp_path, "1-1", ("12d1", "1446"), {})
    plug(tmp_path, "1-2", ("2c7c", "0125"), {})
    plug(tmp_path, "1-3", ("2c7c", "0125"), {0: "ttyUSB0"})
    plug(tmp_path, "1-4", ("2c7c", "9999"), {0: "ttyUSB1"})
    plug(tmp_path, "1-5", ("046d", "c31c"), {0: "ttyUSB2"})
    found = survey(tmp_path, Path("/dev"))
    assert found.modems == ()
    advice = {one.usb_path: one.advice for one in found.problems}
    assert list(advice) == ["1-1", "1-2", "1-3", "1-4"]
    assert "usb_modeswitch -v 12d1 -p 1446 -J" in advice["1-1"]
    assert "option" in advice["1-2"] and "wait" in advice["1-3"] and "quectel-ec25" in advice["1-4"]

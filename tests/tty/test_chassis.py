"""Chassis files: the shipped ones are right, and a wrong one is told in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from modembank.emulator.sysfs import MODEMS_PER_BUS, place_of
from modembank.errors import SettingsError
from modembank.tty.chassis import Chassis, load_chassis, read_chassis

FOLDER = Path(__file__).resolve().parents[2] / "hardware" / "chassis"
HUB = '[[hubs]]\nat = "1-3"\nlayout = "two"\n'
LAYOUT = '[layouts.two]\n1 = "1"\n2 = "4.1"\n'


def test_every_shipped_file_is_valid() -> None:
    names = {file.name: load_chassis(file) for file in FOLDER.glob("*.toml")}
    assert len(names) >= 2
    rack = names["hub16.toml"]
    assert len(rack.slots) == 32
    assert (rack.slots["1-1.1.1"], rack.slots["1-2.4.4"], rack.hubs["1-2"]) == ("A01", "B16", "lower hub")


def test_the_emulated_rack_has_a_slot_for_every_modem_of_its_first_bus() -> None:
    slots = load_chassis(FOLDER / "emulated.toml").slots
    assert {place_of(index).name for index in range(MODEMS_PER_BUS)} == set(slots)
    assert [slots[place_of(index).name] for index in (0, 6, 7, 97)] == ["01-1", "01-7", "02-1", "14-7"]


def test_without_a_file_nothing_has_a_name() -> None:
    assert load_chassis(None) == Chassis()


def test_a_place_is_the_hubs_path_and_the_port_below_it() -> None:
    assert read_chassis(LAYOUT + HUB).slots == {"1-3.1": "1", "1-3.4.1": "2"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = ", "not valid TOML"),
        ("", "names no hub"),
        ("hubs = 3", "names no hub"),
        (LAYOUT + HUB + "nam = 1", "hub 1: nobody knows nam"),
        ("size = 1\n" + LAYOUT + HUB, "nobody knows size"),
        (LAYOUT + '[[hubs]]\nlayout = "two"', "hub 1: at is missing"),
        (LAYOUT + '[[hubs]]\nat = "1-3"\nlayout = 2', "hub 1: layout is no text"),
        (LAYOUT + '[[hubs]]\nat = "ttyUSB0"\nlayout = "two"', "USB path of a hub"),
        (LAYOUT + '[[hubs]]\nat = "1-3"\nlayout = "six"', "there is no layout six; there are two"),
        (LAYOUT + HUB + HUB, "1-3 is named twice"),
        (LAYOUT + HUB + HUB.replace("1-3", "1-4"), "give each hub a prefix"),
        (LAYOUT + HUB + HUB.replace("1-3", "1-4") + 'prefix = "x"', None),
        (LAYOUT.replace("4.1", "4-1") + HUB, 'is written as "1.2"'),
        (LAYOUT.replace('"1"', "1") + HUB, 'is written as "1.2"'),
        (LAYOUT.replace("4.1", "1") + HUB, "one port path to several slots"),
        ("layouts = 1\n" + HUB, "layouts is no table"),
        ("[layouts.two]\n" + HUB, "layout two names no slot"),
        (LAYOUT + HUB + f'prefix = "{"x" * 40}"', "at most 40"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str | None, tmp_path: Path) -> None:
    file = tmp_path / "rack.toml"
    file.write_text(text)
    if words is None:
        assert load_chassis(file).slots
        return
    with pytest.raises(SettingsError) as told:
        load_chassis(file)
    assert words in str(told.value)
    assert str(file) in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"serial\.chassis"):
        load_chassis(tmp_path / "none.toml")

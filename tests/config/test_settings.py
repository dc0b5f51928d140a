"""Settings that cannot work are told in one sentence; misspelt ones do not vanish."""

from __future__ import annotations

import json

import pytest

from modembank.config import load_settings, unknown_variables
from modembank.errors import SettingsError
from modembank.service.wirings import wirings_of


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEMBANK_HTTP__PROT", "8090")
    monkeypatch.setenv("MODEMBANK_HTTP__PORT", "8090")
    monkeypatch.setenv("MODEMBANK_URL", "http://127.0.0.1:8090")
    assert unknown_variables() == ("MODEMBANK_HTTP__PROT",)


def test_a_wrong_value_names_its_setting_and_where_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEMBANK_HTTP__PORT", "many")
    with pytest.raises(SettingsError, match=r"http\.port.*MODEMBANK_HTTP__PORT"):
        load_settings()


@pytest.mark.parametrize(
    ("modem", "why"),
    [
        ({}, "either at"),
        ({"at": "/dev/ttyS0", "usb_path": "1-1"}, "either at"),
        ({"usb_path": "1-1"}, "audio"),
        ({"at": "/dev/ttyS0", "audio": "hw:CARD=A B"}, "audio"),
        ({"at": "/dev/ttyS0", "baud": 300}, "baud"),
    ],
)
def test_a_modem_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, modem: object, why: str) -> None:
    monkeypatch.setenv("MODEMBANK_SERIAL__MODEMS", json.dumps([modem]))
    with pytest.raises(SettingsError, match=why):
        load_settings()


def test_modems_of_the_settings_reach_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    modems = [{"at": "/dev/ttyS0", "family": "simcom-sim800"}, {"usb_path": "1-1", "audio": "hw:CARD=Line"}]
    monkeypatch.setenv("MODEMBANK_SERIAL__MODEMS", json.dumps(modems))
    first, second = wirings_of(load_settings().serial)
    assert (str(first.at), first.family, first.baud, first.audio) == ("/dev/ttyS0", "simcom-sim800", 115_200, None)
    assert (second.usb_path, second.audio) == ("1-1", "hw:CARD=Line")


@pytest.mark.parametrize(
    ("modems", "why"),
    [
        ([{"at": "/dev/ttyS0", "family": "nokia"}], "no family nokia; there are generic"),
        ([{"at": "/dev/ttyS0"}, {"at": "/dev/ttyS0"}], "named twice"),
    ],
)
def test_modems_that_contradict_are_refused(monkeypatch: pytest.MonkeyPatch, modems: object, why: str) -> None:
    monkeypatch.setenv("MODEMBANK_SERIAL__MODEMS", json.dumps(modems))
    with pytest.raises(SettingsError, match=why):
        wirings_of(load_settings().serial)

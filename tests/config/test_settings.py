"""Settings that cannot work are told in one sentence; misspelt ones do not vanish."""

from __future__ import annotations

import pytest

from modembank.config import load_settings, unknown_variables
from modembank.errors import SettingsError


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEMBANK_HTTP__PROT", "8090")
    monkeypatch.setenv("MODEMBANK_HTTP__PORT", "8090")
    monkeypatch.setenv("MODEMBANK_URL", "http://127.0.0.1:8090")
    assert unknown_variables() == ("MODEMBANK_HTTP__PROT",)


def test_a_wrong_value_names_its_setting_and_where_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEMBANK_HTTP__PORT", "many")
    with pytest.raises(SettingsError, match=r"http\.port.*MODEMBANK_HTTP__PORT"):
        load_settings()

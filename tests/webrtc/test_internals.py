"""The check that the libraries are the ones we know."""

from __future__ import annotations

import pytest
from aiortc import RTCDtlsTransport

from modembank.errors import MediaError
from modembank.webrtc import internals


def test_a_release_of_another_shape_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCDtlsTransport, "_set_role")
    internals.check_shape.cache_clear()
    with pytest.raises(MediaError, match=r"RTCDtlsTransport\._set_role.*requirements\.lock"):
        internals.check_shape()
    monkeypatch.undo()
    internals.check_shape()

"""The history of signal and registration as the API shows it."""

from __future__ import annotations

from pydantic import Field

from modembank.api.schemas.common import Answer, Timestamp
from modembank.bank.radio import RadioKind


class RadioMoment(Answer):
    """A step of signal samples, or a change of registration."""

    at: Timestamp
    kind: RadioKind
    modem_id: str
    sim_id: str | None
    samples: int = Field(description="How many samples were joined; 1 for a change.")
    rssi_dbm: int | None = Field(description="Mean of the samples.")
    rssi_min_dbm: int | None
    rssi_max_dbm: int | None
    registration: str
    before: str | None = Field(description="The registration before a change.")
    operator: str | None
    plmn: str | None
    access: str | None
    cause: str | None = Field(description="Why there is no network, where that is known.")

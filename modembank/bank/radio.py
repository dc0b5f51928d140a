"""Signal and registration over time: rows from what is known live, and fewer, longer steps from many rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from modembank.bank.views import Live
from modembank.bus.vocabulary import ModemState
from modembank.store.models import RadioRow


class RadioKind(StrEnum):
    """What a moment of the history is."""

    SIGNAL = "signal"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioMoment:
    """A step of signal samples (mean, least, most in dBm; None without a signal), or a change of registration.

    `at` is the first sample's time. `before` and `cause` are of a change only; `cause` says why the modem has no
    network, where that is known.
    """

    at: datetime
    kind: RadioKind
    modem_id: str
    sim_id: str | None
    samples: int
    rssi_dbm: int | None
    rssi_min_dbm: int | None
    rssi_max_dbm: int | None
    registration: str
    before: str | None
    operator: str | None
    plmn: str | None
    access: str | None
    cause: str | None


def sample(live: Live, at: datetime) -> RadioRow:
    """The signal of a modem now."""
    return _row(RadioKind.SIGNAL, live, at, before=None)


def transition(before: Live | None, live: Live, at: datetime) -> RadioRow | None:
    """The change of registration between two moments; None when there is none."""
    was = before.snapshot.registration if before is not None else None
    same_card = before is not None and before.snapshot.iccid == live.snapshot.iccid
    if (was == live.snapshot.registration and same_card) or live.sim is None:
        return None
    return _row(RadioKind.REGISTRATION, live, at, before=was if same_card else None)


def _row(kind: RadioKind, live: Live, at: datetime, before: str | None) -> RadioRow:
    snapshot = live.snapshot
    lost = snapshot.state not in {ModemState.READY, ModemState.IN_CALL}
    return RadioRow(
        at=at,
        kind=kind,
        modem_id=live.modem.id,
        sim_id=live.sim.id if live.sim else None,
        rssi_dbm=snapshot.rssi_dbm,
        registration=snapshot.registration,
        before=before,
        operator=snapshot.operator,
        plmn=snapshot.plmn,
        access=snapshot.access,
        cause=(snapshot.denial or snapshot.state_detail or None) if lost and kind is RadioKind.REGISTRATION else None,
    )


def moments(rows: Sequence[RadioRow], step_s: float, limit: int) -> tuple[list[RadioMoment], int]:
    """Join samples that fall into one step of `step_s` seconds of the clock; changes stay as they are.

    Returns:
        At most `limit` moments, and how many of the rows they are made of: where the next page begins.
    """
    found: list[RadioMoment] = []
    steps: dict[tuple[str, str | None, float], int] = {}  # modem, SIM, number of the step -> place in `found`
    sums: dict[int, tuple[int, int]] = {}
    for used, row in enumerate(rows):
        moment = _moment(row)
        key = (row.modem_id, row.sim_id, row.at.timestamp() // step_s) if step_s else None
        place = steps.get(key) if key is not None and moment.kind is RadioKind.SIGNAL else None
        if place is None:
            if len(found) >= limit:
                return found, used
            place = len(found)
            found.append(moment)
            sums[place] = (0, 0)
            if key is not None and moment.kind is RadioKind.SIGNAL:
                steps[key] = place
        else:
            found[place] = replace(found[place], samples=found[place].samples + 1)
        if row.rssi_dbm is not None:
            found[place], sums[place] = _joined(found[place], sums[place], row.rssi_dbm)
    return found, len(rows)


def _joined(moment: RadioMoment, total: tuple[int, int], rssi_dbm: int) -> tuple[RadioMoment, tuple[int, int]]:
    count, dbm = total[0] + 1, total[1] + rssi_dbm
    least = rssi_dbm if moment.rssi_min_dbm is None else min(moment.rssi_min_dbm, rssi_dbm)
    most = rssi_dbm if moment.rssi_max_dbm is None else max(moment.rssi_max_dbm, rssi_dbm)
    return replace(moment, rssi_dbm=round(dbm / count), rssi_min_dbm=least, rssi_max_dbm=most), (count, dbm)


def _moment(row: RadioRow) -> RadioMoment:
    return RadioMoment(
        at=row.at,
        kind=RadioKind(row.kind),
        modem_id=row.modem_id,
        sim_id=row.sim_id,
        samples=1,
        rssi_dbm=None,
        rssi_min_dbm=None,
        rssi_max_dbm=None,
        registration=row.registration,
        before=row.before,
        operator=row.operator,
        plmn=row.plmn,
        access=row.access,
        cause=row.cause,
    )

"""Tells of a hub's failure once, and of its end once; see `incidents` for what counts as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from modembank.bus.events import AnyEvent, HostIncident
from modembank.bus.vocabulary import IncidentPhase
from modembank.host.incidents import HubLoss, find_hub_losses, hubs_of

log = logging.getLogger(__name__)

WINDOW_S = 5.0  # what goes within that time goes together: two looks, and the kernel's own pace
SETTLE_S = 1.0  # from the first loss that was seen: the others of its hub may be seen a look later
RETURN_S = 60.0  # after the first modem came back the others follow within that; what does not is missing
SPREAD_S = 0.05  # a modem: all bring-ups of a hub at once would take its power again


@dataclass(slots=True)
class _Incident:
    hub: str
    modems: set[str]
    first_back_s: float | None = None


class HubWatch:
    """Fed with what each look at the bus found."""

    def __init__(
        self, host_id: str, publish: Callable[[AnyEvent], None], expect: Callable[[str], None], patience: float
    ) -> None:
        """`expect` is told of each modem that is missing when an incident is over."""
        self._host_id = host_id
        self._publish = publish
        self._expect = expect
        self._patience = patience
        self._gone: dict[str, float] = {}
        self._known: dict[str, float] = {}  # when it was last there
        self._open: dict[str, _Incident] = {}
        self._settling: asyncio.TimerHandle | None = None

    def look(self, gone: Collection[str], present: Collection[str], known: Collection[str]) -> None:
        """Take in a look: who went since the last one, who is there, who was there before."""
        now_s = asyncio.get_running_loop().time()
        self._gone |= dict.fromkeys(gone, now_s)
        self._known |= dict.fromkeys((*known, *present), now_s)
        recent_s = now_s - WINDOW_S
        self._gone = {path: at_s for path, at_s in self._gone.items() if at_s >= recent_s and path not in present}
        self._known = {path: at_s for path, at_s in self._known.items() if at_s >= recent_s}
        if gone and self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(SETTLE_S, self._judge)
        for incident in list(self._open.values()):
            self._follow(incident, present, now_s)

    def spread_s(self, usb_path: str) -> float:
        """Within which time a modem that came back should be opened, at random; 0 outside incidents."""
        incident = next((one for hub, one in self._open.items() if hub in hubs_of(usb_path)), None)
        return 0.0 if incident is None else SPREAD_S * len(incident.modems) * self._patience

    def _judge(self) -> None:
        self._settling = None
        for loss in find_hub_losses(self._gone, self._known):
            self._begin(loss)

    def _begin(self, loss: HubLoss) -> None:
        inner = [hub for hub in self._open if hub == loss.hub or loss.hub in hubs_of(hub)]
        if loss.hub in self._open or any(hub in self._open for hub in hubs_of(loss.hub)):
            self._grow(loss)
            return
        for hub in inner:  # the failure is a larger one than it looked at first
            del self._open[hub]
        self._open[loss.hub] = _Incident(loss.hub, set(loss.modems))
        count = len(loss.modems)
        detail = f"{count} modems behind hub {loss.hub} went away together: look at the hub, its cable and its power"
        log.error("%s", detail)
        self._tell(self._open[loss.hub], IncidentPhase.BEGAN, (), detail)

    def _grow(self, loss: HubLoss) -> None:
        for hub in (loss.hub, *hubs_of(loss.hub)):
            if hub in self._open:
                self._open[hub].modems.update(loss.modems)

    def _follow(self, incident: _Incident, present: Collection[str], now_s: float) -> None:
        missing = tuple(sorted(incident.modems - set(present)))
        if len(missing) == len(incident.modems):
            incident.first_back_s = None
            return
        if incident.first_back_s is None:
            incident.first_back_s = now_s
        if missing and now_s - incident.first_back_s < RETURN_S * self._patience:
            return
        del self._open[incident.hub]
        back = len(incident.modems) - len(missing)
        detail = f"hub {incident.hub} is back with {back} of {len(incident.modems)} modems"
        if missing:
            detail += f"; missing: {', '.join(missing)}"
        log.warning("%s", detail)
        self._tell(incident, IncidentPhase.OVER, missing, detail)
        for usb_path in missing:
            self._expect(usb_path)

    def _tell(self, incident: _Incident, phase: IncidentPhase, missing: tuple[str, ...], detail: str) -> None:
        self._publish(
            HostIncident(
                host_id=self._host_id,
                at=datetime.now(UTC),
                hub=incident.hub,
                phase=phase,
                modems=tuple(sorted(incident.modems)),
                missing=missing,
                detail=detail,
            )
        )

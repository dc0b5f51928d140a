"""From the settings' modems to the host's."""

from __future__ import annotations

from modembank.config import SerialSettings
from modembank.dialects import DIALECTS
from modembank.errors import SettingsError
from modembank.tty.wiring import Wiring


def wirings_of(settings: SerialSettings) -> tuple[Wiring, ...]:
    """Return what the settings say of modems.

    Raises:
        SettingsError: an unknown family, or one place named twice.
    """
    known = {dialect.name for dialect in DIALECTS}
    places: set[str] = set()
    for one in settings.modems:
        place = str(one.at or one.usb_path)
        if one.family not in known:
            raise SettingsError(f"serial.modems: no family {one.family}; there are {', '.join(sorted(known))}")
        if place in places:
            raise SettingsError(f"serial.modems: {place} is named twice")
        places.add(place)
    return tuple(
        Wiring(usb_path=one.usb_path, at=one.at, family=one.family, baud=one.baud, audio=one.audio)
        for one in settings.modems
    )

"""Registration, operator and signal of one modem, with their URCs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

LAC, CELL = "1A2B", "1C3D401"
SEARCHING = 2
HOME = 1
ROAMING = 5
DENIED = 3
OFF = 0
REGISTER_S = 0.5
"""From searching to registered in the emulated network; a real one takes 2 to 30 s."""

E_UTRAN = 7
ACCESS_NAMES = {0: "GSM", 2: "WCDMA", 7: "LTE"}
VOICE_STATES = frozenset({HOME, ROAMING, 9, 10})
"""6 and 7 are SMS only. Source: 3GPP TS 27.007 clause 7.2."""


@dataclass(slots=True)
class Radio:
    """What the modem sees of the network. `rssi` is the value of +CSQ, 0 to 31 or 99."""

    modem: Modem
    rssi: int
    stat: int = HOME
    wanted: int = HOME
    act: int = E_UTRAN
    functionality: int = 1
    selection: int = 0
    reject: int = 0
    """Why the network refuses the card, 0 for no cause told. Source: 3GPP TS 24.008 clause 10.5.3.6."""

    def serves_voice(self) -> bool:
        """Return whether a call can be made or taken now."""
        return self.modem.serves() and self.functionality == 1 and self.stat in VOICE_STATES

    def has_bearer(self) -> bool:
        """Return whether the LTE default bearer stands in +CLCC at index 1."""
        return self.modem.family.bearer and self.act == E_UTRAN and self.stat in VOICE_STATES | {6, 7}

    def search(self) -> None:
        """Look for the network and register as the network wants it."""
        if not self.modem.serves() or self.functionality != 1:
            self.become(OFF)
            return
        self.become(SEARCHING)
        self.modem.timers.after(REGISTER_S, self._settle)

    def become(self, stat: int) -> None:
        """Change the registration state, say so, and drop the calls that it costs."""
        if stat == self.stat:
            return
        self.stat = stat
        if stat not in VOICE_STATES:
            self.modem.voice.drop_all()
            self.modem.ussd.reset()
        for name, mode in self.modem.volatile.creg.items():
            if mode:
                self.modem.urc(f"{name}: {self.location(mode)}")
        self.modem.messages.wake()
        self.modem.publish("registration", stat=stat)

    def set_signal(self, rssi: int) -> None:
        """Change the signal strength and say so where asked."""
        self.rssi = rssi
        self.modem.family.manners.signal_changed(self.modem)

    def location(self, mode: int) -> str:
        """Return `<stat>[,"<lac>","<ci>",<AcT>]` as modes 1 and 2 show it."""
        if mode >= 2 and self.stat in VOICE_STATES | {6, 7}:
            return f'{self.stat},"{LAC}","{CELL}",{self.act}'
        if mode == 3 and self.stat == DENIED and self.reject:
            return f"{self.stat},,,,0,{self.reject}"
        return str(self.stat)

    def rsrp_dbm(self) -> int:
        """Return a reference signal power that fits to the signal strength."""
        return -140 + round(min(self.rssi, 31) * 2.2)

    def _settle(self) -> None:
        stuck = self.modem.faults.stuck == "radio"
        if self.stat == SEARCHING and self.modem.serves() and self.functionality == 1 and not stuck:
            self.become(self.wanted)
            if self.modem.volatile.indications["act"]:
                self.modem.urc(f'+QIND: "act","{ACCESS_NAMES[self.act]}"')

"""What one modem suffers from until a step of healing frees it, and the switches of its USB place that do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.settings import CURES
from modembank.emulator.switches import Switches
from modembank.emulator.sysfs import SysTree
from modembank.emulator.timers import Timers

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

FLOOD_STEP_S = 0.05


class Ailments:
    """The fault switches `stuck` and `urc_flood` of one modem, and its `authorized` and `disable` in `/sys`."""

    def __init__(self, modem: Modem, sys: SysTree, switches: Switches) -> None:
        self._modem = modem
        self._sys = sys
        self._switches = switches
        self._flood_timer = Timers()
        self._is_logged_off = False
        if modem.family.usb is not None:
            switches.watch(sys.port_switch(modem.place), self._switch_power)

    def shown(self) -> None:
        """The device stands in `/sys` (anew)."""
        self._switches.watch(self._sys.authorized(self._modem.place), self._authorize)

    def vanish(self) -> None:
        """Leave the bus, whatever it is there as."""
        if self._is_logged_off:
            self._is_logged_off = False
            self._sys.remove(self._modem.place, self._modem.family.tty, {})
        elif self._modem.present or self._modem.is_storage:
            self._modem.unplug()

    def cure(self, step: str) -> None:
        """A step of healing: it frees a modem that is stuck in no deeper way."""
        stuck = self._modem.faults.stuck
        if CURES.index(step) >= CURES.index("restart"):
            self._modem.faults.ghost_call = False
        if stuck and CURES.index(stuck) <= CURES.index(step):
            self._modem.faults.stuck = ""
            self._modem.publish("cured", step=step)

    def port_closed(self) -> None:
        """A host has closed the AT port."""
        self.cure("reopen")

    def flood(self) -> None:
        """Say hundreds of lines a second, while the fault switch says so."""
        self._flood_timer.cancel()
        lines = round(self._modem.faults.urc_flood * FLOOD_STEP_S)
        for number in range(lines):
            self._modem.urc(f'+QIND: "csq",{number % 32},99')
        if lines:
            self._flood_timer.after(FLOOD_STEP_S, self.flood)

    def _authorize(self, text: str) -> None:
        """`authorized` was written: 0 logs the device off, 1 logs it on. Source: ABI sysfs-bus-usb."""
        modem = self._modem
        if text == "0" and modem.present:
            modem.unplug()
            self._sys.add_logged_off(modem.place, modem.family)
            self.shown()
            self._is_logged_off = True
        elif text == "1" and self._is_logged_off:
            self.vanish()
            self.cure("usb")
            modem.boot()

    def _switch_power(self, text: str) -> None:
        """`disable` of the port was written: with the power a modem loses everything but its flash."""
        modem = self._modem
        if text == "1":
            self.vanish()
            modem.timers.cancel()
        elif not (modem.present or modem.is_storage or self._is_logged_off):
            self.cure("power")
            modem.boot()

"""Quectel EC25 and its like. Source: hardware facts sections 2 and 4."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modembank.emulator.commands import COMMON
from modembank.emulator.family import Card, Family, Manners, UsbIdentity
from modembank.emulator.identity import number_type
from modembank.emulator.voice import Call, CallState

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

DSCI_STATES = {
    CallState.ACTIVE: 3,
    CallState.HELD: 1,
    CallState.DIALING: 2,
    CallState.ALERTING: 7,
    CallState.INCOMING: 4,
    CallState.WAITING: 5,
    CallState.ENDED: 6,
}
"""`<stat>` of ^DSCI. Source: EC2x AT manual section 7.23 (hardware facts section 4.3)."""


class QuectelManners(Manners):
    """^DSCI and +QIND."""

    def call_changed(self, modem: Modem, call: Call, state: CallState) -> None:
        """Tell a state by ^DSCI and ccinfo, where the host asked for them."""
        self._tell_dsci(modem, call, state, 0)
        indications = modem.volatile.indications
        if indications["all"] and indications["ccinfo"]:
            direction = 0 if call.outgoing else 1
            facts = f'{call.index},{direction},{int(state)},0,0,"{call.number}",{number_type(call.number)}'
            modem.urc(f'+QIND: "ccinfo",{facts}')

    def early_media(self, modem: Modem, call: Call) -> None:
        """Tell the dialling call again: tone_info 1, the network plays."""
        self._tell_dsci(modem, call, call.state, 1)

    def digit_heard(self, modem: Modem, digit: str) -> None:
        """Tell a DTMF digit by its ASCII number. Source: hardware facts section 4.3, +QTONEDET."""
        if modem.simple("+QTONEDET") == 1:
            modem.urc(f"+QTONEDET: {ord(digit)}")

    def signal_changed(self, modem: Modem) -> None:
        """Tell the signal strength."""
        indications = modem.volatile.indications
        if indications["all"] and indications["csq"]:
            modem.urc(f'+QIND: "csq",{modem.radio.rssi},99')

    def store_full(self, modem: Modem, store: str) -> None:
        """Tell which store is full."""
        indications = modem.volatile.indications
        if indications["all"] and indications["smsfull"]:
            modem.urc(f'+QIND: "smsfull","{store}"')

    def _tell_dsci(self, modem: Modem, call: Call, state: CallState, tone: int) -> None:
        if modem.volatile.dsci:
            facts = f"{call.number},{number_type(call.number)},{tone}"
            modem.urc(f"^DSCI: {call.index},{0 if call.outgoing else 1},{DSCI_STATES[state]},0,{facts}")


EC25 = Family(
    "quectel-ec25",
    UsbIdentity("2c7c", "0125", "Quectel", "EC25-E"),
    {0: "diag", 1: "audio", 2: "at", 3: "modem"},
    "Quectel",
    "EC25",
    "EC25EFAR06A06M4G",
    COMMON,
    QuectelManners(),
    bearer=True,
    power_on=("RDY",),
    sim_ready=("+CPIN: READY", "+QUSIM: 1"),
    all_ready=("+QIND: SMS DONE", "+QIND: PB DONE"),
    card=Card("Android", 5),
)

EC25_UAC = replace(EC25, name="quectel-ec25-uac", config={"usbcfg": "0x2C7C,0x125,1,1,1,1,1,0,1"})
"""The same module after `AT+QCFG="usbcfg"` has switched its USB audio device on."""

"""What is known of a modem, kept in one place: every change passes here, gets its state, and is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from modembank.at.identity import SimStatus
from modembank.at.network import Registration
from modembank.at.pin import PinState
from modembank.media.records import AudioPlace
from modembank.modem.bringup import Card, Identity, Network
from modembank.modem.events import ModemSink
from modembank.modem.info import ModemInfo, ModemState
from modembank.modem.state import Facts, derive_state
from modembank.tty.discovery import ModemPorts


class Snapshot:
    """Holds the ModemInfo. While the port is closed the state is opening or lost, else it follows from the facts."""

    def __init__(self, ports: ModemPorts, sink: ModemSink, in_call: Callable[[], bool]) -> None:
        self._ports = ports
        self._sink = sink
        self._in_call = in_call
        self._open = False
        self._started = False
        self._sim: SimStatus | None = None
        self._fault = self._note = ""
        self.info = _blank(ports, ModemState.LOST, "not opened yet")

    @property
    def sim(self) -> SimStatus | None:
        """The SIM's state, None when it has to be read (again)."""
        return self._sim

    def opening(self) -> None:
        """Forget everything: another device may be in this place now."""
        self._open, self._started, self._sim, self._fault, self._note = False, False, None, "", ""
        self._tell(_blank(self._ports, ModemState.OPENING, ""))

    def opened(self) -> None:
        """The port is open."""
        self._open = True
        self.refresh()

    def lost(self, why: str) -> None:
        """The port is closed; the first reason stays."""
        self._open = False
        if self.info.state is not ModemState.LOST:
            self._tell(replace(self.info, state=ModemState.LOST, state_detail=why))

    def starting(self) -> None:
        """The modem is being set up (again); its SIM has to be read."""
        self._started, self._sim = False, None
        self.refresh()

    def started(self) -> None:
        """The modem is set up."""
        self._started = True
        self.refresh()

    def set_identity(self, identity: Identity) -> None:
        """Who the modem is."""
        self._show(
            replace(
                self.info,
                manufacturer=identity.manufacturer,
                model=identity.model,
                revision=identity.revision,
                imei=identity.imei,
            )
        )

    def set_voice(self, voice: bool, fault: str, note: str = "", place: AudioPlace | None = None) -> None:
        """Whether calls can be carried, what makes the modem useless, if anything, what to know of it otherwise, and
        where its voice was proven to be.
        """
        self._fault, self._note = fault, note
        port = self.info.audio_port if place is None else place.name
        self._show(replace(self.info, voice=voice, audio_port=port))

    def doubt_sim(self) -> None:
        """Something happened to the SIM."""
        self._sim = None
        self.refresh()

    def set_sim(self, status: SimStatus, card: Card, lock: PinState | None) -> None:
        """The SIM was read."""
        self._sim = status
        self._show(replace(self.info, iccid=card.iccid, imsi=card.imsi, number=card.number, lock=lock))

    def set_network(self, network: Network) -> None:
        """Registration, operator and signal were read."""
        self._show(
            replace(
                self.info,
                registration=network.registration,
                operator=network.operator,
                plmn=network.plmn,
                access=network.access,
                rssi_dbm=network.rssi_dbm,
                denial=network.denial,
            )
        )

    def set_registration(self, registration: Registration) -> None:
        """A URC told of another registration."""
        self._show(replace(self.info, registration=registration))

    def set_signal(self, rssi_dbm: int) -> None:
        """A URC told of another signal strength."""
        self._show(replace(self.info, rssi_dbm=rssi_dbm))

    def set_asking(self, asking: bool) -> None:
        """Whether the network is being asked about the SIM, which keeps the port occupied."""
        self._show(replace(self.info, asking=asking))

    def refresh(self) -> None:
        """A fact changed that only the state shows, such as a call."""
        self._show(self.info)

    def _show(self, info: ModemInfo) -> None:
        if self._open:
            facts = Facts(
                self._started,
                self._sim,
                info.registration,
                self._in_call(),
                self._fault,
                info.lock,
                info.denial,
                self._note,
            )
            state, detail = derive_state(facts)
            info = replace(info, state=state, state_detail=detail)
        self._tell(info)

    def _tell(self, info: ModemInfo) -> None:
        if info != self.info:
            self.info = info
            self._sink.modem_changed(info)


def _blank(ports: ModemPorts, state: ModemState, detail: str) -> ModemInfo:
    return ModemInfo(
        usb_path=ports.usb_path,
        dialect=ports.dialect,
        state=state,
        state_detail=detail,
        manufacturer=None,
        model=None,
        revision=None,
        imei=None,
        iccid=None,
        imsi=None,
        number=None,
        registration=Registration.UNKNOWN,
        operator=None,
        plmn=None,
        access=None,
        rssi_dbm=None,
        voice=False,
        at_port=str(ports.at),
        audio_port=ports.card or (str(ports.audio) if ports.audio is not None else None),
        slot=ports.slot,
    )

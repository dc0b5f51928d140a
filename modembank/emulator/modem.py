"""One emulated modem: its USB device, its settings, its SIM and its parts."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from modembank.emulator.ailments import Ailments
from modembank.emulator.audio import NMEA, AudioClock, AudioCounters, AudioStream
from modembank.emulator.cards import Cards, CardUnit
from modembank.emulator.commands.simple import current
from modembank.emulator.family import Family
from modembank.emulator.identity import Sim, make_imei, make_sim
from modembank.emulator.journal import Journal
from modembank.emulator.messages import MessageUnit
from modembank.emulator.network import Network
from modembank.emulator.pin import Lock
from modembank.emulator.ports import Port, PortHub
from modembank.emulator.radio import OFF, Radio
from modembank.emulator.session import AtSession
from modembank.emulator.settings import PCM_OFF, Faults, Persistent, Volatile
from modembank.emulator.switches import Switches
from modembank.emulator.sysfs import SysTree, UsbPlace, place_of
from modembank.emulator.timers import Timers
from modembank.emulator.ussd import UssdUnit
from modembank.emulator.voice import VoiceUnit
from modembank.errors import EmulatorError

AT, MODEM, AUDIO, CARD = "at", "modem", "audio", "card"
READY_AFTER_SIM_S = 0.3
PHASE_STEPS = 10


class Rack:
    """What all modems of an emulator share."""

    def __init__(
        self,
        dev: Path,
        sys: SysTree,
        hub: PortHub,
        cards: Cards,
        network: Network,
        journal: Journal,
        switches: Switches,
    ) -> None:
        self.dev = dev
        self.sys = sys
        self.hub = hub
        self.cards = cards
        self.network = network
        self.journal = journal
        self.switches = switches
        self.clock = AudioClock()


class Modem:
    """One modem; `present` while it is on the USB bus."""

    def __init__(self, rack: Rack, seed: int, index: int, family: Family) -> None:
        chance = random.Random(f"{seed}:{index}")
        self.index = index
        self.family: Family = family
        self.place: UsbPlace = place_of(index)
        self.sim: Sim | None = make_sim(seed, index)
        self.volatile = Volatile(stores=(family.store,) * 3)
        self.persistent = Persistent(gps_outport="usbnmea")
        self.persistent.config.update(family.config)
        self.faults = Faults()
        self.counters = AudioCounters()
        self.timers = Timers()
        self.present = False
        self.is_storage = False
        self.sim_ready = True
        self.network = rack.network
        self.sessions = {role: AtSession(self) for role in (AT, MODEM) if role in family.roles.values()}
        self.radio = Radio(self, rssi=chance.randrange(14, 29), act=family.act)
        self.voice = VoiceUnit(self)
        self.messages = MessageUnit(self)
        self.ussd = UssdUnit(self)
        self._rack = rack
        self._imei = make_imei(seed, index)
        self._phase_s = 0.02 * chance.randrange(PHASE_STEPS) / PHASE_STEPS
        self._numbers: dict[int, int] = {}
        self._ports: dict[str, Port] = {}
        self._card: CardUnit | None = None
        self._gnss_timer = Timers()
        self.ailments = Ailments(self, rack.sys, rack.switches)
        self._attach(self.sim)

    @property
    def imei(self) -> str:
        """Return the IMEI that the modem tells."""
        return self.faults.imei or self._imei

    @property
    def audio_port(self) -> Port | None:
        """Return the port that carries voice, if the device is there and has one."""
        return self._ports.get(AUDIO)

    @property
    def place_name(self) -> str:
        """Return where it is: the kernel's name of its USB device, or its serial port."""
        return self.place.name if self.family.usb is not None else str(self._serial_port)

    def links(self) -> dict[str, str]:
        """Return the names in `dev/` by role, empty while the device is away; `card` is its sound card's ALSA name."""
        names = {role: str(port.link) for role, port in self._ports.items()}
        return names if self._card is None else names | {CARD: f"hw:CARD={self._card.name}"}

    def simple(self, name: str) -> int:
        """Return the first value of a setting of `commands/simple.py`."""
        return current(self, name)[0]

    @property
    def first_slot(self) -> int:
        """Return the number of a message store's first slot."""
        return self.family.first_slot

    def urc(self, text: str) -> None:
        """Say something unasked on the port that `AT+QURCCFG` names."""
        if self.present:
            self.sessions[AT if self.persistent.urc_port == "usbat" else MODEM].urc(text)

    def wants_16khz(self) -> bool:
        """Return whether the host chose 16 kHz audio."""
        return "+CPCMFRM" in self.family.handlers and self.simple("+CPCMFRM") == 1

    def publish(self, event: str, **facts: object) -> None:
        """Tell the watchers of the control socket."""
        self._rack.journal.publish(event, modem=self.index, **facts)

    def start_audio(self, stream: AudioStream) -> None:
        """Run a stream by this modem's clock."""
        self._rack.clock.start(stream, self._phase_s)

    def say_pcm_busy(self, busy: bool) -> None:
        """Ask the host to pause or go on with uplink, where the family can. Source: hardware facts section 4.1."""
        if "+QPCMV" not in self.family.handlers:
            return
        self.urc("+QPCMV: 0,0" if busy else "+QPCMV: 1,0")

    # Life on the USB bus.

    def plug_in(self) -> None:
        """Appear on the bus under the lowest numbers that are not those of last time.

        Raises:
            EmulatorError: it is there already.
        """
        if self.present:
            raise EmulatorError(f"modem {self.index} is plugged in already")
        if not self._ports:
            self._connect()
        for role, session in self.sessions.items():
            session.port = self._ports[role]
        self.present = True
        self.family.manners.started(self)
        self.publish("added", dev=self.links())

    @property
    def _serial_port(self) -> Path:
        return self._rack.dev / f"{self.family.tty}{self.index}"

    def _connect(self) -> None:
        """Make the ports, and the sound card if there is one."""
        feeds: dict[str, Callable[[bytes], None]] = {role: session.feed for role, session in self.sessions.items()}
        if self.family.usb is None:
            self._ports[AT] = Port(self._rack.hub, self._serial_port, feeds[AT], self.ailments.port_closed)
        else:
            self._enumerate(feeds)
        card = self.family.card
        if card is None or (card.interface is not None and not self.persistent.has_usb_audio()):
            return
        self._card = self._rack.cards.plug_in(card, self)
        if card.interface is not None:
            self._rack.sys.add_card(self.place, card.interface, self._card.number, self._card.name)

    def _enumerate(self, feeds: dict[str, Callable[[bytes], None]]) -> None:
        again = bool(self._numbers)
        roles, tty = self.family.roles, self.family.tty
        taken = self._rack.sys.take_numbers(tty, len(roles), avoid=set(self._numbers.values()))
        # On a second enumeration the kernel may number the interfaces in another order.
        order = reversed(tuple(roles)) if again else tuple(roles)
        self._numbers = dict(zip(order, taken, strict=True))
        for interface, number in self._numbers.items():
            link, role = self._rack.dev / f"{tty}{number}", roles[interface]
            closed = self.ailments.port_closed if role == AT else _do_nothing
            self._ports[role] = Port(self._rack.hub, link, feeds.get(role, _ignore), closed)
        self._rack.sys.add(self.place, self.family, self._numbers)
        self.ailments.shown()

    def unplug(self) -> None:
        """Vanish from the bus: EIO for whoever has a port open, links and sysfs entries gone.

        Raises:
            EmulatorError: it is away already.
        """
        if self.is_storage:
            self._leave_storage()
            return
        if not self.present:
            raise EmulatorError(f"modem {self.index} is not plugged in")
        self._stop()
        if self._card is not None:
            self._rack.sys.remove_card(self._card.number)
            self._card.unplug()
            self._card = None
        if self.family.usb is not None:
            self._rack.sys.remove(self.place, self.family.tty, self._numbers)
        for port in self._ports.values():
            port.close()
        self._ports.clear()
        self.publish("removed")

    def _stop(self) -> None:
        """Fall silent in the middle of everything."""
        self.voice.vanish()
        self.present = False
        self.messages.reset()
        self.ussd.reset()
        self.timers.cancel()
        for session in self.sessions.values():
            session.reset()
            session.port = None

    def boot(self) -> None:
        """Come up after power-on: volatile settings lost, boot URCs, registration after the SIM."""
        usb = self.family.usb
        if self.faults.storage_mode and usb is not None and usb.storage_id:
            self.is_storage = True
            self._rack.sys.add_storage(self.place, self.family)
            self.publish("storage")
            return
        self.forget_settings()
        self.volatile.pcm = PCM_OFF
        self.radio.functionality = 1
        self.radio.stat = OFF
        self.sim_ready = False
        if self.sim is not None:
            self.sim.lock.power_off()
        self.plug_in()
        self.timers.after(self.faults.sim_busy_s / 2, lambda: self._say(self.family.power_on))
        self.timers.after(self.faults.sim_busy_s, self.sim_comes_up)

    def switch_mode(self) -> None:
        """End the CD-ROM, as usb_modeswitch does; nothing when there is none."""
        if self.is_storage:
            self._leave_storage()
            self.boot()

    def _leave_storage(self) -> None:
        self.is_storage = False
        self._rack.sys.remove(self.place, self.family.tty, {})

    def forget_settings(self) -> None:
        """Return to the settings of power-on."""
        self.volatile = Volatile(stores=(self.family.store,) * 3)
        for session in self.sessions.values():
            session.restore_profile()

    def reset(self) -> None:
        """Restart as after AT+CFUN=1,1: away from the bus, back under other numbers; a serial port keeps standing."""
        if self.family.usb is None:
            self._stop()
        else:
            self.unplug()
        self.ailments.cure("restart")
        self.timers.after(self.faults.reenumerate_s, self.boot)

    # SIM and radio.

    def serves(self) -> bool:
        """Return whether there is a SIM that wants no code."""
        return self.sim is not None and self.sim.lock.state() is Lock.READY

    def lock(self) -> None:
        """The card is locked as after a power-on."""
        if self.sim is not None:
            self.sim.lock.power_off()
        if not self.serves():
            self.radio.become(OFF)

    def sim_comes_up(self) -> None:
        """The SIM is read: say so and register."""
        if self.sim is None:
            self.urc("+CPIN: NOT INSERTED")
            return
        self.sim_ready = True
        self.unlock()

    def unlock(self) -> None:
        """The card serves, or says what it wants first."""
        if not self.serves():
            self.urc(f"+CPIN: {self.sim.lock.state()}" if self.sim is not None else "+CPIN: NOT INSERTED")
            return
        self._say(self.family.sim_ready)
        self.timers.after(READY_AFTER_SIM_S, lambda: self._say(self.family.all_ready))
        self.radio.search()

    def set_functionality(self, value: int) -> None:
        """Switch the radio. Source: 3GPP TS 27.007 clause 8.2."""
        if value == self.radio.functionality:
            return
        before, self.radio.functionality = self.radio.functionality, value
        if value != 1:
            self.ailments.cure("radio")
        if value == 0:
            self.sim_ready = False
            self.lock()
            self.urc("+CPIN: NOT READY")
        if value != 1:
            self.radio.become(OFF)
        elif before == 0:
            self.timers.after(self.faults.sim_busy_s, self.sim_comes_up)
        else:
            self.radio.search()

    def remove_sim(self) -> Sim:
        """Take the SIM out and return it.

        Raises:
            EmulatorError: there is none.
        """
        if self.sim is None:
            raise EmulatorError(f"modem {self.index} has no SIM")
        sim, self.sim = self.sim, None
        sim.lock.power_off()
        self.network.detach(sim.number)
        self.network.centre.detach(sim.number)
        self.sim_ready = False
        self.radio.become(OFF)
        if self.simple("+QSIMSTAT"):
            self.urc("+QSIMSTAT: 1,0")
        self._say(self.family.sim_removed)
        return sim

    def insert_sim(self, sim: Sim) -> None:
        """Put a SIM in.

        Raises:
            EmulatorError: there is one already.
        """
        if self.sim is not None:
            raise EmulatorError(f"modem {self.index} has a SIM already")
        self.sim = sim
        self._attach(sim)
        if self.simple("+QSIMSTAT"):
            self.urc("+QSIMSTAT: 1,1")
        self.timers.after(self.faults.sim_busy_s, self.sim_comes_up)

    def _say(self, texts: tuple[str, ...]) -> None:
        for text in texts:
            self.urc(text)

    def _attach(self, sim: Sim) -> None:
        self.network.attach(sim.number, self.voice)
        self.network.centre.attach(sim.number, self.messages)

    # GNSS.

    def run_gnss(self) -> None:
        """Write NMEA sentences on interface 1 once a second while the engine runs and the port is theirs."""
        self._gnss_timer.cancel()
        if not self.faults.gnss:
            return
        port = self.audio_port
        if port is not None and self.persistent.gps_outport == "usbnmea":
            if self.voice.stream is not None:
                self.voice.stream.insert(NMEA)
            else:
                port.write(NMEA)
        self._gnss_timer.after(1.0, self.run_gnss)


def _ignore(data: bytes) -> None:
    """Interfaces 0 and 1 take bytes and say nothing."""


def _do_nothing() -> None:
    """What the close of other ports does."""

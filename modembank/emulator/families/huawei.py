"""Huawei voice sticks of the E173 class. Source: hardware facts sections 2, 3, 11 and 17."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands.handler import Handler, accept
from modembank.emulator.commands.sim import card_of
from modembank.emulator.families.standard import STANDARD
from modembank.emulator.family import UTRAN, Family, Manners, UsbIdentity
from modembank.emulator.parser import Command, Form
from modembank.emulator.pin import Lock
from modembank.emulator.reply import OK, RefusedError, Reply, info
from modembank.emulator.settings import PCM_ON_TTY
from modembank.emulator.ussd import Encoding
from modembank.emulator.voice import Call, CallState

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

LOCAL_END, NETWORK_END = 29, 104
"""`<end_status>` of ^CEND; the numbers differ by firmware."""

DIAG_FRAME = bytes.fromhex("7e98010000000000000000000000b5c37e00")
ORIG_S = 0.2
ON_TTY = 2


class HuaweiManners(Manners):
    """^ORIG, ^CONF, ^CONN and ^CEND; all of them end with ^CURC=0."""

    def call_changed(self, modem: Modem, call: Call, state: CallState) -> None:
        """Tell a state; a call that waits or is held has no line of its own."""
        self._diag(modem)
        if state is CallState.DIALING and modem.faults.orig_late:
            modem.timers.after(ORIG_S, lambda: self._originate(modem, call))
        elif state is CallState.DIALING:
            self._originate(modem, call)
        elif state is CallState.ALERTING:
            self._originate(modem, call)
            self.say(modem, f"^CONF:{call.index}")
        elif state is CallState.ACTIVE and not call.told_active:
            self._originate(modem, call)
            call.told_active = True
            self.say(modem, f"^CONN:{call.index},0")
        elif state is CallState.ENDED:
            self._ended(modem, call)

    def _originate(self, modem: Modem, call: Call) -> None:
        if call.outgoing and not call.told_dialing and call in modem.voice.calls:
            call.told_dialing = True
            self.say(modem, f"^ORIG:{call.index},0")

    def _ended(self, modem: Modem, call: Call) -> None:
        if call.outgoing and not call.told_dialing:
            return  # hung up before ^ORIG: there is no ^CEND (hardware facts section 3.2)
        cause = "" if call.cause is None else f",{call.cause}"
        status = LOCAL_END if call.cause is None else NETWORK_END
        self.say(modem, f"^CEND:{call.index},{call.seconds()},{status}{cause}")

    def signal_changed(self, modem: Modem) -> None:
        """Tell the signal strength."""
        self.say(modem, f"^RSSI:{modem.radio.rssi}")

    def store_full(self, modem: Modem, store: str) -> None:
        """Tell which store is full."""
        self.say(modem, f'^SMMEMFULL:"{store}"')

    def started(self, modem: Modem) -> None:
        """Make the noise that such a stick makes while it lives."""
        every_s = modem.faults.noise_s
        if every_s:
            modem.timers.after(every_s, lambda: self._noise(modem))

    def _noise(self, modem: Modem) -> None:
        self.say(modem, f"^RSSI:{modem.radio.rssi}")
        self.say(modem, "^BOOT:34567890,0,0,0,75")
        self.started(modem)

    def say(self, modem: Modem, text: str) -> None:
        """Say a line that ^CURC switches."""
        if modem.simple("^CURC"):
            modem.urc(text)

    def _diag(self, modem: Modem) -> None:
        """Until ^DDSETEX=2 the audio port speaks the diagnostic protocol."""
        if modem.audio_port is not None and modem.volatile.pcm != PCM_ON_TTY:
            modem.audio_port.write(DIAG_FRAME)


def _voice(modem: Modem, session: AtSession, command: Command) -> Reply:
    if command.form is Form.READ:
        return info("^CVOICE:0,8000,16,20")
    if command.form is Form.TEST:
        return info("^CVOICE:(0)")
    command.number(0, 0, 0)
    return OK


def _port_of_voice(modem: Modem, session: AtSession, command: Command) -> Reply:
    """^DDSETEX=2: the audio port carries PCM from now on."""
    if command.form is Form.TEST:
        return info("^DDSETEX:(0,1,2)")
    chosen = command.number(0, 0, ON_TTY)
    modem.volatile.pcm = PCM_ON_TTY if chosen == ON_TTY else (0, 0)
    modem.voice.refresh_audio()
    return OK


def _tone(modem: Modem, session: AtSession, command: Command) -> Reply:
    command.number(0, 1, 7)
    digit = command.text(1)
    if len(digit) != 1 or digit not in "0123456789*#":
        raise RefusedError(cme=50)
    return modem.voice.press(digit)


def _retries(modem: Modem, session: AtSession, command: Command) -> Reply:
    """^CPIN?: code, tries of what is wanted, then PUK, PIN, PUK2 and PIN2 tries."""
    lock = card_of(modem).lock
    wanted = {Lock.PIN: str(lock.pin_tries), Lock.PUK: str(lock.puk_tries)}.get(lock.state(), "")
    return info(f"^CPIN: {lock.state()},{wanted},{lock.puk_tries},{lock.pin_tries},10,3")


def _iccid(modem: Modem, session: AtSession, command: Command) -> Reply:
    return info(f"^ICCID: {card_of(modem).iccid}F")


def _system(modem: Modem, session: AtSession, command: Command) -> Reply:
    served = modem.radio.serves_voice()
    roams = int(modem.radio.stat == 5)
    return info(f"^SYSINFO:{2 if served else 0},{3 if served else 0},{roams},5,{int(modem.serves())},,4")


def _own_number(modem: Modem, session: AtSession, command: Command) -> Reply:
    """+CNUM, perhaps glued to an ERROR (hardware facts section 1)."""
    reply = STANDARD["+CNUM"](modem, session, command)
    glued = modem.faults.glued_lines
    return Reply(tuple(f"ERROR{line}" for line in reply.lines)) if glued else reply


HANDLERS: dict[str, Handler] = {
    **{name: handler for name, handler in STANDARD.items() if name != "+CEREG"},
    "^CVOICE": _voice,
    "^DDSETEX": _port_of_voice,
    "^DTMF": _tone,
    "^CPIN": _retries,
    "^ICCID": _iccid,
    "^SYSINFO": _system,
    "^CARDLOCK": lambda modem, session, command: info("^CARDLOCK: 2,10,0"),
    "^CURC": STANDARD["+CRC"],
    "^U2DIAG": STANDARD["+CRC"],
    "^PORTSEL": accept,
    "+CNUM": _own_number,
}

E173 = Family(
    "huawei-e173",
    UsbIdentity("12d1", "1436", "HUAWEI Technology", "HUAWEI Mobile", storage_id="1446"),
    {0: "modem", 3: "audio", 4: "at"},
    "huawei",
    "E173",
    "11.126.15.00.00",
    HANDLERS,
    HuaweiManners(),
    stores=("SM", "ME"),
    store="SM",
    ussd=Encoding.PACKED,
    act=UTRAN,
    power_on=("^BOOT:34567890,0,0,0,75",),
    sim_ready=("^SIMST:1", "+CPIN: READY"),
    all_ready=("^SRVST:2", "^MODE:5,4"),
    sim_removed=("^SIMST:255",),
    call_results=frozenset({"BUSY"}),
    unknown="COMMAND NOT SUPPORT",
)

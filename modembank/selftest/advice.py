"""What to do about a failed check, in plain words, by what the line did in it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from modembank.selftest.result import Aspect


class Role(StrEnum):
    """What a line does in a check."""

    CALLS = "calls"
    CALLED = "called"
    SPEAKS = "speaks"
    LISTENS = "listens"


def advise(aspect: Aspect, role: Role) -> str:
    """Return one or two sentences for the operator."""
    return _BY_ROLE.get((aspect, role)) or _ALWAYS[aspect]


_BY_ROLE: Mapping[tuple[Aspect, Role], str] = {
    (Aspect.CONNECTED, Role.CALLS): "Its calls do not get through. Check its credit, barring (AT+CLCK) and signal, "
    "and call out by hand with `modembank call`.",
    (Aspect.CONNECTED, Role.CALLED): "It does not ring when called. Check that its number is right (`modembank sims`), "
    "that no forwarding is set and that it is registered.",
    (Aspect.SOUND, Role.SPEAKS): "Others hear nothing of it. Restart the modem (AT+CFUN=1,1); if that does not help, "
    "look at the voice switch of its family in the modem's notes and at its audio port.",
    (Aspect.SOUND, Role.LISTENS): "It hears nothing of others. Restart the modem (AT+CFUN=1,1); check that its audio "
    "port is the right interface and that nothing else reads it.",
    (Aspect.LEVEL, Role.SPEAKS): "Others hear it too softly or too loudly. Set its microphone gain back to the "
    "factory's value (AT+QMIC, AT+CMIC, ^CMIC by family).",
    (Aspect.LEVEL, Role.LISTENS): "It hears others too softly or too loudly. Set its volume (AT+CLVL) and its receive "
    "gain (AT+QRXGAIN, AT+CRXGAIN by family).",
    (Aspect.RESPONSE, Role.SPEAKS): "It sounds muffled or thin to others. Check its codec setting (half rate, AMR "
    "mode) and switch its noise suppression and equaliser off.",
    (Aspect.DROP_OUTS, Role.SPEAKS): "Its voice has holes. Look at its signal and its USB hub's power; on the host, "
    "at the load and at the frames dropped in its calls' quality.",
    (Aspect.DROP_OUTS, Role.LISTENS): "What it hears has holes. Look at its signal and its USB hub's power, and at the "
    "host's load.",
    (Aspect.DTMF, Role.SPEAKS): "Its digits do not arrive. Check that AT+VTS is accepted during a call (`modembank "
    "modems trace`).",
    (Aspect.DTMF, Role.LISTENS): "It does not notice digits. Check the switch of its family (AT+QTONEDET=1, "
    "AT+DDET=1); sticks without one must be listened to.",
}

_ALWAYS: Mapping[Aspect, str] = {
    Aspect.CONNECTED: "Calls do not get through between these lines. Check credit, barring and registration of both.",
    Aspect.SET_UP: "Calls take long to ring. Check its signal, and whether it falls back from LTE to 3G or 2G.",
    Aspect.ALERTING: "It does not tell when the other phone rings, so its calls go from dialing to answered. Check the "
    "call URCs of its family and its firmware version.",
    Aspect.ANSWERED: "It tells the answer late, too early or not at all, so durations and bills are wrong. Check the "
    "call URCs of its family; with AT+CLCC only, the time is that of the poll.",
    Aspect.HANG_UP: "The end of a call is noticed late. Check the network's signal, and whether NO CARRIER comes late "
    "(`modembank modems trace`).",
    Aspect.SOUND: "There is no sound in one direction. Restart both modems (AT+CFUN=1,1) and test again.",
    Aspect.LEVEL: "The level is wrong. Set microphone gain and volume back to the factory's values.",
    Aspect.RESPONSE: "The sound is muffled or thin. Check the codec setting and the modem's sound processing.",
    Aspect.DELAY: "The voice comes late. Restart the modem to empty its buffers; a delay that stays is the network's.",
    Aspect.DROP_OUTS: "The voice has holes. Look at signal, USB power and the host's load.",
    Aspect.NOISE: "There is noise while nobody speaks. Check power and antenna cables; GSM bursts hum at 217 Hz.",
    Aspect.ECHO: "A speaker hears their own voice come back from it. Switch the modem's echo canceller on (AT+QEEC, "
    "AT+CECM by family), or lower its volume.",
    Aspect.SPEECH: "Speech arrives so changed that it is hard to understand. Look at signal and codec.",
    Aspect.PESQ: "Speech sounds bad. Look at its signal, its codec (half rate) and its drop-outs.",
    Aspect.DTMF: "Digits do not arrive. Check the DTMF settings of both modems.",
}

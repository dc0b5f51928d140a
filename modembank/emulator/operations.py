"""The operations of the control protocol: a name and a mapping in, a mapping out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields

from modembank.emulator import signals
from modembank.emulator.commands.supplementary import Reason
from modembank.emulator.connection import Connection, Side, Stage
from modembank.emulator.identity import international
from modembank.emulator.modem import Modem
from modembank.emulator.operations_sms import OPERATIONS as SMS_OPERATIONS
from modembank.emulator.operations_sms import number_of
from modembank.emulator.operations_ussd import OPERATIONS as USSD_OPERATIONS
from modembank.emulator.parties import Sound
from modembank.emulator.pin import PIN_TRIES, PUK_TRIES, is_pin
from modembank.emulator.request import Request
from modembank.emulator.settings import BREAKS, CURES, REFUSALS, Faults
from modembank.emulator.ussd import Encoding
from modembank.emulator.voice import CallState
from modembank.emulator.world import World
from modembank.errors import EmulatorError

Answer = Mapping[str, object]
RING_S = 30.0
PLAN_TIMES = ("setup_s", "ring_s", "talk_s")


def _status(world: World, request: Request) -> Answer:
    wanted = [request.modem()] if request.has("modem") else world.modems
    calls = {key: call for key, call in world.network.calls.items() if call.stage is not Stage.RELEASED}
    return {
        "seed": world.options.seed,
        "modems": [_modem_record(modem) for modem in wanted],
        "calls": [_call_record(call) for call in calls.values()],
        "parties": world.parties(),
    }


def _modem_record(modem: Modem) -> Answer:
    sim = modem.sim
    return {
        "index": modem.index,
        "family": modem.family.name,
        "present": modem.present,
        "imei": modem.imei,
        "iccid": sim.iccid if sim else None,
        "imsi": sim.imsi if sim else None,
        "number": sim.number if sim else None,
        "usb_path": modem.place_name,
        "dev": modem.links(),
        "registration": modem.radio.stat,
        "rssi": modem.radio.rssi,
        "qpcmv": list(modem.volatile.pcm),
        "pin": str(sim.lock.state()) if sim else None,
        "calls": [
            {
                "index": call.index,
                "direction": "mo" if call.outgoing else "mt",
                "number": call.number,
                "state": CallState(call.state).name.lower(),
                "call": call.connection.key if call.connection else None,
            }
            for call in modem.voice.calls
        ],
        "audio": modem.counters.as_record(),
    }


def _call_record(call: Connection) -> Answer:
    sides = {"from": call.caller.number, "to": call.callee.number}
    slips = call.caller.slips + call.callee.slips
    return {"call": call.key, **sides, "state": str(call.stage), "slips": slips}


def _incoming(world: World, request: Request) -> Answer:
    to = number_of(world, request.value("to"))
    calling = request.text("from", "+447700900990")
    if international(calling) is None:
        raise EmulatorError(f"{calling} is no number that could call")
    try:
        sound = Sound(request.text("behaviour", "echo"))
    except ValueError:
        raise EmulatorError(f"behaviour must be one of {', '.join(Sound)}") from None
    talk_s = request.seconds("talk_s") if request.has("talk_s") else None
    call = world.network.call_in(calling, to, sound, request.seconds("ring_s", RING_S), talk_s)
    return {"call": call.key}


def _hangup(world: World, request: Request) -> Answer:
    """The far side hangs up; the causes are those of 24.008, 16 by default."""
    cause = request.integer("cause", 16)
    key = next((name for name in ("call", "from", "to") if request.has(name)), None)
    if key is None:
        raise EmulatorError("say which call by call, from or to")
    wanted = request.text(key)
    calls = [
        call
        for call in world.network.calls.values()
        if call.stage is not Stage.RELEASED
        and {"call": call.key, "from": call.caller.number, "to": call.callee.number}[key]
        in (wanted, international(wanted))
    ]
    if not calls:
        raise EmulatorError(f"there is no such call: {wanted}")
    for call in calls:
        call.release(cause)
    return {"calls": [call.key for call in calls]}


def _signal(world: World, request: Request) -> Answer:
    rssi = request.integer("rssi")
    if not (0 <= rssi <= 31 or rssi == 99):
        raise EmulatorError("rssi must be 0 to 31, or 99 for unknown")
    request.modem().radio.set_signal(rssi)
    return {}


def _registration(world: World, request: Request) -> Answer:
    stat = request.integer("stat")
    if not 0 <= stat <= 10:
        raise EmulatorError("stat must be 0 to 10")
    radio = request.modem().radio
    radio.wanted = stat
    radio.reject = request.integer("cause", 0)
    radio.become(stat)
    return {}


def _remove_sim(world: World, request: Request) -> Answer:
    modem = request.modem()
    sim = modem.remove_sim()
    world.drawer[sim.iccid] = sim
    world.home[modem.index] = sim.iccid
    return {"iccid": sim.iccid}


def _insert_sim(world: World, request: Request) -> Answer:
    modem = request.modem()
    if modem.sim is not None:
        raise EmulatorError(f"modem {modem.index} has a SIM already")
    iccid = request.text("iccid", world.home.get(modem.index, ""))
    sim = world.drawer.pop(iccid, None)
    if sim is None:
        raise EmulatorError(f"no SIM with ICCID {iccid or '?'} lies outside the modems")
    modem.insert_sim(sim)
    return {"iccid": sim.iccid, "number": sim.number}


def _pin(world: World, request: Request) -> Answer:
    """Give the SIM a PIN and lock it now; an empty PIN takes the lock away."""
    modem = request.modem()
    if modem.sim is None:
        raise EmulatorError(f"modem {modem.index} has no SIM")
    lock, pin = modem.sim.lock, request.text("pin")
    if pin and not is_pin(pin):
        raise EmulatorError("a PIN has 4 to 8 digits")
    lock.pin, lock.enabled = pin or lock.pin, bool(pin)
    lock.puk = request.text("puk", lock.puk)
    lock.pin_tries = min(request.integer("tries", PIN_TRIES), PIN_TRIES)
    lock.puk_tries = min(request.integer("puk_tries", PUK_TRIES), PUK_TRIES)
    modem.lock()
    modem.unlock()
    return {"state": str(lock.state()), "tries": lock.pin_tries, "puk_tries": lock.puk_tries}


def _forward(world: World, request: Request) -> Answer:
    """Keep a forwarding for the SIM as its network would; an empty number takes it away."""
    modem, number = request.modem(), request.text("number")
    if modem.sim is None:
        raise EmulatorError(f"modem {modem.index} has no SIM")
    reason = request.integer("reason", 0)
    if not 0 <= reason < len(Reason):
        raise EmulatorError("reason must be 0 to 3")
    if number and international(number) is None:
        raise EmulatorError(f"{number} is no number to forward to")
    modem.sim.set_forwarding(reason, number)
    return {"forwardings": {str(key): to for key, to in sorted(modem.sim.forwarding.items())}}


def _mute(world: World, request: Request) -> Answer:
    request.modem().faults.muted = request.switch("on")
    return {}


def _hang(world: World, request: Request) -> Answer:
    request.modem().faults.half_hang = request.switch("on")
    return {}


def _slow(world: World, request: Request) -> Answer:
    request.modem().faults.slow_s = request.seconds("delay_s")
    return {}


def _drop(world: World, request: Request) -> Answer:
    request.modem().unplug()
    return {}


def _readd(world: World, request: Request) -> Answer:
    modem = request.modem()
    if modem.present or modem.is_storage:
        raise EmulatorError(f"modem {modem.index} is plugged in already")
    modem.timers.cancel()
    modem.ailments.vanish()
    modem.ailments.cure("power")
    modem.boot()
    return {"dev": modem.links()}


def _reset(world: World, request: Request) -> Answer:
    modem = request.modem()
    modem.reset()
    return {}


def _fault(world: World, request: Request) -> Answer:
    modem, name, value = request.modem(), request.text("name"), request.value("value")
    kinds = {field.name: type(field.default) for field in fields(Faults)}
    kind = kinds.get(name)
    if kind is None:
        raise EmulatorError(f"there is no fault {name}; there are {', '.join(kinds)}")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise EmulatorError(f"fault {name} takes a value of type {kind.__name__}")
    if name == "ussd_encoding" and value not in ("", *Encoding):
        raise EmulatorError(f"ussd_encoding must be one of {', '.join(Encoding)}")
    for wanted, known in (("stuck", ("", *CURES)), ("break_how", BREAKS), ("blacklist_how", REFUSALS)):
        if name == wanted and value not in known:
            raise EmulatorError(f"{name} must be one of {', '.join(repr(one) for one in known)}")
    setattr(modem.faults, name, value)
    if name == "qpcmv_busy":
        modem.say_pcm_busy(bool(value))
    if name == "stuck" and value == "radio":
        modem.radio.search()
    if name == "urc_flood":
        modem.ailments.flood()
    if name == "gnss":
        modem.run_gnss()
    if name == "storage_mode" and not value:
        modem.switch_mode()
    return {"value": value}


def _heard(world: World, request: Request) -> Answer:
    side, name = _side(world, request)
    path = world.directory.path / "heard" / f"{name}.wav"
    signals.write_wav(path, side.heard)
    return {"path": str(path), "frames": len(side.heard), "number": side.number}


def _sent_dtmf(world: World, request: Request) -> Answer:
    """Digits that a number got in its latest call; with `modem`: that this modem sent by +VTS."""
    if request.has("modem"):
        number = number_of(world, request.modem().index)
        call = world.network.last_call(number)
        far = call.callee if call.caller.number == number else call.caller
        return {"digits": far.digits}
    number = request.text("number")
    return {"digits": _side_of(world.network.last_call(number), number).digits}


def _side(world: World, request: Request) -> tuple[Side, str]:
    """Find whose ear is meant: a number's, a modem's, or with `far` the one at the modem's far end."""
    if not request.has("modem"):
        number = request.text("number")
        return _side_of(world.network.last_call(number), number), number.lstrip("+")
    modem = request.modem()
    number = number_of(world, modem.index)
    call = world.network.last_call(number)
    near = _side_of(call, number)
    if request.has("far") and request.switch("far"):
        return (call.callee if near is call.caller else call.caller), f"modem{modem.index}-far"
    return near, f"modem{modem.index}"


def _side_of(call: Connection, number: str) -> Side:
    wanted = international(number) or number
    return call.caller if call.caller.number == wanted else call.callee


def _party(world: World, request: Request) -> Answer:
    changes: dict[str, float | int | None] = {
        name: None if request.value(name) is None else request.seconds(name) for name in PLAN_TIMES if request.has(name)
    }
    if request.has("cause"):
        changes["cause"] = request.integer("cause")
    plan = world.network.change_plan(request.text("name"), changes)
    return {"number": plan.number, "setup_s": plan.setup_s, "ring_s": plan.ring_s, "talk_s": plan.talk_s}


def _parties(world: World, request: Request) -> Answer:
    return {"parties": world.parties()}


def _calm(world: World, request: Request) -> Answer:
    """End a scenario or chaos, and whatever mishap it began."""
    world.on_calm()
    return {}


def _seed(world: World, request: Request) -> Answer:
    return {"seed": world.options.seed}


def _at_log(world: World, request: Request) -> Answer:
    modem, limit = request.modem(), request.integer("limit", 100)
    entries = sorted(
        (at, name, direction, repr(data))
        for name, session in modem.sessions.items()
        for at, direction, data in session.log
    )
    names = ("at", "port", "direction", "bytes")
    return {"lines": [dict(zip(names, entry, strict=True)) for entry in entries[-limit:]]}


OPERATIONS: dict[str, Callable[[World, Request], Answer]] = {
    "status": _status,
    "incoming": _incoming,
    "hangup": _hangup,
    "signal": _signal,
    "registration": _registration,
    "remove_sim": _remove_sim,
    "insert_sim": _insert_sim,
    "mute": _mute,
    "hang": _hang,
    "slow": _slow,
    "drop": _drop,
    "readd": _readd,
    "reset": _reset,
    "fault": _fault,
    "heard": _heard,
    "sent_dtmf": _sent_dtmf,
    "party": _party,
    "parties": _parties,
    "seed": _seed,
    "calm": _calm,
    "at_log": _at_log,
    "pin": _pin,
    "forward": _forward,
    **SMS_OPERATIONS,
    **USSD_OPERATIONS,
}

"""Control operation `ussd_script`: what a service code answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modembank.emulator.modem import Modem
from modembank.emulator.operations_sms import number_of
from modembank.emulator.request import Request
from modembank.emulator.ussd import Menu, Outcome
from modembank.emulator.world import World
from modembank.errors import EmulatorError

Answer = Mapping[str, object]
MAX_DEPTH = 10


def _script(world: World, request: Request) -> Answer:
    """Set what a code answers, for all SIMs or for the one in `modem`; null forgets it."""
    code, wanted = request.text("code"), request.value("menu")
    number = number_of(world, request.modem().index) if request.has("modem") else ""
    services = world.network.services.setdefault(number, {})
    if wanted is None:
        services.pop(code, None)
    else:
        services[code] = _menu(wanted, 0)
    return {"codes": sorted(services)}


def _menu(wanted: object, depth: int) -> Menu:
    """Read `{"text", "replies", "m", "delay_s", "silent"}`, or only a text."""
    if isinstance(wanted, str):
        return Menu(wanted)
    if not isinstance(wanted, dict) or depth > MAX_DEPTH:
        raise EmulatorError("menu must be a text or an object with text, replies, m, delay_s and silent")
    request = Request(wanted, _no_modem)
    replies = wanted.get("replies", {})
    if not isinstance(replies, dict):
        raise EmulatorError("replies must be an object of menus by what the user sends")
    try:
        outcome = Outcome(request.integer("m")) if request.has("m") else None
    except ValueError:
        raise EmulatorError(f"m must be one of {', '.join(str(int(m)) for m in Outcome)}") from None
    return Menu(
        request.text("text", ""),
        {str(key): _menu(value, depth + 1) for key, value in replies.items()},
        outcome,
        request.seconds("delay_s", Menu().delay_s),
        request.has("silent") and request.switch("silent"),
    )


def _no_modem(index: object) -> Modem:
    raise EmulatorError("a menu has no modem")


OPERATIONS: dict[str, Callable[[World, Request], Answer]] = {"ussd_script": _script}

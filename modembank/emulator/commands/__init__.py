"""The commands, by area; `run` finds and runs the handler of one command in the modem's family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modembank.emulator.commands import audio, calls, general, radio, sim, simple, sms, supplementary, ussd
from modembank.emulator.commands.handler import Handler
from modembank.emulator.reply import RefusedError, Reply

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.parser import Command
    from modembank.emulator.session import AtSession

COMMON: dict[str, Handler] = {
    **simple.HANDLERS,
    **general.HANDLERS,
    **sim.HANDLERS,
    **radio.HANDLERS,
    **calls.HANDLERS,
    **audio.HANDLERS,
    **sms.HANDLERS,
    **ussd.HANDLERS,
    **supplementary.HANDLERS,
}


def run(modem: Modem, session: AtSession, command: Command) -> Reply:
    """Run one command.

    Raises:
        RefusedError: the firmware refuses it or does not know it.
    """
    handler = modem.family.handlers.get(command.name)
    if handler is None:
        raise RefusedError(final=modem.family.unknown)
    return handler(modem, session, command)

"""What a command handler is, and the usual forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modembank.emulator.parser import Command, Form
from modembank.emulator.reply import OK, RefusedError, Reply, info

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem
    from modembank.emulator.session import AtSession

Handler = Callable[["Modem", "AtSession", Command], Reply]


def query(text: Callable[[Modem], str]) -> Handler:
    """Return a handler of a command that only tells something when executed."""

    def handle(modem: Modem, session: AtSession, command: Command) -> Reply:
        if command.form is Form.TEST:
            return OK
        if command.form is not Form.EXECUTE:
            raise RefusedError(cme=50)
        return info(text(modem))

    return handle


def accept(modem: Modem, session: AtSession, command: Command) -> Reply:
    """Answer OK: the command has no effect here."""
    return OK

"""What the host refuses although the bank asked: the last guard of I1 and I4."""

from __future__ import annotations

from collections import OrderedDict

from modembank.errors import DuplicateCommandError, StaleEpochError

# Commands older than this many others are long past their deadline.
REMEMBERED_COMMANDS = 10_000


class Guard:
    """Remembers the newest epoch per SIM and the ids of commands that were carried out."""

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}
        self._done: OrderedDict[str, None] = OrderedDict()

    def admit(self, command_id: str, iccid: str, epoch: int) -> None:
        """Let a dial through, once.

        Raises:
            DuplicateCommandError: this id was carried out before.
            StaleEpochError: a newer claim of this SIM was seen.
        """
        if command_id in self._done:
            raise DuplicateCommandError(f"command {command_id} was carried out before; nothing was dialled again")
        newest = self._epochs.get(iccid, -1)
        if epoch <= newest:
            raise StaleEpochError(f"epoch {epoch} of this SIM is not newer than {newest}; nothing was dialled")
        self._epochs[iccid] = epoch
        self._done[command_id] = None
        while len(self._done) > REMEMBERED_COMMANDS:
            self._done.popitem(last=False)

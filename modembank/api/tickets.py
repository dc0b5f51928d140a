"""One-time tickets for the event stream: a browser's WebSocket and EventSource cannot send a header."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from modembank.errors import UnauthorizedError

# Long enough for a slow page to open its stream right after, short enough that a logged URL is worthless.
TICKET_LIFE_S = 30.0
# A page needs one per connection; more than this outstanding is a fault or an attack, the oldest go first.
TICKET_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class _Ticket:
    key_id: str
    expires_at: float


class Tickets:
    """The outstanding tickets. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: OrderedDict[str, _Ticket] = OrderedDict()

    def issue(self, key_id: str) -> str:
        """Return a new ticket for the holder of this API key."""
        while len(self._open) >= TICKET_LIMIT:
            self._open.popitem(last=False)
        ticket = secrets.token_urlsafe(32)
        self._open[ticket] = _Ticket(key_id, self._clock() + TICKET_LIFE_S)
        return ticket

    def redeem(self, ticket: str) -> str:
        """Return the id of the key the ticket was issued to, and void the ticket.

        Raises:
            UnauthorizedError: never issued, used before, or too old.
        """
        found = self._open.pop(ticket, None)
        if found is None or found.expires_at < self._clock():
            raise UnauthorizedError("The ticket was used before, is too old or was never issued; ask for a new one.")
        return found.key_id

"""Which cause a failure of the line gives a call."""

from __future__ import annotations

from modembank.bus.vocabulary import Cause
from modembank.errors import (
    DialFailedError,
    InvalidOfferError,
    MediaError,
    ModembankError,
    NotRegisteredError,
    NumberBlacklistedError,
    PortLostError,
    PortMissingError,
    SimNotReadyError,
)

_CAUSES: tuple[tuple[type[ModembankError], Cause], ...] = (
    (NotRegisteredError, Cause.NOT_REGISTERED),
    (SimNotReadyError, Cause.SIM_NOT_READY),
    (PortLostError, Cause.MODEM_LOST),
    (PortMissingError, Cause.MODEM_LOST),
    (InvalidOfferError, Cause.MEDIA_FAILED),
    (MediaError, Cause.MEDIA_FAILED),
    (NumberBlacklistedError, Cause.NUMBER_BLACKLISTED),
    (DialFailedError, Cause.UNSPECIFIED),
)


def cause_of(error: ModembankError) -> Cause:
    """Return the cause of a call that this error ended."""
    for kind, cause in _CAUSES:
        if isinstance(error, kind):
            return cause
    return Cause.MODEM_FAILED

"""A host's refusal back into the error it stands for, and into the cause of a call that it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modembank.bus.commands import Refused
from modembank.bus.vocabulary import Cause
from modembank.errors import HostError, ModembankError

# By the code of the error; the rest is `unspecified`.
_CAUSES: Mapping[str, Cause] = {
    "invalid_number": Cause.INVALID_NUMBER,
    "destination_refused": Cause.CALL_BARRED,
    "emergency_number": Cause.CALL_BARRED,
    "invalid_offer": Cause.MEDIA_FAILED,
    "media": Cause.MEDIA_FAILED,
    "host_unreachable": Cause.HOST_UNREACHABLE,
    "port": Cause.MODEM_LOST,
    "port_missing": Cause.MODEM_LOST,
    "port_busy": Cause.MODEM_FAILED,
    "port_lost": Cause.MODEM_LOST,
    "not_found": Cause.MODEM_LOST,
    "modem": Cause.MODEM_FAILED,
    "no_voice": Cause.MODEM_FAILED,
    "at": Cause.MODEM_FAILED,
    "at_timeout": Cause.MODEM_FAILED,
    "at_result": Cause.MODEM_FAILED,
    "cme_error": Cause.MODEM_FAILED,
    "sim_not_ready": Cause.SIM_NOT_READY,
    "not_registered": Cause.NOT_REGISTERED,
    "dial_failed": Cause.NETWORK_FAILURE,
    "line_busy": Cause.CONGESTION,
    "number_blacklisted": Cause.NUMBER_BLACKLISTED,
}


def cause_of(code: str) -> Cause:
    """Return why a call ended whose command was refused with this error code."""
    return _CAUSES.get(code, Cause.UNSPECIFIED)


def error_from(refused: Refused) -> ModembankError:
    """Return the error that a refusal stands for; `HostError` when this program does not know its code."""
    return error_of(refused.code, refused.detail)


def error_of(code: str, detail: str) -> ModembankError:
    """Return an error of this code with this sentence."""
    known = next((kind for kind in _tree(ModembankError) if kind.code == code), HostError)
    if not any("__init__" in vars(kind) for kind in known.__mro__ if issubclass(kind, ModembankError)):
        return known(detail)
    # Errors with arguments of their own are told by their class of error, its code and its status.
    error = HostError(detail)
    error.code, error.status, error.fault = known.code, known.status, known.fault
    return error


def _tree(kind: type[ModembankError]) -> Iterator[type[ModembankError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)

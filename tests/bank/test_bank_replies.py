"""A refusal on the bus becomes the error it stands for."""

from __future__ import annotations

from modembank.bank.replies import cause_of, error_from, error_of
from modembank.bus.commands import Refused
from modembank.bus.vocabulary import Cause
from modembank.errors import Fault, HostError, HostUnreachableError, InvalidOfferError, StaleEpochError


def test_known_codes_give_their_class():
    assert type(error_from(Refused(code="stale_epoch", detail="old"))) is StaleEpochError
    assert type(error_of("host_unreachable", "x")) is HostUnreachableError
    error = error_of("invalid_offer", "no audio")
    assert (type(error), str(error), error.status) == (InvalidOfferError, "no audio", 422)


def test_errors_with_arguments_of_their_own_keep_code_and_status():
    error = error_of("at_timeout", "no answer")
    assert (error.code, error.status, error.fault, str(error)) == ("at_timeout", 504, Fault.MODEM, "no answer")


def test_a_code_of_a_newer_host_is_a_host_error():
    assert type(error_of("from_the_future", "x")) is HostError
    assert cause_of("from_the_future") is Cause.UNSPECIFIED
    assert cause_of("port_lost") is Cause.MODEM_LOST

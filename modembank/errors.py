"""Every error that modembank raises, as one tree.

    ModembankError
    ├── SettingsError            the settings are wrong
    ├── RequestError             the caller asked for something that cannot be
    │   ├── InvalidNumberError, DestinationRefusedError, EmergencyNumberError
    │   ├── NotFoundError, WrongStateError, InvalidOfferError, UnauthorizedError
    │   ├── IdempotencyMismatchError, IdempotencyRunningError
    │   ├── ValidationFailedError, MethodNotAllowedError, BodyTooLargeError, ForbiddenError
    │   ├── TooManyStreamsError, UssdRefusedError
    │   └── NoSimAvailableError
    ├── HostError                a host refused a command or did not answer it
    │   ├── HostUnreachableError, StaleEpochError, DuplicateCommandError
    ├── PortError                a serial port
    │   ├── PortMissingError, PortBusyError, PortLostError, TooManyPortsError
    │   ├── PortHangsError, UsbStepError, ModemSilentError, ModemFloodError
    ├── AtError                  the AT dialogue
    │   ├── AtTimeoutError (TimeoutError), AtSyntaxError, AtBusyError, AtRefusedError
    │   └── AtResultError        a negative final result code
    │       ├── CmeError, CmsError
    ├── SmsFormatError           an SMS or a USSD string that does not follow its standard
    ├── ModemError               a modem that cannot do what was asked
    │   ├── NoVoiceError, SimNotReadyError, NotRegisteredError, LineBusyError, IllegalTransitionError
    │   ├── SmsUnknownError, UssdTimeoutError (TimeoutError), PinRefusedError, PinWrongError
    │   ├── BalanceUnknownError
    │   ├── DialFailedError
    │   │   └── NumberBlacklistedError
    ├── MediaError               audio or its transport
    ├── StoreError               the database
    ├── VaultError               the keys that PINs are sealed with
    ├── RemoteError              the server that a command talks to
    ├── InstallError             files of the system cannot be put in place
    ├── SelftestError            a self-test or a test on hardware may not go on
    │   ├── NotInRackError, LimitReachedError
    └── EmulatorError            the emulator

`code` is stable and documented in docs/reference/errors.md; `status` is the HTTP status (RFC 9110) that the
REST API answers with; `fault` says who can mend it.
"""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Who can mend an error."""

    CALLER = "caller"
    OPERATOR = "operator"
    MODEM = "modem"
    NETWORK = "network"
    MODEMBANK = "modembank"


class ModembankError(Exception):
    """Base of all our errors; `str()` is one sentence that says what to do.

    `call_id` names the call, if there is one.
    """

    code = "internal"
    status = 500
    fault = Fault.MODEMBANK
    call_id: str | None = None


class SettingsError(ModembankError):
    """A setting is missing or wrong."""

    code = "settings"
    fault = Fault.OPERATOR


class RequestError(ModembankError):
    """The caller asked for something that cannot be."""

    code = "bad_request"
    status = 400
    fault = Fault.CALLER


class InvalidNumberError(RequestError):
    """Not a number that may reach `ATD`."""

    code = "invalid_number"
    status = 422


class DestinationRefusedError(RequestError):
    """Policy does not allow this destination."""

    code = "destination_refused"
    status = 403


class EmergencyNumberError(DestinationRefusedError):
    """Emergency numbers are refused unless the operator switched them on."""

    code = "emergency_number"


class NotFoundError(RequestError):
    """No such resource."""

    code = "not_found"
    status = 404


class WrongStateError(RequestError):
    """The resource exists, but not in a state that allows this."""

    code = "wrong_state"
    status = 409


class InvalidOfferError(RequestError):
    """The SDP offer cannot be answered."""

    code = "invalid_offer"
    status = 422


class UnauthorizedError(RequestError):
    """No valid API key."""

    code = "unauthorized"
    status = 401


class ForbiddenError(RequestError):
    """The API key lacks the scope, or the web origin is not allowed."""

    code = "forbidden"
    status = 403


class ValidationFailedError(RequestError):
    """The request does not follow its schema; `errors` of the problem names each place."""

    code = "validation_failed"
    status = 422


class MethodNotAllowedError(RequestError):
    """The resource exists, but does not take this method; `Allow` lists those it takes."""

    code = "method_not_allowed"
    status = 405


class BodyTooLargeError(RequestError):
    """The request body is larger than the server reads."""

    code = "body_too_large"
    status = 413


class TooManyStreamsError(RequestError):
    """More event streams are open than the server feeds."""

    code = "too_many_streams"
    status = 503


class UssdRefusedError(RequestError):
    """A USSD code that the settings do not allow."""

    code = "ussd_refused"
    status = 403


class IdempotencyMismatchError(RequestError):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_mismatch"
    status = 422


class IdempotencyRunningError(RequestError):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_running"
    status = 409


class NoSimAvailableError(RequestError):
    """No SIM passes the filters of this dial.

    `removed` maps each filter's name to how many SIMs it removed.
    """

    code = "no_sim_available"
    status = 503
    fault = Fault.OPERATOR

    def __init__(self, message: str, removed: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.removed = removed or {}


class HostError(ModembankError):
    """A host refused a command or did not answer it."""

    code = "host"
    status = 503


class HostUnreachableError(HostError, TimeoutError):
    """No host listens on the bus, or its answer did not come before the deadline.

    `handed_over` is false when the command surely reached nobody.
    """

    code = "host_unreachable"
    handed_over = True


class StaleEpochError(HostError):
    """The command carries an epoch older than the host has seen for this SIM."""

    code = "stale_epoch"
    status = 409


class DuplicateCommandError(HostError):
    """The command id was already executed; nothing was done again."""

    code = "duplicate_command"
    status = 409


class PortError(ModembankError):
    """A serial port."""

    code = "port"
    status = 503
    fault = Fault.OPERATOR


class PortMissingError(PortError):
    """The port does not exist."""

    code = "port_missing"


class PortBusyError(PortError):
    """Another program holds the port."""

    code = "port_busy"


class PortLostError(PortError):
    """The port went away while it was open."""

    code = "port_lost"
    fault = Fault.MODEM


class TooManyPortsError(PortError):
    """More ports than the serial backend can watch."""

    code = "too_many_ports"


class PortHangsError(PortLostError):
    """The kernel does not come back from opening the port."""

    code = "port_hangs"


class ModemSilentError(PortLostError):
    """The modem answers no command, not even after ESC."""

    code = "modem_silent"


class ModemFloodError(PortLostError):
    """The modem told so much unasked that its port was closed."""

    code = "modem_flood"


class UsbStepError(PortError):
    """A USB device or its port could not be switched off and on."""

    code = "usb_step"


class AtError(ModembankError):
    """The AT dialogue (ITU-T V.250)."""

    code = "at"
    status = 502
    fault = Fault.MODEM


class AtTimeoutError(AtError, TimeoutError):
    """No final result code before the command's deadline."""

    code = "at_timeout"
    status = 504

    def __init__(self, command: str, timeout_s: float) -> None:
        super().__init__(f"no final result code for AT{command} within {timeout_s:g} s")
        self.command = command
        self.timeout_s = timeout_s


class AtSyntaxError(AtError):
    """A line that does not follow its standard, or a command with bytes that may not be sent."""

    code = "at_syntax"


class AtBusyError(AtError):
    """A command was handed over while another one is owed an answer, or the queue is full."""

    code = "at_busy"


class AtRefusedError(AtError):
    """A command that the console's allow-list does not let through."""

    code = "at_refused"
    status = 403
    fault = Fault.CALLER


class AtResultError(AtError):
    """A negative final result code. Source: ITU-T V.250 section 5.7.1."""

    code = "at_result"

    def __init__(self, command: str, result: str) -> None:
        super().__init__(f"AT{command} was answered with {result}")
        self.command = command
        self.result = result


class CmeError(AtResultError):
    """+CME ERROR: <cme>. Source: 3GPP TS 27.007 section 9.2."""

    code = "cme_error"

    def __init__(self, command: str, cme: int) -> None:
        super().__init__(command, f"+CME ERROR: {cme}")
        self.cme = cme


class CmsError(AtResultError):
    """+CMS ERROR: <cms>. Source: 3GPP TS 27.005 section 3.2.5."""

    code = "cms_error"

    def __init__(self, command: str, cms: int) -> None:
        super().__init__(command, f"+CMS ERROR: {cms}")
        self.cms = cms


class SmsFormatError(ModembankError):
    """An SMS or a USSD string that does not follow its standard, or cannot be written by it."""

    code = "sms_format"
    status = 422
    fault = Fault.CALLER


class ModemError(ModembankError):
    """A modem that cannot do what was asked."""

    code = "modem"
    status = 502
    fault = Fault.MODEM


class LineBusyError(ModemError):
    """The modem waits for its network's answer about something else; nothing was dialled, and it may be tried again."""

    code = "line_busy"
    status = 503
    fault = Fault.NETWORK


class NoVoiceError(ModemError):
    """The modem has no usable voice path."""

    code = "no_voice"


class SimNotReadyError(ModemError):
    """The SIM is absent, locked or still starting."""

    code = "sim_not_ready"


class NotRegisteredError(ModemError):
    """The modem is not registered for voice."""

    code = "not_registered"
    fault = Fault.NETWORK


class DialFailedError(ModemError):
    """`ATD` was refused, or answered with an end-of-call result code; `q850` is the cause if the code tells one."""

    code = "dial_failed"
    fault = Fault.NETWORK

    def __init__(self, message: str, q850: int | None = None) -> None:
        super().__init__(message)
        self.q850 = q850


class NumberBlacklistedError(DialFailedError):
    """The modem refused a number by itself, after too many failed tries; nothing reached the network.

    Source: GSM 02.07 annex A, now 3GPP TS 22.001.
    """

    code = "number_blacklisted"
    fault = Fault.MODEM


class SmsUnknownError(ModemError):
    """The message was handed to the modem, and what became of it is not known: never sent again by itself."""

    code = "sms_unknown"
    fault = Fault.NETWORK


class UssdTimeoutError(ModemError, TimeoutError):
    """The network did not answer a USSD code in time; the session was cancelled."""

    code = "ussd_timeout"
    status = 504
    fault = Fault.NETWORK


class BalanceUnknownError(ModemError):
    """The network's answer to the balance code has no amount where its rule looks for one."""

    code = "balance_unknown"
    fault = Fault.OPERATOR


class PinRefusedError(ModemError):
    """A PIN or PUK was not tried, since a try could lock the card, or the card refused it."""

    code = "pin_refused"
    status = 409
    fault = Fault.OPERATOR


class PinWrongError(PinRefusedError):
    """The card was asked and refused the PIN or PUK: one try is gone."""

    code = "pin_wrong"


class IllegalTransitionError(ModembankError):
    """An event that the state table does not know in this state."""

    code = "illegal_transition"


class MediaError(ModembankError):
    """Audio or its transport."""

    code = "media"
    status = 502


class StoreError(ModembankError):
    """The database."""

    code = "store"
    status = 503
    fault = Fault.OPERATOR


class VaultError(ModembankError):
    """A PIN cannot be sealed or opened: its key is missing, or the stored value was changed or moved."""

    code = "vault"
    status = 503
    fault = Fault.OPERATOR


class RemoteError(ModembankError):
    """The server that a command talks to cannot be reached, or it refused."""

    code = "remote"
    status = 502
    fault = Fault.OPERATOR


class InstallError(ModembankError):
    """Udev rules or the service cannot be put in place."""

    code = "install"
    fault = Fault.OPERATOR


class SelftestError(ModembankError):
    """A self-test or a test on hardware may not start or not go on."""

    code = "selftest"
    status = 409
    fault = Fault.OPERATOR


class NotInRackError(SelftestError):
    """The rack file does not allow this number; nothing was sent."""

    code = "not_in_rack"
    status = 403


class LimitReachedError(SelftestError):
    """A limit on calls, minutes, messages or money would be passed; nothing was sent."""

    code = "limit_reached"


class EmulatorError(ModembankError):
    """The emulator was asked for something it cannot do."""

    code = "emulator"
    status = 400
    fault = Fault.CALLER

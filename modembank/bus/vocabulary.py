"""The words that commands, events, records and the API share."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """Who started the call, seen from the bank."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class CallStatus(StrEnum):
    """The life of a call as users see it; alerting (`ringing`) and answered (`in_progress`) never merge."""

    QUEUED = "queued"
    DIALING = "dialing"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self in ENDED


ENDED = frozenset(
    {
        CallStatus.COMPLETED,
        CallStatus.BUSY,
        CallStatus.NO_ANSWER,
        CallStatus.FAILED,
        CallStatus.CANCELED,
        CallStatus.REJECTED,
    }
)


class HangupSource(StrEnum):
    """Who ended the call: the calling party, the called party, or the system between them."""

    CALLER = "caller"
    CALLEE = "callee"
    SYSTEM = "system"


class Cause(StrEnum):
    """Why a call ended. The Q.850 number beside it is kept in the record when the network told one."""

    NORMAL_CLEARING = "normal_clearing"
    USER_BUSY = "user_busy"
    NO_ANSWER = "no_answer"
    CALL_REJECTED = "call_rejected"
    UNASSIGNED_NUMBER = "unassigned_number"
    INVALID_NUMBER = "invalid_number"
    CONGESTION = "congestion"
    NETWORK_FAILURE = "network_failure"
    CALL_BARRED = "call_barred"
    NUMBER_BLACKLISTED = "number_blacklisted"  # by the modem itself, after too many failed tries
    ORIGINATOR_CANCEL = "originator_cancel"
    TIME_LIMIT = "time_limit"
    MODEM_LOST = "modem_lost"
    MODEM_FAILED = "modem_failed"
    SIM_NOT_READY = "sim_not_ready"
    NOT_REGISTERED = "not_registered"
    MEDIA_LOST = "media_lost"
    MEDIA_FAILED = "media_failed"
    SERVER_RESTART = "server_restart"
    HOST_UNREACHABLE = "host_unreachable"
    UNSPECIFIED = "unspecified"


class MediaState(StrEnum):
    """The far side's transport, as seen from our own receive counters."""

    NEW = "new"
    CONNECTED = "connected"
    SILENT = "silent"  # no RTP for 5 s, or the transport was closed; it may come back, or attach again
    LOST = "lost"  # no RTP for 15 s: nobody is there any more
    FAILED = "failed"  # ICE or DTLS never came up


class AudioDirection(StrEnum):
    """Where sound comes from."""

    FROM_MODEM = "from_modem"  # what the far side hears
    FROM_FAR = "from_far"  # what the other phone hears


class ModemState(StrEnum):
    """What a modem can do now."""

    OPENING = "opening"
    STARTING = "starting"
    NO_SIM = "no_sim"
    SIM_LOCKED = "sim_locked"
    SEARCHING = "searching"
    DENIED = "denied"
    READY = "ready"
    IN_CALL = "in_call"
    FAILED = "failed"
    QUARANTINED = "quarantined"  # every step of the ladder was tried in vain; see `HealingStep`
    LOST = "lost"


class Trouble(StrEnum):
    """What is wrong with a modem that needs healing."""

    SILENT = "silent"  # it answers no AT command
    PORT_LOST = "port_lost"  # its port cannot be opened, or went away, while the device is there
    PORT_HANGS = "port_hangs"  # the kernel does not come back from opening its port
    PORT_REFUSED = "port_refused"  # another program holds its port, or this user may not open it
    NOT_STARTING = "not_starting"  # it answers, yet is never set up, or its SIM never gets ready
    UNREGISTERED = "unregistered"  # no network has taken it for long
    NO_AUDIO = "no_audio"  # answered calls had no sound from it
    CALL_STUCK = "call_stuck"  # it has a call that nobody owns and does not let go of it
    NOISY = "noisy"  # it tells so much unasked that nothing else gets through
    AWAY = "away"  # it did not come back from a step, or with its hub


class HealingStep(StrEnum):
    """The rungs of the ladder, from the gentlest to the last. Source: hardware sheet, section 8, reset ladder."""

    WAKE = "wake"  # ESC, then AT
    REOPEN = "reopen"  # close the port and open it again
    RADIO = "radio"  # +CFUN=0, then 1
    RESTART = "restart"  # +CFUN=1,1
    USB_RESET = "usb_reset"  # the device is logged off the bus and on again
    PORT_POWER = "port_power"  # its hub port loses power and gets it back
    QUARANTINE = "quarantine"  # left alone for a while


class HealingPhase(StrEnum):
    """What is told of a modem's healing."""

    TRYING = "trying"  # a step is being tried
    HEALED = "healed"
    QUARANTINED = "quarantined"
    RELEASED = "released"  # from quarantine, by time or by a person


class IncidentPhase(StrEnum):
    """What is told of a hub's failure."""

    BEGAN = "began"
    OVER = "over"  # everything is back, or what is not is called missing


class SubmitOutcome(StrEnum):
    """What became of one part of a message."""

    TAKEN = "taken"  # the network has it
    REFUSED = "refused"  # by modem or network, which did not take it
    NOT_WRITTEN = "not_written"  # the modem never got it
    UNKNOWN = "unknown"  # handed over, and the answer was lost


class UssdOutcome(StrEnum):
    """`<m>` of +CUSD in words. Source: 3GPP TS 27.007 section 7.15."""

    DONE = "done"
    REPLY_WANTED = "reply_wanted"
    TERMINATED = "terminated"
    OTHER_CLIENT = "other_client"
    NOT_SUPPORTED = "not_supported"
    TIMEOUT = "timeout"

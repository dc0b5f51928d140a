"""What may be written to an AT port: one record for each command line, with its deadline and retry class.

Source: ITU-T V.250 section 5.2 (command line), 3GPP TS 27.007 section 4.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from modembank.errors import AtSyntaxError, InvalidNumberError

PING_S = 5.0  # an idle modem answers within milliseconds; a busy host needs the rest
ORDINARY_S = 5.0  # what drivers in the field wait for settings and queries
SIM_S = 15.0  # the SIM may still be read by the baseband after insertion
DIAL_S = 30.0  # as long as a dialled call may stay without any progress
HANG_UP_S = 10.0  # a release waits for the network; longer and CHUP was not obeyed
FUNCTIONALITY_S = 15.0  # +CFUN detaches from the network first
SUBMIT_S = 60.0  # the service centre may take 40 s; from the moment the PDU was written
STORE_S = 20.0  # a full SIM is read slowly
SCAN_S = 180.0  # +COPS=? listens on every band
CONSOLE_S = 30.0  # a person waits in front of the console

DIALABLE = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
DTMF_DIGITS = frozenset("0123456789*#ABCD")
_CONTROL = re.compile(r"[^\x20-\x7e]")
_CALL_COMMAND = re.compile(r"D|A$", re.IGNORECASE)


class RetryClass(StrEnum):
    """Whether a command whose answer was lost may be sent again."""

    SAFE = "safe"  # a query or a setting: as often as needed
    ONCE = "once"  # idempotent in effect, yet not to be hammered
    NEVER = "never"  # costs money or a PIN try


@dataclass(frozen=True, slots=True)
class AtCommand:
    """One command line without `AT` and without its terminator.

    `prefix` names the information text that belongs to it (`"+CSQ:"`, or several for joined commands); `bare` is a
    regular expression for answers without a prefix (`+CGSN`). Lines that fit neither are URCs. `payload` is what
    the modem prompts for; it is written with Ctrl-Z behind it.

    Raises:
        AtSyntaxError: a byte outside printable ASCII; it could end the line and start another command.
    """

    text: str
    prefix: str | tuple[str, ...] = ()
    timeout_s: float = ORDINARY_S
    retry: RetryClass = RetryClass.SAFE
    bare: str | None = None
    payload: str | None = None

    def __post_init__(self) -> None:
        if _CONTROL.search(self.text) or (self.payload is not None and _CONTROL.search(self.payload)):
            raise AtSyntaxError("an AT command may hold printable ASCII only")

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes as a tuple, for `str.startswith`."""
        return (self.prefix,) if isinstance(self.prefix, str) else self.prefix

    @property
    def line(self) -> bytes:
        """The bytes to write. Source: ITU-T V.250 section 5.2.1 (S3 = CR)."""
        return f"AT{self.text}\r".encode("ascii")

    @property
    def call(self) -> bool:
        """Whether NO CARRIER, BUSY and the like may be this command's final result code (`D` and `A`)."""
        return _CALL_COMMAND.match(self.text) is not None

    def patient(self, timeout_s: float) -> AtCommand:
        """The same command with another deadline."""
        return replace(self, timeout_s=timeout_s)


def join(*commands: AtCommand) -> AtCommand:
    """One line for several extended commands; the first error ends it. Source: ITU-T V.250 section 5.4.1."""
    bare = [command.bare for command in commands if command.bare]
    return AtCommand(
        ";".join(command.text for command in commands),
        prefix=tuple(prefix for command in commands for prefix in command.prefixes),
        timeout_s=max(command.timeout_s for command in commands),
        retry=max((command.retry for command in commands), key=list(RetryClass).index),
        bare="|".join(f"(?:{one})" for one in bare) or None,
    )


def setting(text: str) -> AtCommand:
    """A command that answers with a final result code only."""
    return AtCommand(text)


def dial(number: str) -> AtCommand:
    """`ATD<number>;`, a voice call that must never be sent twice.

    Raises:
        InvalidNumberError: anything but an optional plus and 3 to 15 digits: `*`, `#`, `;`, `>` and letters would
            change supplementary services or start other commands.

    Source: 3GPP TS 27.007 section 6.2, TS 22.030 section 6.5.2.
    """
    if not DIALABLE.fullmatch(number):
        raise InvalidNumberError("only an optional plus and 3 to 15 digits may be dialled")
    return AtCommand(f"D{number};", timeout_s=DIAL_S, retry=RetryClass.NEVER)


def dtmf(digit: str, form: str = '+VTS="{digit}"', index: int = 1, digits: frozenset[str] = DTMF_DIGITS) -> AtCommand:
    """One digit, by `+VTS` or in a family's own form, which may name the call. Raises AtSyntaxError.

    Source: 3GPP TS 27.007 annex C.2.11.
    """
    if len(digit) != 1 or digit not in digits:
        raise AtSyntaxError(f"a DTMF digit of this modem is one of {''.join(sorted(digits))}")
    return AtCommand(form.format(digit=digit, index=index), retry=RetryClass.ONCE)


_CONSOLE_NAME = re.compile(r"[+^*$&]?[A-Z]+", re.IGNORECASE)


def console(line: str) -> AtCommand:
    """A line that a person typed, with or without `AT`; whatever is not a known URC counts as its answer.

    Raises AtSyntaxError. The caller has applied the allow-list.
    """
    text = line.strip()
    if text[:2].upper() == "AT":
        text = text[2:]
    names = [_CONSOLE_NAME.match(part.strip()) for part in text.split(";")]
    prefixes = tuple(f"{name.group().upper()}:" for name in names if name and name.group()[0] in "+^*$")
    scanning = text.upper().startswith("+COPS=?")
    return AtCommand(text, prefixes, timeout_s=SCAN_S if scanning else CONSOLE_S, retry=RetryClass.NEVER, bare=".+")


PING = AtCommand("", timeout_s=PING_S)
ANSWER = AtCommand("A", timeout_s=DIAL_S, retry=RetryClass.NEVER)
HANG_UP = AtCommand("+CHUP", timeout_s=HANG_UP_S, retry=RetryClass.ONCE)
REJECT_WAITING = AtCommand("+CHLD=0", timeout_s=HANG_UP_S, retry=RetryClass.ONCE)
SWAP = AtCommand("+CHLD=2", timeout_s=HANG_UP_S, retry=RetryClass.NEVER)
RADIO_OFF = AtCommand("+CFUN=4", timeout_s=FUNCTIONALITY_S, retry=RetryClass.ONCE)
MINIMUM = AtCommand("+CFUN=0", timeout_s=FUNCTIONALITY_S, retry=RetryClass.ONCE)
RESTART = AtCommand("+CFUN=1,1", timeout_s=FUNCTIONALITY_S, retry=RetryClass.NEVER)
RADIO_ON = AtCommand("+CFUN=1", timeout_s=FUNCTIONALITY_S, retry=RetryClass.ONCE)
LIST_CALLS = AtCommand("+CLCC", "+CLCC:")
READ_CAUSE = AtCommand("+CEER", "+CEER:")
READ_PIN = AtCommand("+CPIN?", "+CPIN:", timeout_s=SIM_S)
READ_NUMBER = AtCommand("+CNUM", "+CNUM:", timeout_s=SIM_S)
READ_IMSI = AtCommand("+CIMI", timeout_s=SIM_S, bare=r"\d{6,15}")
# EF_ICCID, for modems without a command of their own. Source: 3GPP TS 27.007 section 8.18, TS 31.102 section 4.2.1.
READ_EF_ICCID = AtCommand("+CRSM=176,12258,0,0,10", "+CRSM:", timeout_s=SIM_S)
READ_MAKER = AtCommand("+CGMI", "+CGMI:", bare=r".+")
READ_MODEL = AtCommand("+CGMM", "+CGMM:", bare=r".+")
READ_REVISION = AtCommand("+CGMR", "+CGMR:", bare=r".+")
READ_IMEI = AtCommand("+CGSN", "+CGSN:", bare=r"\d{14,17}")
READ_SIGNAL = AtCommand("+CSQ", "+CSQ:")
READ_CS_REGISTRATION = AtCommand("+CREG?", "+CREG:")
READ_EPS_REGISTRATION = AtCommand("+CEREG?", "+CEREG:")
READ_OPERATOR = AtCommand("+COPS=3,2;+COPS?;+COPS=3,0;+COPS?", "+COPS:")


def release_call(index: int) -> AtCommand:
    """Release one call by its `+CLCC` index. Source: 3GPP TS 22.030 section 6.5.5.1 (1X SEND)."""
    return AtCommand(f"+CHLD=1{index}", timeout_s=HANG_UP_S, retry=RetryClass.ONCE)

"""Final result codes. Source: ITU-T V.250 section 5.7.1; 3GPP TS 27.007 section 9.2, TS 27.005 section 3.2.5.

BLACKLISTED and DELAYED: Bluetooth Hands-Free Profile section 4.34.2, and data modems with a redial list.
"""

from __future__ import annotations

from dataclasses import dataclass

from modembank.at.mask import mask_command
from modembank.errors import AtResultError, CmeError, CmsError

CALL_CODES = frozenset({"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "BLACKLISTED", "DELAYED"})
_PLAIN = frozenset({"OK", "ERROR", "CONNECT", "COMMAND NOT SUPPORT"})


@dataclass(frozen=True, slots=True)
class Result:
    """A command's final result code and the information text before it."""

    command: str
    final: str
    info: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the modem did what it was told."""
        return self.final in {"OK", "CONNECT"}

    def checked(self) -> tuple[str, ...]:
        """Return the information text. Raises CmeError, CmsError, AtResultError, which name the command masked."""
        if self.ok:
            return self.info
        command = mask_command(self.command)
        name, _, number = self.final.partition(": ")
        if name == "+CME ERROR" and number.isdecimal():
            raise CmeError(command, int(number))
        if name == "+CMS ERROR" and number.isdecimal():
            raise CmsError(command, int(number))
        raise AtResultError(command, self.final)


def read_final(line: str) -> str | None:
    """The final result code in its usual spelling, or None. The call's codes are not among them: see CALL_CODES."""
    if line in _PLAIN:
        return "ERROR" if line == "COMMAND NOT SUPPORT" else line
    for name in ("+CME ERROR:", "+CMS ERROR:"):
        if line.startswith(name):
            return f"{name} {line.removeprefix(name).strip()}"
    return "CONNECT" if line.startswith("CONNECT ") else None

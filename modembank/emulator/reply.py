"""What a command answers: information text, final result code, and what happens after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modembank.errors import EmulatorError

CME_TEXTS = {
    3: "Operation not allowed",
    4: "Operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    16: "Incorrect password",
    22: "Not found",
    26: "Dial string too long",
    27: "Invalid characters in dial string",
    30: "No network service",
    50: "Incorrect parameters",
    100: "Unknown",
}
"""Source: 3GPP TS 27.007 clause 9.2."""

CMS_TEXTS = {
    302: "Operation not allowed",
    303: "Operation not supported",
    305: "Invalid text mode parameter",
    304: "Invalid PDU mode parameter",
    310: "SIM not inserted",
    311: "SIM PIN required",
    313: "SIM failure",
    314: "SIM busy",
    316: "SIM PUK required",
    321: "Invalid memory index",
    322: "Memory full",
    331: "No network service",
    340: "No +CNMA acknowledgement expected",
}
"""Source: 3GPP TS 27.005 clause 3.2.5."""

NUMERIC_RESULTS = {
    "OK": "0",
    "RING": "2",
    "NO CARRIER": "3",
    "ERROR": "4",
    "NO DIALTONE": "6",
    "BUSY": "7",
    "NO ANSWER": "8",
}
"""Source: ITU-T V.250 clause 5.7.1, table 1."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One command's answer.

    `after` runs when the final result code has been written. `deferred` is given a function that the
    command calls later with the real reply (ATD under +COLP=1). `prompt` asks the host for text with `> ` and
    turns it into the real reply; None stands for an escape.
    """

    lines: tuple[str, ...] = ()
    final: str = "OK"
    after: Callable[[], None] | None = None
    delay_s: float = 0.0
    deferred: Callable[[Callable[[Reply], None]], None] | None = None
    prompt: Callable[[bytes | None], Reply] | None = None


OK = Reply()


class RefusedError(EmulatorError):
    """A command is refused: `final` is a fixed result code, `cme`/`cms` an error number.

    With none of them the firmware does not know the command.
    """

    def __init__(self, *, cme: int = 100, cms: int | None = None, final: str | None = None) -> None:
        super().__init__(final or (f"CMS {cms}" if cms is not None else f"CME {cme}"))
        self.cme = cme
        self.cms = cms
        self.final = final

    def result(self, cmee: int) -> str:
        """Return the final result code under `+CMEE=<cmee>`. Source: 3GPP TS 27.007 clause 9.1."""
        if self.final is not None:
            return self.final
        if self.cms is not None:
            return f"+CMS ERROR: {CMS_TEXTS.get(self.cms, 'Unknown error') if cmee == 2 else self.cms}"
        if cmee == 0:
            return "ERROR"
        return f"+CME ERROR: {CME_TEXTS.get(self.cme, 'Unknown') if cmee == 2 else self.cme}"


def info(*lines: str) -> Reply:
    """Return a successful reply with information text."""
    return Reply(lines)

"""Which commands a person may send to a modem by hand. Pure.

By default only commands that read. Two stay refused even without the allow-list: dialling, which must leave a record
first (I9), and changing the IMEI, which is unlawful in several countries.
"""

from __future__ import annotations

import re

from modembank.errors import AtRefusedError

_LONGEST_LINE = 200
_PRINTABLE = re.compile(r"[\x20-\x7e]+", re.ASCII)

# Execution forms that only read.
READ_COMMANDS = frozenset(
    {
        "", "I", "&V", "+CSQ", "+CESQ", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GMI", "+GMM", "+GMR", "+GSN", "+CIMI",
        "+CCID", "+ICCID", "+QCCID", "^ICCID", "+CNUM", "+CLCC", "+CPAS", "+CEER", "+QNWINFO", "+QCSQ", "+CLAC",
        "^SYSINFO", "^SYSINFOEX", "^HCSQ", "+CPSI", "+QINISTAT",
    }
)  # fmt: skip
# Also their read and test forms do more than read, or tell secrets.
DENIED_NAMES = frozenset({"+CLCK", "+CPWD", "+EGMR", "^CARDLOCK", "+CUSD", "+CMGS", "+CMGR", "+CMGL", "+CMGD", "+CMGW"})
# Minutes of scanning, with the modem deaf to everything else.
_SLOW = frozenset({"+COPS=?"})
_QUERY = re.compile(r"(?P<name>[+^$%][A-Z][A-Z0-9]*)(\?|=\?)", re.ASCII)
_INFORMATION = re.compile(r"I[0-9]?", re.ASCII)
_NEVER = re.compile(r"(^|;)(D|\+EGMR|\^CARDLOCK|\+SIMEI)", re.ASCII)


def check_console_line(line: str, *, unrestricted: bool = False) -> str:
    """Return the line as it may be sent, with `AT` in front.

    Raises:
        AtRefusedError: the line holds control characters, or its command is not on the allow-list.
    """
    stripped = line.strip(" ")
    if len(stripped) > _LONGEST_LINE or not _PRINTABLE.fullmatch(stripped or " "):
        raise AtRefusedError("a command line is at most 200 printable ASCII characters")
    body = stripped[2:] if stripped[:2].upper() == "AT" else stripped
    command = body.replace(" ", "").upper()
    if _NEVER.search(command):
        raise AtRefusedError("this command is never sent by hand; place calls with POST /v1/calls")
    if not unrestricted and not _reads_only(command):
        raise AtRefusedError("only commands that read are allowed here, such as AT+CSQ, AT+COPS? or ATI")
    return f"AT{body}"


def _reads_only(command: str) -> bool:
    if command in READ_COMMANDS or _INFORMATION.fullmatch(command):
        return True
    query = _QUERY.fullmatch(command)
    return query is not None and query["name"] not in DENIED_NAMES and command not in _SLOW

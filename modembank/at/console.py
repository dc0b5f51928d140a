"""Which commands a person may send to a modem by hand. Pure.

By default one command that reads. Refused even without the allow-list, wherever it stands in the line: what places or
answers a call, which must leave a record first (I9), and what changes the IMEI, which is unlawful in several countries.
A line that is not understood to its end is refused too: nobody knows what a modem would make of it.
Source: ITU-T V.250 (07/2003) clauses 5.2 to 5.4.
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
# Never by hand. A "pressed key" dials as well as ATD does, and an eCall is an emergency call.
_NEVER_BASIC = frozenset({"D", "A"})
_NEVER_EXTENDED = ("+EGMR", "+SIMEI", "^CARDLOCK", "+CKPD", "+CDV", "+CECALL", "+QECALL")
_QUERY = re.compile(r"(?P<name>[+^$%][A-Z][A-Z0-9]*)(\?|=\?)", re.ASCII)
_INFORMATION = re.compile(r"I[0-9]?", re.ASCII)

# Clause 5.3.2 (S-parameters), 5.3.1 (basic syntax; `\` is a usual prefix besides `&`) and 5.4.1 (extended syntax).
_PARAMETER = r"S(?P<register>[0-9]+)(?:=(?P<value>[0-9]*)|\?)"
_BASIC = r"(?P<basic>[&\\]?[A-RT-Z])[0-9]*"
_STRING = r'"[^"]*"'
_EXTENDED = rf"(?P<extended>[+^$%*#!][A-Z][A-Z0-9!%./:_-]*)(?:\?|=\?|=(?:{_STRING}|[^;\"])*)?(?=;|$)"
_COMMAND = re.compile(rf"(?:{_PARAMETER}|{_BASIC}|{_EXTENDED});?", re.ASCII)
_STRING_OR_SPACES = re.compile(rf"({_STRING})| +", re.ASCII)
# Spaces mean nothing (clause 5.2.1), but a modem may end an extended command there and find a D behind it.
_SPLIT_EXTENDED = re.compile(r"[+^$%*#!][^;]*[^;,= ] +[A-Z]", re.ASCII)
# Only `+` is extended by the standard; of `%C0D112;` an old modem makes `%C0` and `D112;`.
_OLD_PREFIX = re.compile(r"[$%*#!][A-Z]+[0-9]", re.ASCII)


def check_console_line(line: str, *, unrestricted: bool = False) -> str:
    """Return the line as it may be sent, with `AT` in front.

    Raises:
        AtRefusedError: the line holds control characters, or its command is not on the allow-list.
    """
    stripped = line.strip(" ")
    if len(stripped) > _LONGEST_LINE or not _PRINTABLE.fullmatch(stripped or " "):
        raise AtRefusedError("a command line is at most 200 printable ASCII characters")
    body = stripped[2:] if stripped[:2].upper() == "AT" else stripped
    commands = _split(body)
    if not unrestricted and not (len(commands) <= 1 and _reads_only("".join(commands))):
        raise AtRefusedError("only one command that reads is allowed here, such as AT+CSQ, AT+COPS? or ATI")
    return f"AT{body}"


def _split(body: str) -> list[str]:
    """Take a line without its `AT` apart; in upper case, without spaces and separators.

    Raises:
        AtRefusedError: a command in it is never sent by hand, or the line cannot be understood.
    """
    line = _STRING_OR_SPACES.sub(r"\1", body).upper()
    if _SPLIT_EXTENDED.search(re.sub(_STRING, '""', body.upper())) or '\\"' in line:
        raise _not_understood(body)
    commands, place = [], 0
    while place < len(line):
        found = _COMMAND.match(line, place)
        if found is None or _OLD_PREFIX.match(found[0]):
            raise _not_understood(line[place:]) if line[place] not in _NEVER_BASIC else _never()
        if _is_never(found):
            raise _never()
        commands.append(found[0].removesuffix(";"))
        place = found.end()
    return commands


def _is_never(found: re.Match[str]) -> bool:
    answers_by_itself = found["register"] is not None and int(found["register"]) == 0 and int(found["value"] or 0) > 0
    return answers_by_itself or found["basic"] in _NEVER_BASIC or (found["extended"] or "").startswith(_NEVER_EXTENDED)


def _never() -> AtRefusedError:
    return AtRefusedError("this command is never sent by hand; place calls with POST /v1/calls")


def _not_understood(rest: str) -> AtRefusedError:
    return AtRefusedError(f"the command line is not understood from {rest[:20]!r} on")


def _reads_only(command: str) -> bool:
    if command in READ_COMMANDS or _INFORMATION.fullmatch(command):
        return True
    query = _QUERY.fullmatch(command)
    return query is not None and query["name"] not in DENIED_NAMES and command not in _SLOW

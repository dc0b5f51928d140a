"""Generated blocks about what proves that a modem family works: documents, transcripts, the emulator, real modems."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from modembank import dialects
from modembank.at.transcript import Mark, Source, Transcript, read_transcript
from modembank.dialects import DIALECTS, Dialect
from modembank.dialects.dialect import reads_nothing
from modembank.sms.ussd import UssdForm

TRANSCRIPTS = Path(__file__).resolve().parent.parent / "hardware" / "transcripts"
LINK = "../../hardware/transcripts"
# Parts of a transcript that are called as the features that they prove.
PARTS = {"bring-up", "call out", "call in", "sms out", "sms in", "ussd"}
OURS = "us"
_WRITTEN = {UssdForm.UCS2: "UCS2", UssdForm.PACKED: "packed septets", UssdForm.PLAIN: "plain text"}


def read_all() -> dict[str, Transcript]:
    """Return every transcript by its file's name."""
    return {file.name: read_transcript(file.read_text()) for file in sorted(TRANSCRIPTS.glob("*.txt"))}


def families() -> str:
    """Return one row for each family: what proves it, and whether we ever had one."""
    transcripts = read_all()
    lines = ["| dialect | emulated | transcripts | tried on a real modem by us |\n", "| --- | --- | --- | --- |\n"]
    for dialect in DIALECTS:
        own = {name: one for name, one in transcripts.items() if one.family == dialect.name}
        emulated = "yes" if any(one.source is Source.EMULATOR for one in own.values()) else "no"
        lines.append(f"| `{dialect.name}` | {emulated} | {_counted(own.values())} | {_tried(own.values())} |\n")
    return "".join(lines)


def _counted(transcripts: Iterable[Transcript]) -> str:
    sources = [one.source for one in transcripts]
    counts = {source: sources.count(source) for source in Source}
    return ", ".join(f"{count} {source}" for source, count in counts.items() if count) or "none"


def _tried(transcripts: Iterable[Transcript]) -> str:
    ours = [
        one.facts.get("model", "") for one in transcripts if one.source is Source.DEVICE and one.facts["by"] == OURS
    ]
    return ", ".join(ours) if ours else "**never**"


def proofs() -> str:
    """Return for each family which feature it has, and what proves each."""
    transcripts = read_all()
    return "\n".join(_proofs_of(dialect, transcripts) for dialect in DIALECTS)


def _proofs_of(dialect: Dialect, transcripts: dict[str, Transcript]) -> str:
    own = {name: one for name, one in transcripts.items() if one.family == dialect.name}
    rows = [(feature, has, _links(own, feature)) for feature, has in _features(dialect).items()]
    table = "".join(f"| {feature} | {has} | {proof} |\n" for feature, has, proof in rows)
    head = f"### What proves {dialect.name}\n\nTaken from: {_documents(dialect)}\n\n"
    return f"{head}| feature | does it have it | transcripts |\n| --- | --- | --- |\n{table}"


def _features(dialect: Dialect) -> dict[str, str]:
    """Features, and what the dialect says of them; the first six are those that transcripts replay."""
    voice = dialect.voice
    calls = "yes" if voice is not None else "on a serial port, or with a sound card that the settings name"
    events = ", ".join(f"`{one.name}`" for one in dialect.call_events) or "`+CLCC` is polled"
    return {
        "bring-up": "yes",
        "call out": f"{calls}; told by {events}",
        "call in": calls,
        "sms out": "yes",
        "sms in": f"yes, in {' and '.join(f'`{store}`' for store in dialect.message_stores)}",
        "ussd": f"yes, written as {_WRITTEN[dialect.ussd]}",
        "cause of a release": "`+CEER`" if dialect.read_cause is not None else "in the event that tells it",
        "DTMF in": "told by the modem" if _reads(dialect, "read_dtmf") else "not told",
        "signal": "told by the modem" if _reads(dialect, "read_signal") else "polled",
        "voice flow control": "told by the modem" if _reads(dialect, "read_audio_flow") else "none",
    }


def _reads(dialect: Dialect, name: str) -> bool:
    return getattr(dialect, name) is not reads_nothing


def _links(own: dict[str, Transcript], feature: str) -> str:
    """The transcripts that have the feature in them, by their source."""
    found = [f"[{one.source}]({LINK}/{name})" for name, one in own.items() if _shows(one, feature)]
    return ", ".join(found) or "none: documents only"


def _shows(transcript: Transcript, feature: str) -> bool:
    parts = {name.partition(":")[0].partition(",")[0] for name in transcript.parts()}
    if feature in PARTS:
        return feature in parts
    told = "\n".join(entry.text for entry in transcript.entries if entry.mark is Mark.IN)
    signs = {
        "cause of a release": r"\+CEER:|\^CEND:\d+,\d+,\d+,\d+",
        "DTMF in": r"\+QTONEDET:|\+RXDTMF:|\+DTMF:|\^DDTMF:",
        "signal": r'\^RSSI:|\+QIND: "csq"',
    }
    sign = signs.get(feature)
    return sign is not None and re.search(sign, told) is not None


def _documents(dialect: Dialect) -> str:
    """The `Source:` of the module that holds the dialect."""
    for file in Path(dialects.__file__).parent.glob("*.py"):
        text = file.read_text()
        found = re.search(r"Source: (.*?)(?:\n\n|\Z)", ast.get_docstring(ast.parse(text)) or "", re.DOTALL)
        if f'name="{dialect.name}"' in text and found:
            return " ".join(found[1].split())
    return "3GPP TS 27.005 and 27.007"


FAMILY_BLOCKS = {"families": families, "proofs": proofs}

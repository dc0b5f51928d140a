"""Fill the generated blocks of docs/reference and write the udev rules; `--check` only tells whether they are current.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from families_reference import FAMILY_BLOCKS
from interface_reference import INTERFACE_BLOCKS

from modembank.bus.vocabulary import CallStatus, Cause, ModemState
from modembank.call import outcome, state
from modembank.dialects import DIALECTS, Dialect
from modembank.dialects.udev import udev_rules
from modembank.emulator import parties, settings

HARDWARE = Path(__file__).resolve().parent.parent / "hardware"
REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def code(text: object) -> str:
    """Return text as inline code, safe inside a table."""
    return f"`{text}`".replace("|", "\\|")


def call_diagram() -> str:
    """Return the call state table as a Mermaid picture."""
    skipped = {state.CallInput.HANG_UP, state.CallInput.RELEASE}
    edges = [
        f"    {before} --> {after}: {happened}\n"
        for (before, happened), after in state.TRANSITIONS.items()
        if happened not in skipped and before is not after
    ]
    ends = "    releasing --> released: release\n    released --> [*]\n"
    return "```mermaid\nstateDiagram-v2\n    [*] --> new\n" + "".join(edges) + ends + "```\n"


def call_transitions() -> str:
    """Return the call state table, row by row."""
    rows = [(code(a), code(b), code(c)) for (a, b), c in state.TRANSITIONS.items()]
    return table(("state", "what happens", "next state"), rows)


def call_statuses() -> str:
    """Return which status the API shows in which state."""
    shown = [(code(before), code(status)) for before, status in state.STATUS.items()]
    ended = ", ".join(code(status) for status in CallStatus if status.ended)
    return table(("state", "`status` in the API"), [*shown, ("`released`", f"one of {ended}")])


def causes() -> str:
    """Return our causes with the network's numbers that lead to them."""
    numbers = {cause: [str(n) for n, mapped in outcome.CAUSES.items() if mapped is cause] for cause in Cause}
    return table(("`cause`", "Q.850 numbers"), [(code(c), ", ".join(numbers[c]) or "none") for c in Cause])


def modem_states() -> str:
    """Return the words for what a modem can do."""
    return ", ".join(code(word) for word in ModemState) + "\n"


def dialect_facts(dialect: Dialect) -> str:
    """Return what we know and send for one modem family."""
    ids = ", ".join(code(f"{vid:04x}:{pid:04x}") for vid, pid in sorted(dialect.usb_ids))
    rows = [
        ("USB ids", ids or "none: chosen by name in the settings"),
        ("ports", dialect_ports(dialect)),
        *dialect_voice(dialect),
        (
            "call events, the first that is accepted",
            commands(way.name for way in dialect.call_events) or "+CLCC is polled",
        ),
        ("ICCID, the first that answers", commands("AT" + one.text for one in dialect.read_iccid)),
        ("tries left for the PIN, the first that answers", commands("AT" + one.text for one in dialect.read_tries)),
        ("hang up", code("AT" + dialect.hang_up.text)),
        ("DTMF", code("AT" + dialect.dtmf)),
        ("messages are kept in, the first that is accepted", commands(dialect.message_stores)),
        ("USSD strings", code(dialect.ussd)),
        ("must be accepted at bring-up", commands("AT" + text for text in dialect.settings)),
        ("may be refused at bring-up", commands("AT" + text for text in dialect.optional)),
    ]
    return f"### {dialect.name}\n\n" + table(("what", "value"), rows)


def commands(texts: Iterable[str]) -> str:
    """Return texts as a list of inline code."""
    return ", ".join(code(text) for text in texts)


def dialect_ports(dialect: Dialect) -> str:
    """Return which interface does what, product by product where they differ."""
    layouts = {f"{vid:04x}:{pid:04x} ": ports for (vid, pid), ports in sorted(dialect.layouts.items())}
    rows = [
        name + ", ".join(f"interface {number}: {role}" for number, role in sorted(ports.items()))
        for name, ports in (layouts or {"": dialect.interfaces}).items()
    ]
    if dialect.vendor is not None:
        classes = (f"{a:02x}/{b:02x}/{c:02x}: {role}" for (a, b, c), role in sorted(dialect.classes.items()))
        rows.append(f"other products of {dialect.vendor:04x} by interface class: {', '.join(classes)}")
    return "; ".join(rows)


def dialect_voice(dialect: Dialect) -> list[tuple[str, str]]:
    """Return how voice gets onto the audio tty."""
    voice = dialect.voice
    if voice is None:
        return [("voice", "no command is known; through a sound card that the settings name")]
    rate = (
        f"{voice.rate_hz} Hz"
        if voice.rates is None
        else f"16000 Hz after {code('AT' + voice.rates.wide.text)}, else 8000"
    )
    own_card = dialect.card_voice
    return [
        ("voice on", f"{code('AT' + voice.on.text)} {voice.moment.replace('_', ' ')}"),
        ("voice proven by", f"{code(voice.proof)} in the answer to {code('AT' + voice.read_back.text)}"),
        ("voice rate", f"{rate}; 16 bit, mono"),
        *([("voice on its own sound card", code("AT" + own_card.on.text))] if own_card is not None else []),
    ]


def dialects() -> str:
    """Return all modem families."""
    return "\n".join(dialect_facts(dialect) for dialect in DIALECTS)


def far_parties() -> str:
    """Return the emulator's scripted numbers."""
    head = ("name", "number", "rings", "then", "Q.850 cause", "sound")
    return table(head, [_party(plan) for plan in parties.PLANS])


def _party(plan: parties.Plan) -> tuple[str, ...]:
    rings = f"{plan.ring_s:g} s" if plan.alerts else "no"
    if not plan.answers:
        then, cause = "releases", str(plan.cause)
    elif plan.talk_s is None:
        then, cause = "answers", "none"
    else:
        then, cause = f"answers, releases after {plan.talk_s:g} s", str(plan.talk_cause)
    sound = plan.early or plan.sound
    heard = "before any answer" if plan.early else ""
    return code(plan.name), code(plan.number), rings, then, cause, f"{sound} {heard}".strip()


def faults() -> str:
    """Return the emulator's fault switches with their docstrings."""
    (body,) = (
        node.body for node in ast.parse(inspect.getsource(settings.Faults)).body if isinstance(node, ast.ClassDef)
    )
    rows = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        note = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
        default = ast.unparse(node.value) if node.value else ""
        rows.append((code(node.target.id), code(default), " ".join(str(note).split())))
    return table(("fault", "default", "what it does"), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "call-diagram": call_diagram,
    "call-transitions": call_transitions,
    "call-statuses": call_statuses,
    "causes": causes,
    "modem-states": modem_states,
    "dialects": dialects,
    "parties": far_parties,
    "faults": faults,
    **FAMILY_BLOCKS,
    **INTERFACE_BLOCKS,
}


def filled(text: str) -> str:
    """Return a page with its blocks as the code says now."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n{found[3]}", text)


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` name the stale ones; 0 when nothing is stale."""
    stale = []
    for page in sorted(REFERENCE.glob("*.md")):
        before = page.read_text()
        after = filled(before)
        if after != before:
            stale.append(page.name)
            if "--check" not in arguments:
                page.write_text(after)
    rules = HARDWARE / "70-modembank.rules"
    if rules.read_text() != udev_rules(DIALECTS):
        stale.append(rules.name)
        if "--check" not in arguments:
            rules.write_text(udev_rules(DIALECTS))
    if stale and "--check" in arguments:
        print(f"stale, run `make docs`: {', '.join(stale)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

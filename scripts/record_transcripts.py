"""Record our driver on one emulated modem of each family, as hardware/transcripts/emulator-FAMILY.txt.

Families may be named as arguments. What it proves is small: that driver and emulator agree, and that a later driver
gets along with what was said then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from modembank.at.transcript import Mark, Source, write_transcript
from modembank.dialects import get_dialect
from modembank.emulator.client import EmulatorClient
from modembank.emulator.families import FAMILIES, ON_SERIAL_PORTS
from modembank.modem import (
    CallKind,
    CallProgress,
    CallRelease,
    Modem,
    ModemInfo,
    ModemPorts,
    ModemState,
    StoredAt,
    UssdReply,
    UssdStatus,
    scan,
)
from modembank.tty.trace import Way

FOLDER = Path(__file__).resolve().parent.parent / "hardware" / "transcripts"
PATIENCE_S = 30.0
LINES = 1000
# SMS-SUBMIT of "hello" to +447700900123, by way of the card's own service centre. Source: 3GPP TS 23.040 9.2.2.2.
SUBMIT, TPDU_OCTETS = "0001000C91447700091032000005E8329BFD06", 18


class Listener:
    """A ModemSink and MessageSink that counts."""

    def __init__(self) -> None:
        self.kinds: list[CallKind] = []
        self.releases = 0
        self.news = 0

    def modem_changed(self, info: ModemInfo) -> None:
        """See `ModemSink`."""

    def call_progress(self, progress: CallProgress) -> None:
        """See `ModemSink`."""
        self.kinds.append(progress.kind)

    def call_released(self, release: CallRelease) -> None:
        """See `ModemSink`."""
        self.releases += 1

    def dtmf_received(self, digit: str) -> None:
        """See `ModemSink`."""

    def audio_flow(self, ready: bool) -> None:
        """See `ModemSink`."""

    def message_waiting(self, place: StoredAt | None) -> None:
        """See `MessageSink`."""
        self.news += place is not None

    def message_direct(self, pdu: str) -> None:
        """See `MessageSink`."""

    def ussd_received(self, reply: UssdReply) -> None:
        """See `MessageSink`."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # a script, and what is waited for has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def emulator(folder: Path, family: str) -> AsyncIterator[tuple[dict[str, Any], EmulatorClient]]:
    """Run an emulator with one modem."""
    command = ["-m", "modembank.cli.emulate", "--dir", str(folder), "--modems", "1", "--family", family, "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--party-speed", "4", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        ready = json.loads(await process.stdout.readline())
        async with EmulatorClient(ready["control"]) as control:
            yield ready, control
    finally:
        process.terminate()
        await process.wait()


async def record(name: str, folder: Path) -> str | None:
    """Return the transcript of a family, None when no dialect takes it."""
    async with emulator(folder, name) as (ready, control):
        facts = cast("list[dict[str, Any]]", (await control.call("status"))["modems"])[0]  # by contract
        found = scan(Path(ready["sys"]), Path(ready["dev"]))
        serial = name in ON_SERIAL_PORTS
        family = name if serial else "generic"
        port = Path(facts["dev"]["at"])
        ports = found[0] if found else ModemPorts(facts["usb_path"], 0, 0, port, None, family, serial=serial)
        heard = Listener()
        modem = Modem(ports, heard, messages=heard)
        running = asyncio.create_task(modem.run())
        marks: list[tuple[int, str]] = [(0, "bring-up")]
        try:
            await until(lambda: modem.info.state is ModemState.READY)
            # Of a family that tells no calls they are polled: what it answers depends on when it is asked.
            if modem.info.voice and get_dialect(ports.dialect).call_events:
                await calls(modem, heard, control, ready["parties"]["echo"], marks)
            if modem.info.number is not None:
                await services(modem, heard, control, modem.info.number, marks)
            return text_of(modem, name, ports.dialect, marks)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def calls(
    modem: Modem, heard: Listener, control: EmulatorClient, echo: str, marks: list[tuple[int, str]]
) -> None:
    """One call out that we end, and one in that the far end does."""
    marks.append((len(modem.transcript(LINES)), "call out: dialing alerting answered local"))
    await modem.dial(echo)
    await until(lambda: CallKind.ANSWERED in heard.kinds)
    await asyncio.sleep(1.0)
    await modem.hang_up()
    await until(lambda: heard.releases == 1)
    await asyncio.sleep(1.0)
    heard.kinds.clear()
    marks.append((len(modem.transcript(LINES)), "call in: incoming answered remote"))
    call = await control.call("incoming", to=0, **{"from": "+447700900990"})
    await until(lambda: CallKind.INCOMING in heard.kinds)
    await modem.answer()
    await until(lambda: CallKind.ANSWERED in heard.kinds)
    await asyncio.sleep(1.0)
    await control.call("hangup", call=call["call"])
    await until(lambda: heard.releases == 2)
    await asyncio.sleep(1.0)


async def services(
    modem: Modem, heard: Listener, control: EmulatorClient, number: str, marks: list[tuple[int, str]]
) -> None:
    """A message out, one in that is read and deleted, and USSD with a menu."""
    marks.append((len(modem.transcript(LINES)), "sms out"))
    await modem.send_pdu(SUBMIT, TPDU_OCTETS)
    marks.append((len(modem.transcript(LINES)), "sms in"))
    await control.call("sms", modem=0, to=number, text="hello", **{"from": "+447700900990"})
    await until(lambda: heard.news > 0)
    for message in await modem.read_messages():
        await modem.delete_message(message.store, message.index)
    marks.append((len(modem.transcript(LINES)), "ussd"))
    reply = await modem.ussd("*123#")
    if reply.m is UssdStatus.REPLY_WANTED:
        await modem.answer_ussd("1")
    await modem.cancel_ussd()
    await modem.ussd("*100#")


def text_of(modem: Modem, name: str, dialect: str, marks: list[tuple[int, str]]) -> str:
    """Write what went over the wire, part by part."""
    lines = modem.transcript(LINES)
    facts = {"family": dialect, "source": Source.EMULATOR.value, "model": modem.info.model or "", "emulated": name}
    if name in ON_SERIAL_PORTS:
        facts["serial"] = "yes"
    ends = [*(start for start, _ in marks[1:]), len(lines)]
    parts = []
    for (start, part), end in zip(marks, ends, strict=True):
        told = [(line.at.timestamp(), line.way is Way.TO_MODEM, line.text) for line in lines[start:end]]
        parts.append(f"{Mark.PART} {part}\n{write_transcript({}, told).lstrip()}")
    return write_transcript(facts, []) + "\n".join(parts)


async def main() -> int:
    """Write all of them."""
    for name in FAMILIES | ON_SERIAL_PORTS if len(sys.argv) < 2 else sys.argv[1:]:
        with tempfile.TemporaryDirectory(prefix="record-") as folder:
            text = await record(name, Path(folder) / "emulator")
        if text is not None:
            file = FOLDER / f"emulator-{name}.txt"
            file.write_text(text)
            print(f"{file.name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

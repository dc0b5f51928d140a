"""gammu, gammu-smsd and smstools, unmodified, on a modem of every family; all families at once: they mostly wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from modembank.emulator.client import EmulatorClient
from modembank.emulator.families import FAMILIES as ON_USB
from modembank.emulator.families import OTHERS
from tests.support.emulator import Launched, RunningEmulator, launched, running
from tests.support.sms_programs import PROGRAM_S, daemon, file_with, gammu, gammu_smsd_config, smsd_config

FAMILIES = ON_USB | OTHERS
NAMES = tuple(FAMILIES)
TESTS = 7
SENDER, RECEIVER = "+447700900991", "+447700900922"
LONG = ("The quick brown fox jumps over the lazy dog. " * 7).strip()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    options = {"family": ",".join(NAMES), "party_speed": 10, "reenumerate_s": 0.2, "sim_busy_s": 0.2}
    with launched(tmp_path_factory.mktemp("programs"), TESTS * len(NAMES), 1, **options) as process:
        yield process


@pytest.fixture(scope="module")
def rounds() -> Iterator[int]:
    return count(0, len(NAMES))


@pytest.fixture
async def rack(mixed: Launched) -> AsyncIterator[RunningEmulator]:
    async with EmulatorClient(mixed.control) as client:
        yield running(mixed, client)


@pytest.fixture
def first(rounds: Iterator[int]) -> int:
    """The first of one fresh modem of each family."""
    return next(rounds)


async def sent_by(rack: RunningEmulator, index: int, parts: int) -> str:
    """Wait for so many messages, or parts of one, that a modem sends."""
    deadline = time.monotonic() + PROGRAM_S
    while True:
        found = (await rack.call("sms_sent", modem=index))["messages"]
        assert isinstance(found, list)
        if len(found) >= parts:
            return "".join(str(message["text"]) for message in found)
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def on_every_family(work, rack: RunningEmulator, first: int, folder: Path) -> None:
    """Run one program's work on a modem of each family, side by side; the family's name is in the error."""

    async def one(place: int, name: str) -> None:
        own = folder / name
        own.mkdir()
        try:
            await work(rack, first + place, name, own)
        except Exception as error:
            error.add_note(f"on {name}")
            raise

    ends = await asyncio.gather(*(one(place, name) for place, name in enumerate(NAMES)), return_exceptions=True)
    failures = [end for end in ends if isinstance(end, Exception)]
    if failures:
        raise ExceptionGroup("on some families", failures)


async def identify(rack: RunningEmulator, index: int, name: str, folder: Path) -> None:
    port, facts = await rack.link(index), await rack.modem(index)
    told = await gammu(port, folder, "identify")
    assert str(facts["imei"]) in told
    assert str(facts["imsi"]) in told
    assert FAMILIES[name].revision in told
    assert "modembank 001" in await gammu(port, folder, "networkinfo")


async def test_gammu_identify_and_networkinfo(rack: RunningEmulator, first: int, tmp_path: Path) -> None:
    await on_every_family(identify, rack, first, tmp_path)


@pytest.mark.parametrize(
    ("text", "options", "parts"),
    [("hello {world} €", (), 1), ("привет 😀", ("-unicode",), 1), (LONG, ("-len", "400"), 3)],
    ids=["gsm7", "ucs2", "long"],
)
async def test_gammu_sendsms(
    rack: RunningEmulator, first: int, tmp_path: Path, text: str, options: tuple[str, ...], parts: int
) -> None:
    async def send(rack: RunningEmulator, index: int, name: str, folder: Path) -> None:
        command = ("sendsms", "TEXT", rack.parties["sms_silent"], *options, "-text", text)
        await gammu(await rack.link(index), folder, *command)
        assert await sent_by(rack, index, parts) == text

    await on_every_family(send, rack, first, tmp_path)


async def read_and_ask(rack: RunningEmulator, index: int, name: str, folder: Path) -> None:
    """Messages, a USSD code and a call. gammu itself packs what a Huawei stick wants packed."""
    port = await rack.link(index)
    await rack.call("sms", to=index, from_=SENDER, text="to gammu")
    await rack.call("sms", to=index, from_="modembank", text="привет 😀 " * 12)
    told = await gammu(port, folder, "getallsms")
    assert "to gammu" in told and SENDER in told
    assert "modembank" in told and "part 2 of 2" in told and "привет 😀" in told
    assert "Your balance" in await gammu(port, folder, "getussd", "*100#")
    await gammu(port, folder, "dialvoice", rack.parties["echo"])
    calls = (await rack.modem(index))["calls"]
    assert isinstance(calls, list) and [call["number"] for call in calls] == [rack.parties["echo"]]


async def test_gammu_getallsms_getussd_dialvoice(rack: RunningEmulator, first: int, tmp_path: Path) -> None:
    await on_every_family(read_and_ask, rack, first, tmp_path)


async def with_smstools(rack: RunningEmulator, index: int, name: str, folder: Path) -> None:
    config = smsd_config(folder, await rack.link(index), FAMILIES[name].first_slot)
    await rack.call("sms", to=index, from_=SENDER, text="for the daemon")
    async with daemon("smstools", "smsd", "-t", f"-c{config}"):
        got = await file_with(folder / "incoming", b"for the daemon")
        assert f"From: {SENDER.removeprefix('+')}\n".encode() in got.read_bytes()
        (folder / "outgoing" / "one").write_text(f"To: {RECEIVER.removeprefix('+')}\n\nfrom the daemon\n")
        assert "from the daemon" in await sent_by(rack, index, 1)
    assert (await rack.call("sms_store", modem=index))["messages"] == []


async def test_smstools_sends_and_receives(rack: RunningEmulator, first: int, tmp_path: Path) -> None:
    await on_every_family(with_smstools, rack, first, tmp_path)


async def with_gammu_smsd(rack: RunningEmulator, index: int, name: str, folder: Path) -> None:
    config = gammu_smsd_config(folder, await rack.link(index))
    await rack.call("sms", to=index, from_=SENDER, text="for the daemon")
    async with daemon("gammu-smsd", "gammu-smsd", "-c", str(config)):
        got = await file_with(folder / "inbox", b"for the daemon")
        assert SENDER in got.name
        (folder / "outbox" / f"OUT{RECEIVER}.txt").write_text("from the daemon\n")
        assert "from the daemon" in await sent_by(rack, index, 1)
    assert (await rack.call("sms_store", modem=index))["messages"] == []


async def test_gammu_smsd_sends_and_receives(rack: RunningEmulator, first: int, tmp_path: Path) -> None:
    await on_every_family(with_gammu_smsd, rack, first, tmp_path)

"""An emulated bank, the server and the page in one command."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modembank.bank.bank import Bank
from modembank.config import BalanceRule, BalanceSettings, Settings, UssdSettings
from modembank.errors import SettingsError, UnauthorizedError
from modembank.service.emulator_process import EmulatedBank, emulated_bank
from modembank.service.serve import Running, serve

CREDENTIALS = "credentials.json"
LOCK = "demo.lock"
DEMO_KEY = "demo"
USSD_CODES = ("*100#", "*101*{digits}#", "*123#")
BALANCE_RULE = BalanceRule(plmn="00101", code="*100#", pattern=r"balance is £(?P<amount>[0-9.]+)", unit="GBP")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRunning:
    """What a person or a script needs once the demo is up."""

    url: str
    api_key: str
    emulator: EmulatedBank


async def demo(
    settings: Settings,
    *,
    modems: int,
    seed: int,
    on_ready: Callable[[DemoRunning], None],
    stop: asyncio.Event | None = None,
) -> None:
    """Run an emulated bank of `modems` modems and a server on top of it until SIGINT, SIGTERM or `stop`.

    The address and the key are also left in `credentials.json` (mode 0600) in the data folder for the CLI.

    Raises:
        EmulatorError, SettingsError, StoreError: see `emulated_bank` and `serve`.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    credentials = settings.data_dir / CREDENTIALS
    with _alone(settings.data_dir):
        await _demo(settings, credentials, modems, seed, on_ready, stop)


async def _demo(
    settings: Settings,
    credentials: Path,
    modems: int,
    seed: int,
    on_ready: Callable[[DemoRunning], None],
    stop: asyncio.Event | None,
) -> None:
    async with emulated_bank(settings.data_dir / "emulator", modems=modems, seed=seed) as bank:
        emulated = _on_emulator(settings, bank)

        async def keep_key(service: Bank) -> str:
            return await _key(service, credentials)

        def ready(running: Running) -> None:
            assert running.api_key is not None
            _save(credentials, running.url, running.api_key)
            on_ready(DemoRunning(url=running.url, api_key=running.api_key, emulator=bank))

        await serve(emulated, on_ready=ready, stop=stop, give_key=keep_key, modems=modems)


def _on_emulator(settings: Settings, bank: EmulatedBank) -> Settings:
    """The settings on emulated ports; where none were given, with the USSD codes that the emulated network knows."""
    serial = settings.serial.model_copy(update={"sysfs_root": bank.sys, "dev_root": bank.dev})
    ussd = settings.ussd if settings.ussd.codes else UssdSettings(codes=USSD_CODES)
    balance = settings.balance if settings.balance.rules else BalanceSettings(rules=(BALANCE_RULE,))
    return settings.model_copy(update={"serial": serial, "ussd": ussd, "balance": balance})


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second demo out of the folder: it would end the first one's emulator."""
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(f"a demo runs in {folder} already; end it first or choose another --dir") from None
        yield


async def _key(bank: Bank, credentials: Path) -> str:
    """The key of the last demo while it is valid, else a new one: bookmarks keep working."""
    try:
        secret = str(json.loads(credentials.read_text())["api_key"])
        await bank.keys.verify(secret)
    except (OSError, ValueError, KeyError, UnauthorizedError):
        _, secret = await bank.keys.create_key(DEMO_KEY, ("*",))
    return secret


def _save(credentials: Path, url: str, api_key: str) -> None:
    credentials.touch(mode=0o600, exist_ok=True)
    credentials.write_text(json.dumps({"url": url, "api_key": api_key}) + "\n")

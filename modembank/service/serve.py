"""Bank, host and web server in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from modembank.api.app import create_app
from modembank.api.server import ApiServer
from modembank.bank.bank import Bank
from modembank.bus.bus import InProcessBus
from modembank.call.engine import EngineChoice, make_engine
from modembank.config import Settings, unknown_variables
from modembank.host.host import Host
from modembank.media.gctune import settle_gc
from modembank.media.records import CodecName, IceServer, MediaSettings
from modembank.service.alone import alone_on_data, alone_on_database
from modembank.service.systemd import Notifier
from modembank.service.watchdog import LoopWatchdog
from modembank.service.wirings import wirings_of
from modembank.store.database import Database
from modembank.tty.backends import PortOpener
from modembank.tty.chassis import load_chassis
from modembank.tty.transport import SerialBackend

log = logging.getLogger(__name__)

# Facts of the last hang-ups on their way to the database.
DRAIN_LIMIT_S = 5.0
# Hundreds of emulated modems on a slow machine; real ones are not waited for.
MODEMS_LIMIT_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a person needs once the service is up. `api_key` only when it was made just now."""

    url: str
    api_key: str | None


async def first_key(bank: Bank) -> str | None:
    """Make an API key when there is none yet."""
    return await bank.keys.ensure_first_key()


async def serve(
    settings: Settings,
    *,
    on_ready: Callable[[Running], None],
    stop: asyncio.Event | None = None,
    give_key: Callable[[Bank], Awaitable[str | None]] = first_key,
    modems: int = 0,
) -> None:
    """Run until SIGINT, SIGTERM or `stop`; then end all calls, close their records and leave.

    `on_ready` is called when requests are taken, and `modems` of them (when known beforehand) can carry calls.

    Raises:
        SettingsError: the address is taken, or a server runs on this data already.
        StoreError: the database cannot be used.
    """
    for variable in unknown_variables():
        log.warning("%s is no setting and is ignored; docs/reference/settings.md lists them all", variable)
    stop = stop or asyncio.Event()
    _stop_on_signals(stop)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    with alone_on_data(settings), LoopWatchdog(Notifier()) as watchdog:
        await database.open()
        try:
            async with alone_on_database(database, settings.host_id):
                await database.upgrade()

                def ready(running: Running) -> None:
                    watchdog.ready()
                    on_ready(running)

                await _serve_bank(settings, database, watchdog, ready, stop, give_key, modems)
        finally:
            await database.close()


async def _serve_bank(
    settings: Settings,
    database: Database,
    watchdog: LoopWatchdog,
    on_ready: Callable[[Running], None],
    stop: asyncio.Event,
    give_key: Callable[[Bank], Awaitable[str | None]],
    modems: int,
) -> None:
    bus = InProcessBus()
    bank = Bank(settings, database, bus)
    await bank.start()
    try:
        api_key = await give_key(bank)
        app = create_app(bank, settings, event_loop=watchdog.lag)
        server = ApiServer(app, settings.http)
        await _serve_web(
            settings, bank, bus, server, stop, modems, lambda url: on_ready(Running(url=url, api_key=api_key))
        )
    finally:
        await bank.stop()


async def _serve_web(
    settings: Settings,
    bank: Bank,
    bus: InProcessBus,
    server: ApiServer,
    stop: asyncio.Event,
    modems: int,
    on_ready: Callable[[str], None],
) -> None:
    up = asyncio.Event()
    web = asyncio.create_task(server.run(up.set), name="web")
    await asyncio.wait({web, started := asyncio.create_task(up.wait())}, return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    if web.done():
        web.result()  # raises why it cannot listen
    host = asyncio.create_task(_make_host(settings, bus).run(), name="host")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await _modems_ready(bank, modems, stop)
        on_ready(server.url)
        settle_gc()
        done, _ = await asyncio.wait({web, host, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
    finally:
        stopping.cancel()
        host.cancel()
        await asyncio.gather(host, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_S):
                await bus.drained()
        server.stop()  # last, so that pages see their calls end
        await asyncio.gather(web, return_exceptions=True)


async def _modems_ready(bank: Bank, modems: int, stop: asyncio.Event) -> None:
    """Wait until so many modems can carry calls; one that cannot must not keep the others from being used."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MODEMS_LIMIT_S):
            while not stop.is_set() and (await bank.ready()).modems_ready < modems:  # noqa: ASYNC110  # start only
                await asyncio.sleep(0.1)


def _make_host(settings: Settings, bus: InProcessBus) -> Host:
    media = settings.media
    engine = make_engine(
        MediaSettings(
            ice_servers=tuple(
                IceServer(urls=server.urls, username=server.username, credential=server.credential)
                for server in media.ice_servers
            ),
            codecs=tuple(CodecName(name) for name in media.codecs),
            country=settings.country,
            ringback=media.ringback,
            connect_timeout_s=media.connect_timeout_s,
            silent_after_s=media.silent_after_s,
            lost_after_s=media.lost_after_s,
            quiet_after_s=media.quiet_after_s,
        ),
        EngineChoice(media.engine),
    )
    return Host(
        host_id=settings.host_id,
        bus=bus,
        engine=engine,
        opener=PortOpener(SerialBackend(settings.serial.backend)),
        sysfs_root=settings.serial.sysfs_root,
        dev_root=settings.serial.dev_root,
        rescan_s=settings.serial.rescan_s,
        forwarding_s=(settings.sims.forwarding_first_s, settings.sims.forwarding_every_s),
        wideband=media.wideband,
        wirings=wirings_of(settings.serial),
        slots=load_chassis(settings.serial.chassis).slots,
        patience=settings.serial.patience,
    )


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError):  # only the main thread takes signals
            loop.add_signal_handler(number, stop.set)

"""Bank, host and web server in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import uvicorn

from modembank.api.app import create_app
from modembank.bank.bank import Bank
from modembank.bus.bus import InProcessBus
from modembank.call.bridge import DirectMediaEngine
from modembank.config import Settings
from modembank.errors import SettingsError
from modembank.host.host import Host
from modembank.media.gctune import settle_gc
from modembank.media.records import CodecName, IceServer, MediaSettings
from modembank.store.database import Database
from modembank.tty.backends import PortOpener
from modembank.tty.transport import SerialBackend

log = logging.getLogger(__name__)

# Browsers keep event streams open; they get this long to take the goodbye.
WEB_SHUTDOWN_S = 2
# Facts of the last hang-ups on their way to the database.
DRAIN_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a person needs once the service is up. `api_key` only when it was made just now."""

    url: str
    api_key: str | None


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service stops in its own order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def first_key(bank: Bank) -> str | None:
    """Make an API key when there is none yet."""
    return await bank.keys.ensure_first_key()


async def serve(
    settings: Settings,
    *,
    on_ready: Callable[[Running], None],
    stop: asyncio.Event | None = None,
    give_key: Callable[[Bank], Awaitable[str | None]] = first_key,
) -> None:
    """Run until SIGINT, SIGTERM or `stop`; then end all calls, close their records and leave.

    Raises:
        SettingsError: the address is taken.
        StoreError: the database cannot be used.
    """
    stop = stop or asyncio.Event()
    _stop_on_signals(stop)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    await database.open()
    try:
        await database.upgrade()
        bus = InProcessBus()
        bank = Bank(settings, database, bus)
        await bank.start()
        try:
            api_key = await give_key(bank)
            await _serve_web(settings, bank, bus, stop, lambda url: on_ready(Running(url=url, api_key=api_key)))
        finally:
            await bank.stop()
    finally:
        await database.close()


async def _serve_web(
    settings: Settings, bank: Bank, bus: InProcessBus, stop: asyncio.Event, on_ready: Callable[[str], None]
) -> None:
    server = _Server(
        uvicorn.Config(
            create_app(bank, settings),
            host=settings.http.host,
            port=settings.http.port,
            log_config=None,
            access_log=False,
            loop="asyncio",  # the media path takes over UDP sockets, which libuv would go on reading
            timeout_graceful_shutdown=WEB_SHUTDOWN_S,
        )
    )
    web = asyncio.create_task(server.serve(), name="web")
    host = asyncio.create_task(_make_host(settings, bus).run(), name="host")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        on_ready(await _url(server, web, settings))
        settle_gc()
        done, _ = await asyncio.wait({web, host, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
    finally:
        stopping.cancel()
        server.should_exit = True
        host.cancel()
        await asyncio.gather(host, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_S):
                await bus.drained()
        await asyncio.gather(web, return_exceptions=True)


async def _url(server: _Server, web: asyncio.Task[None], settings: Settings) -> str:
    while not server.started:
        if web.done():
            raise SettingsError(
                f"cannot listen on {settings.http.host}:{settings.http.port}; is another program using it? "
                "Choose another port with --port or http.port"
            )
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    return f"http://{settings.http.host}:{port}"


def _make_host(settings: Settings, bus: InProcessBus) -> Host:
    media = settings.media
    engine = DirectMediaEngine(
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
        )
    )
    return Host(
        host_id=settings.host_id,
        bus=bus,
        engine=engine,
        opener=PortOpener(SerialBackend(settings.serial.backend)),
        sysfs_root=settings.serial.sysfs_root,
        dev_root=settings.serial.dev_root,
        rescan_s=settings.serial.rescan_s,
    )


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError):  # only the main thread takes signals
            loop.add_signal_handler(number, stop.set)

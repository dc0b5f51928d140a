"""One database: many readers, and on SQLite one writer.

SQLite allows one writer at a time; a second one would wait in a busy loop, so writers queue on a lock here and use
one connection. Readers have their own connections and see the last commit (WAL).
Source: https://www.sqlite.org/wal.html section 2.2 and https://www.sqlite.org/pragma.html.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from modembank.errors import StoreError
from modembank.store.migrate import SchemaState, schema_state, upgrade_schema

Session = AsyncSession

# Another process (a backup, `modembank keys`) may hold SQLite's write lock; a commit takes milliseconds.
BUSY_TIMEOUT_MS = 10_000
READERS = 4
# 50 dials at once must not exhaust PostgreSQL's default of 100 connections; waiting for one of these is short.
POSTGRES_CONNECTIONS = 16
CONNECT_TIMEOUT_S = 5.0
# PostgreSQL needs a moment to see that a killed client is gone.
EXCLUSIVE_PATIENCE_S = 5.0


class Database:
    """Sessions and schema of one database.

    Args:
        url: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.

    Raises:
        StoreError: the URL is wrong.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._write_lock: asyncio.Lock | None = None
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None

    async def open(self) -> None:
        """Connect.

        Raises:
            StoreError: the database cannot be reached.
        """
        if self.is_sqlite:
            Path(self.url.database or "").parent.mkdir(parents=True, exist_ok=True)
            self._write_lock = asyncio.Lock()
            self._writer = _sqlite_engine(self.url, 1, "BEGIN IMMEDIATE")
            self._reader = _sqlite_engine(self.url, READERS, "BEGIN")
        else:
            self._writer = self._reader = _postgres_engine(self.url)
        try:
            await self.ping()
        except StoreError:
            await self.close()
            raise

    async def close(self) -> None:
        """Close all connections."""
        for engine in {self._writer, self._reader} - {None}:
            assert engine is not None
            await engine.dispose()
        self._writer = self._reader = None

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreError: it gives none.
        """
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """Open a transaction that is committed at the end of the block, rolled back by an exception.

        Raises:
            StoreError: the database is not there, locked or full.
        """
        async with self.writing() as session:
            yield session
            await session.commit()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Session]:
        """Like `write`, but the block itself commits."""
        engine = self._opened(self._writer)
        async with _held(self._write_lock), _translated(), AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """Open a session that sees one state of the database.

        Raises:
            StoreError: the database is not there.
        """
        engine = self._opened(self._reader)
        async with _translated(), AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    async def upgrade(self) -> None:
        """Bring the schema to the newest revision.

        Raises:
            StoreError: the database is newer than this program, or cannot be reached.
        """
        async with _held(self._write_lock), _translated(), self._opened(self._writer).begin() as connection:
            await connection.run_sync(upgrade_schema)

    async def check(self) -> SchemaState:
        """Compare the schema with the models; changes nothing.

        Raises:
            StoreError: the database cannot be reached.
        """
        async with _translated(), self._connect() as connection:
            return await connection.run_sync(schema_state)

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[bool]:
        """Hold `name` against every other user of a PostgreSQL database until the end of the block; False when
        somebody else holds it. On SQLite always True: who shares a file shares a machine, and can lock files.

        The lock is lost when the server drops the connection.
        Source: https://www.postgresql.org/docs/15/explicit-locking.html section 13.3.5.

        Raises:
            StoreError: the database is not there.
        """
        if self.is_sqlite:
            yield True
            return
        engine = create_async_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with AsyncExitStack() as held:
            async with _translated():
                connection = await held.enter_async_context(engine.connect())
                free = await _try_lock(connection, name)
            yield free

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        async with self._opened(self._reader).connect() as connection:
            yield connection

    def _opened(self, engine: AsyncEngine | None) -> AsyncEngine:
        if engine is None:
            raise StoreError("the database is not open")
        return engine


async def _try_lock(connection: AsyncConnection, name: str) -> bool:
    question = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))").bindparams(name=name)
    with suppress(TimeoutError):
        async with asyncio.timeout(EXCLUSIVE_PATIENCE_S):
            while not await connection.scalar(question):  # noqa: ASYNC110  # nobody can tell us
                await asyncio.sleep(0.2)
            return True
    return False


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("database.url is no SQLAlchemy URL; write sqlite+aiosqlite:///path") from None
    if parsed.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise StoreError(f"database.url starts with {parsed.drivername}; use sqlite+aiosqlite or postgresql+asyncpg")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise StoreError("database.url must name a file: readers and the writer have their own connections")
    return parsed


@asynccontextmanager
async def _held(lock: asyncio.Lock | None) -> AsyncIterator[None]:
    if lock is None:
        yield
        return
    async with lock:
        yield


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn a failing database into our error. What only a bug of ours can cause passes as it is: waiting for the
    database to come back would not help there."""
    try:
        yield
    except (IntegrityError, DataError, ProgrammingError, NotSupportedError):
        raise
    except DBAPIError as error:
        raise StoreError(f"the database failed: {error.orig}") from error
    except PoolTimeoutError as error:
        raise StoreError("the database is too busy: no connection became free in time") from error
    except OSError as error:
        raise StoreError(f"the database cannot be reached: {error}") from error


def _sqlite_engine(url: URL, connections: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=connections, max_overflow=0, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=POSTGRES_CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # an error must not carry a text or a number into the log (I7)
        connect_args={"timeout": CONNECT_TIMEOUT_S},
    )

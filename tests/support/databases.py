"""Real databases for tests: a SQLite file, and a private PostgreSQL cluster without a system service."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

MISSING = "PostgreSQL is not installed; run: apt-get install postgresql-15"
SUPERUSER = "bank"


def postgres_binaries() -> Path:
    """Return the folder of initdb and pg_ctl, the newest version first."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders:
        raise RuntimeError(MISSING)
    return folders[-1]


def _run(binary: Path, *arguments: str) -> None:
    """PostgreSQL refuses to run as root; Debian brings the user `postgres`."""
    command = [str(binary), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # Output goes to a file: the server inherits it, and an open pipe would never end.
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(command, check=True, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/")
        except subprocess.CalledProcessError as error:
            output.seek(0)
            raise RuntimeError(f"{binary.name} failed: {output.read().decode(errors='replace')}") from error


@contextmanager
def postgres_cluster() -> Iterator[Path]:
    """Run a cluster on a unix socket; the result is the folder of the socket."""
    binaries = postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="modembank-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    options = f"-k {folder} -c listen_addresses='' -c max_connections=100 -c shared_buffers=32MB -c fsync=off"
    _run(binaries / "initdb", "-D", str(data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync")
    _run(binaries / "pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield folder
    finally:
        _run(binaries / "pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


async def new_postgres_database(socket: Path, name: str, template: str = "template0") -> str:
    """Create a database, by default an empty one, and return its URL."""
    connection = await asyncpg.connect(host=str(socket), user=SUPERUSER, database="postgres")
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return f"postgresql+asyncpg://{SUPERUSER}@/{name}?host={socket}"


async def drop_postgres_database(socket: Path, name: str) -> None:
    """Remove a database, whoever is still connected to it."""
    connection = await asyncpg.connect(host=str(socket), user=SUPERUSER, database="postgres")
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@contextmanager
def outage(url: str) -> Iterator[None]:
    """Take a database away from its users: SQLite is locked by a stranger, PostgreSQL lets nobody in."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.rollback()
            connection.close()
        return
    name, socket = url.removeprefix(f"postgresql+asyncpg://{SUPERUSER}@/").split("?host=")
    _command(socket, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
    _command(socket, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        _command(socket, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')


def _command(socket: str, statement: str) -> None:
    psql = postgres_binaries() / "psql"
    subprocess.run(
        [psql, "-h", socket, "-U", SUPERUSER, "-d", "postgres", "-qXc", statement],
        check=True,
        stdout=subprocess.DEVNULL,
    )

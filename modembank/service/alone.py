"""One server for each bank: a second one would take the calls of the first for left-overs and hang them up."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from modembank.config import Settings
from modembank.errors import SettingsError
from modembank.store.database import Database

LOCK = "serve.lock"


@contextlib.contextmanager
def alone_on_data(settings: Settings) -> Iterator[None]:
    """Hold the data folder, and the SQLite file if it lies elsewhere. The kernel lets go when the process ends,
    also by SIGKILL.

    Raises:
        SettingsError: another server holds them.
    """
    with contextlib.ExitStack() as held:
        for path in _locks(settings):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = held.enter_context(path.open("a"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SettingsError(
                    f"a server runs on {path.parent} already; end it first or choose another data_dir and database"
                ) from None
        yield


@contextlib.asynccontextmanager
async def alone_on_database(database: Database, host_id: str) -> AsyncIterator[None]:
    """Hold the host's name in a database that other machines and data folders may share.

    Raises:
        SettingsError: another server holds it.
        StoreError: the database is not there.
    """
    async with database.exclusive(f"modembank serve {host_id}") as free:
        if not free:
            raise SettingsError(
                f"a server for host {host_id} runs already on this database; end it first or choose another host_id"
            )
        yield


def _locks(settings: Settings) -> list[Path]:
    url = Database(settings.database_url).url
    locks = [settings.data_dir / LOCK]
    if url.get_backend_name() == "sqlite" and url.database:
        file = Path(url.database)
        if file.resolve().parent != settings.data_dir.resolve():
            locks.append(file.with_name(f"{file.name}.{LOCK}"))
    return locks

"""A server for the time of one command, on this machine's modems and data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from modembank.bank.bank import Bank
from modembank.config import Settings
from modembank.errors import SettingsError
from modembank.service.serve import Running, serve

KEY_NAME = "temporary"
# Modems boot while the machine does; a test that is started by hand finds them ready long before.
MODEMS = 2


@asynccontextmanager
async def temporary_server(settings: Settings) -> AsyncIterator[Running]:
    """Run a server on a free port of this machine until the block ends, with an API key that ends with it.

    Raises:
        SettingsError: a server runs on this data already.
        StoreError: the database cannot be used.
    """
    http = settings.http.model_copy(update={"host": "127.0.0.1", "port": 0})
    up, stop, keys, told = asyncio.Event(), asyncio.Event(), _Keys(), list[Running]()

    def ready(running: Running) -> None:
        told.append(running)
        up.set()

    serving = asyncio.create_task(
        serve(
            settings.model_copy(update={"http": http}),
            on_ready=ready,
            stop=stop,
            give_key=keys.make,
            modems=MODEMS,
        )
    )
    try:
        await asyncio.wait({serving, waiting := asyncio.create_task(up.wait())}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if serving.done():
            serving.result()  # raises why it could not start
            raise SettingsError("the server was ended before the test began")
        yield told[0]
        await keys.revoke()
    finally:
        stop.set()
        await serving


class _Keys:
    """Makes one key and takes it back."""

    def __init__(self) -> None:
        self._bank: Bank | None = None
        self._id = ""

    async def make(self, bank: Bank) -> str:
        record, secret = await bank.keys.create_key(KEY_NAME, ("*",))
        self._bank, self._id = bank, record.id
        return secret

    async def revoke(self) -> None:
        if self._bank is not None:
            await self._bank.keys.revoke(self._id)

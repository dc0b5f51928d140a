"""The rotation of the key that PINs are sealed with."""

from __future__ import annotations

from modembank.bank.vault import Vault
from modembank.store import sims as sim_rows
from modembank.store.database import Database


async def rotate_pin_key(database: Database, vault: Vault) -> int:
    """Seal every PIN anew with a new key, then forget the old keys; returns how many PINs. A server may run meanwhile.

    Raises:
        VaultError: a PIN cannot be opened, or the key file not be written. All keys are kept then.
        StoreError.
    """
    vault.add_key()
    async with database.write() as session:
        rows = [row for row in await sim_rows.all_sims(session) if row.pin_sealed]
        for row in rows:
            assert row.pin_sealed is not None
            row.pin_sealed = vault.seal(vault.open(row.pin_sealed, row.iccid), row.iccid)
    vault.drop_old_keys()
    return len(rows)

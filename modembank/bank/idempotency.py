"""An Idempotency-Key is taken in the transaction that makes what it stands for; a repetition finds that."""

from __future__ import annotations

from datetime import UTC, datetime

from modembank.bank.journal import Transaction
from modembank.bank.records import Idempotency
from modembank.errors import IdempotencyMismatchError, IdempotencyRunningError, ModembankError
from modembank.store import idempotency as rows
from modembank.store.database import Database
from modembank.store.models import IdempotencyRow


class Replay(Exception):  # noqa: N818  # not an error: it carries what happened the first time out of a transaction
    """The request was made before."""

    def __init__(self, row: IdempotencyRow) -> None:
        super().__init__(row.key)
        self.row = row


async def begin_request(transaction: Transaction, wanted: Idempotency, made_id: str) -> None:
    """Take the key for what this transaction makes.

    Raises:
        Replay: the same request was made before.
        IdempotencyMismatchError: another one was.
        IdempotencyRunningError: the same one has just failed.
    """
    session = transaction.session
    new = await rows.begin_request(
        session,
        api_key_id=wanted.api_key_id,
        key=wanted.key,
        body_hash=wanted.body_hash,
        call_id=made_id,
        at=datetime.now(UTC),
    )
    if new:
        return
    row = await rows.get_request(session, wanted.api_key_id, wanted.key)
    if row is None:
        raise IdempotencyRunningError("the request with this Idempotency-Key has just failed; send it again")
    if row.body_hash != wanted.body_hash:
        raise IdempotencyMismatchError("this Idempotency-Key was used with another body; take a new key")
    raise Replay(row)


async def end_request(
    database: Database, wanted: Idempotency, *, answer: str | None = None, error: ModembankError | None = None
) -> None:
    """Write down what the request led to."""
    async with database.write() as session:
        row = await rows.get_request(session, wanted.api_key_id, wanted.key)
        if row is None:
            return
        row.state = "failed" if error else "done"
        row.answer_sdp = answer
        row.error_code, row.error_detail = (error.code, str(error)) if error else (None, None)

"""Delivery reports find their message: by the network's reference and the recipient."""

from __future__ import annotations

import logging
from datetime import datetime

from modembank.bank.journal import Transaction
from modembank.bank.message_records import MessageStatus, PartState
from modembank.bank.message_views import set_status
from modembank.bank.numbers import caller_number
from modembank.sms.causes import Outcome, delivery_outcome
from modembank.sms.status_report import StatusReport
from modembank.store import messages as rows
from modembank.store.message_models import MessagePartRow, MessageRow
from modembank.store.models import SimRow

log = logging.getLogger(__name__)


class Reports:
    """Takes delivery reports; taking one again is harmless."""

    def __init__(self, country: str) -> None:
        self._country = country

    async def take(self, transaction: Transaction, sim: SimRow, report: StatusReport, at: datetime) -> bool:
        """Write down what a report says; False when it has to be told again later."""
        recipient = caller_number(report.recipient.text, self._country) or ""
        session = transaction.session
        reported = await rows.reported_parts(session, sim.id, recipient, report.reference)
        part = next((one for one in reported if not _final(one)), None)
        if part is None and reported:
            return True  # told before
        if part is None:
            doubtful = await rows.doubtful_parts(session, sim.id, recipient)
            if any(one.state == PartState.SENDING for one in doubtful):
                return False  # the report may be quicker than the reference that it is about
            if len(doubtful) != 1:
                log.info("a delivery report on SIM %s is about no message of ours", sim.id)
                return True
            part = doubtful[0]  # the network took it after all
        row = await rows.get_message(session, part.message_id, lock=True)
        assert row is not None, "a part has a message"
        part.report = report.status
        if part.state == PartState.UNKNOWN:
            part.state, part.reference, part.taken_at = PartState.TAKEN, report.reference, at
            row.parts_done += 1
        await session.flush()
        await _advance(transaction, row, report, at)
        return True


def _final(part: MessagePartRow) -> bool:
    return part.report is not None and delivery_outcome(part.report) is not Outcome.PENDING


async def _advance(transaction: Transaction, row: MessageRow, report: StatusReport, at: datetime) -> None:
    """All parts delivered: so is the message. One not delivered: neither is the message."""
    if row.status in (MessageStatus.DELIVERED, MessageStatus.UNDELIVERED):
        return
    if report.outcome is Outcome.FAILED:
        set_status(row, MessageStatus.UNDELIVERED, at, report.words)
        transaction.emit_message("sms.failed", at, row)
        return
    parts = await rows.parts_of(transaction.session, [row.id])
    told = [delivery_outcome(part.report) for part in parts if part.report is not None]
    if len(told) == row.parts and all(outcome is Outcome.DELIVERED for outcome in told):
        row.sent_at = row.sent_at or at
        row.delivered_at = at
        set_status(row, MessageStatus.DELIVERED, at, report.words)
        transaction.emit_message("sms.delivered", at, row)

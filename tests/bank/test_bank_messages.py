"""Messages in the bank, on both databases: sent at most once, kept before they are confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from modembank.bank.bank import Bank
from modembank.bank.message_records import MessageQuery, MessageRecord, MessageRequest, MessageStatus
from modembank.bank.records import Idempotency
from modembank.bus.bus import InProcessBus, refused
from modembank.bus.commands import AnyCommand, AnyReply, ConfirmMessages, SubmitPdu, Submitted
from modembank.bus.events import MessagesRead, MessageStoreFull, ReadMessage
from modembank.bus.vocabulary import Direction, ModemState, SubmitOutcome
from modembank.config import MessageSettings, Settings
from modembank.errors import EmergencyNumberError, IdempotencyMismatchError, NoSimAvailableError, SmsFormatError
from modembank.sms import deliver, status_report, submit
from modembank.sms.address import address_of
from modembank.sms.dcs import sms_dcs
from modembank.sms.deliver import Deliver
from modembank.sms.scts import stamp
from modembank.sms.segment import segment
from modembank.sms.status_report import StatusReport
from modembank.store.events import events_after
from tests.support.rack import LIMIT_S, Rack, running
from tests.support.scripted_host import HOST_ID, modem

TO = "+447700900777"
SENDER = "+447700900901"
LONG = "abc def " * 50
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIM = modem(1)
UNKNOWN = Submitted(outcome=SubmitOutcome.UNKNOWN, detail="lost")
NOT_WRITTEN = Submitted(outcome=SubmitOutcome.NOT_WRITTEN, detail="in a call")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path, messages=MessageSettings(retries=2, retry_s=0.01, partial_after_s=1))


def answering(rack: Rack, *replies: AnyReply | Exception) -> list[SubmitPdu]:
    """Let the host answer so, then as it likes; returns what it was handed."""
    asked: list[SubmitPdu] = []
    left = list(replies)

    async def handle(command: AnyCommand) -> AnyReply | None:
        assert isinstance(command, SubmitPdu)
        asked.append(command)
        reply = left.pop(0) if left else None
        if isinstance(reply, Exception):
            raise reply
        return reply

    rack.on[SubmitPdu] = handle
    return asked


async def send(rack: Rack, text: str = "hello", **fields: object) -> MessageRecord:
    request = MessageRequest(to=TO, text=text, **fields)  # type: ignore[arg-type]  # the test knows the fields
    return (await rack.bank.messages.send(request, actor="test")).message


async def reached(rack: Rack, message_id: str, *statuses: str) -> MessageRecord:
    async with asyncio.timeout(LIMIT_S):
        while (found := await rack.bank.messages.get(message_id)).status not in statuses:
            await asyncio.sleep(0.02)
    return found


async def told(rack: Rack, *kinds: str) -> list[str]:
    """The types of the message events so far."""
    async with rack.database.read() as session:
        events = [row for row in await events_after(session, 0, 10_000) if row.type.startswith(kinds or ("sms.",))]
    return [row.type for row in events]


def part_pdus(text: str, reference: int = 7, sent: datetime = NOON, sender: str = SENDER) -> list[str]:
    return [
        deliver.encode(Deliver(None, address_of(sender), stamp(sent), part, sms_dcs(part.encoding))).hex
        for part in segment(text, reference=reference).parts
    ]


def report_pdu(reference: int, status: int, to: str = TO) -> str:
    return status_report.encode(StatusReport(None, reference, address_of(to), stamp(NOON), stamp(NOON), status)).hex


async def read(rack: Rack, *pdus: str) -> set[str]:
    """The host reads these; returns which it may delete once all is quiet."""
    before = len(rack.host.asked(ConfirmMessages))
    messages = tuple(ReadMessage(digest=f"digest of {pdu}", pdu=pdu) for pdu in pdus)
    event = MessagesRead(
        host_id=HOST_ID, at=datetime.now(UTC), usb_path=SIM.usb_path, iccid=SIM.iccid or "", messages=messages
    )
    rack.bus.publish(event)
    await rack.told()
    await asyncio.gather(*rack.bank.messages.inbox._confirming)
    confirmed = rack.host.asked(ConfirmMessages)[before:]
    return {digest for one in confirmed if isinstance(one, ConfirmMessages) for digest in one.digests}


async def inbound(rack: Rack) -> list[MessageRecord]:
    return list((await rack.bank.messages.list_messages(MessageQuery(direction=Direction.INBOUND))).data)


# out


async def test_parts_go_out_in_order_and_each_is_on_record_before(rack):
    asked = answering(rack)
    message = await send(rack, LONG, from_=SIM.iccid)
    done = await reached(rack, message.id, "sent")
    assert [submit.decode(one.pdu).data.header.concat.sequence for one in asked] == [1, 2, 3]
    assert {submit.decode(one.pdu).destination.text for one in asked} == {TO}
    assert (done.parts.total, done.parts.done, done.sim.iccid) == (3, 3, SIM.iccid)
    assert [step.status for step in done.history] == ["queued", "sending", "sent"]
    assert await told(rack) == ["sms.queued", "sms.sent"]


async def test_messages_of_one_sim_go_one_after_the_other_and_others_do_not_wait(rack):
    gate = rack.host.hold_back(SubmitPdu)
    named = [await send(rack, f"n{place}", from_=SIM.iccid) for place in range(3)]
    other = await send(rack, "other", from_=modem(2).iccid)
    async with asyncio.timeout(LIMIT_S):
        while len(rack.host.asked(SubmitPdu)) < 2:
            await asyncio.sleep(0.01)
    assert len({one.iccid for one in rack.host.asked(SubmitPdu)}) == 2
    gate.set()
    for message in (*named, other):
        await reached(rack, message.id, "sent")
    texts = [submit.decode(one.pdu).data.text for one in rack.host.asked(SubmitPdu) if one.iccid == SIM.iccid]
    assert texts == ["n0", "n1", "n2"]


@pytest.mark.parametrize(("cms", "tries", "status"), [(42, 3, "failed"), (1, 1, "failed")])
async def test_only_a_refusal_for_the_moment_is_tried_again(rack, cms, tries, status):
    refusal = Submitted(outcome=SubmitOutcome.REFUSED, cms=cms, detail=f"+CMS ERROR: {cms}")
    asked = answering(rack, *[refusal] * 10)
    message = await send(rack)
    done = await reached(rack, message.id, status)
    assert (len(asked), done.cms, done.attempts) == (tries, cms, tries)
    assert await told(rack) == ["sms.queued", "sms.failed"]


async def test_a_refusal_for_the_moment_then_taken(rack):
    busy = Submitted(outcome=SubmitOutcome.REFUSED, cms=42)
    asked = answering(rack, busy, NOT_WRITTEN, refused("not_found", "no modem"))
    message = await send(rack)
    done = await reached(rack, message.id, "sent")
    assert (len(asked), done.cms, done.detail) == (4, None, "")


async def test_a_lost_answer_is_unknown_and_never_sent_again(rack):
    asked = answering(rack, UNKNOWN)
    message = await send(rack, LONG)
    done = await reached(rack, message.id, "unknown")
    await asyncio.sleep(1.5)  # longer than the outbox waits between two looks
    assert (len(asked), done.parts.done, done.detail) == (1, 0, "lost")
    assert await told(rack) == ["sms.queued", "sms.unknown"]


async def test_a_host_that_does_not_answer_leaves_it_unknown_and_one_that_is_away_leaves_it_queued(rack):
    asked = answering(rack, refused("duplicate_command", "again"))
    doubtful = await send(rack)
    await reached(rack, doubtful.id, "unknown")
    rack.bus._handlers.clear()
    waiting = await send(rack)
    await asyncio.sleep(0.3)
    assert (await rack.bank.messages.get(waiting.id)).status in ("queued", "sending")
    rack.bus.serve(HOST_ID, rack.handle)
    await reached(rack, waiting.id, "sent")
    assert len(asked) == 2


async def test_what_was_on_its_way_when_the_server_was_killed_is_unknown_and_the_rest_goes_on(rack):
    """A second bank on the same database stands for the one that is started after a SIGKILL."""
    rack.host.hold_back(SubmitPdu)
    first = await send(rack, "first", from_=SIM.iccid)
    second = await send(rack, "second", from_=SIM.iccid)
    await reached(rack, first.id, "sending")
    for task in rack.bank.messages._tasks:  # the process is gone: nothing is written down any more
        task.cancel()
    await asyncio.gather(*rack.bank.messages._tasks, return_exceptions=True)
    again = Bank(rack.settings, rack.database, InProcessBus())
    await again.messages.start()
    await again.messages.stop()
    assert (await again.messages.get(first.id)).status is MessageStatus.UNKNOWN
    assert (await again.messages.get(second.id)).status is MessageStatus.QUEUED


async def test_a_message_that_cannot_be_sent_in_time_fails(database, tmp_path):
    hasty = Settings(data_dir=tmp_path, messages=MessageSettings(give_up_after_s=1))
    async with running(database, hasty, 2) as rack:
        rack.host.change(SIM, state=ModemState.IN_CALL)
        await rack.told()
        message = await send(rack, from_=SIM.iccid)
        done = await reached(rack, message.id, "failed")
        assert "in time" in done.detail
        assert rack.host.asked(SubmitPdu) == []


async def test_a_message_waits_for_the_end_of_a_call(rack):
    rack.host.change(SIM, state=ModemState.IN_CALL)
    await rack.told()
    message = await send(rack, from_=SIM.iccid)
    await asyncio.sleep(0.2)
    assert rack.host.asked(SubmitPdu) == []
    rack.host.change(SIM)
    await reached(rack, message.id, "sent")


async def test_one_key_one_message(rack):
    request = MessageRequest(to=TO, text="once")
    key = Idempotency(key="k", api_key_id="key_1", body_hash="h")
    sends = [rack.bank.messages.send(request, actor="test", idempotency=key) for _ in range(5)]
    queued = await asyncio.gather(*sends)
    assert len({one.message.id for one in queued}) == 1
    assert sum(not one.replayed for one in queued) == 1
    await reached(rack, queued[0].message.id, "sent")
    assert len(rack.host.asked(SubmitPdu)) == 1
    with pytest.raises(IdempotencyMismatchError):
        other = Idempotency(key="k", api_key_id="key_1", body_hash="other")
        await rack.bank.messages.send(request, actor="test", idempotency=other)


async def test_what_cannot_be_sent_is_refused_and_leaves_nothing(rack):
    for request, error in (
        (MessageRequest(to="999", text="help"), EmergencyNumberError),
        (MessageRequest(to=TO, text="x" * 1600), SmsFormatError),
        (MessageRequest(to=TO, text="x", pool="nobody"), NoSimAvailableError),
    ):
        with pytest.raises(error):
            await rack.bank.messages.send(request, actor="test")
    assert (await rack.bank.messages.list_messages(MessageQuery())).data == ()


# delivery reports


async def test_all_parts_delivered_is_delivered(rack):
    message = await send(rack, LONG, from_=SIM.iccid)
    await reached(rack, message.id, "sent")
    assert len(await read(rack, report_pdu(1, 0x00), report_pdu(2, 0x20))) == 2
    assert (await rack.bank.messages.get(message.id)).status == "sent"
    await read(rack, report_pdu(2, 0x00), report_pdu(3, 0x00))
    done = await rack.bank.messages.get(message.id)
    assert (done.status, done.delivered_at is not None) == ("delivered", True)
    await read(rack, report_pdu(3, 0x00))
    assert (await told(rack)).count("sms.delivered") == 1


@pytest.mark.parametrize(("reference", "to", "status"), [(1, TO, 0x00), (2, TO, 0x46), (1, "+447700900778", 0x46)])
async def test_a_report_is_about_its_recipient_and_reference(rack, reference, to, status):
    first = await send(rack, "one", from_=SIM.iccid)
    await reached(rack, first.id, "sent")
    assert await read(rack, report_pdu(reference, status, to))  # whatever it is about, it need not lie there
    expected = "delivered" if (reference, to) == (1, TO) else "sent"
    assert (await rack.bank.messages.get(first.id)).status == expected


async def test_a_report_that_gave_up_fails_the_message(rack):
    message = await send(rack, from_=SIM.iccid)
    await reached(rack, message.id, "sent")
    await read(rack, report_pdu(1, 0x46))
    done = await rack.bank.messages.get(message.id)
    assert (done.status, done.detail) == ("undelivered", "validity period expired")
    assert (await told(rack))[-1] == "sms.failed"


async def test_a_report_settles_what_was_unknown(rack):
    answering(rack, UNKNOWN)
    message = await send(rack, from_=SIM.iccid)
    await reached(rack, message.id, "unknown")
    await read(rack, report_pdu(200, 0x00))
    assert (await rack.bank.messages.get(message.id)).status == "delivered"


async def test_a_report_that_overtakes_its_reference_is_left_where_it_lies(rack):
    gate = rack.host.hold_back(SubmitPdu)
    message = await send(rack, from_=SIM.iccid)
    await reached(rack, message.id, "sending")
    assert await read(rack, report_pdu(1, 0x00)) == set()
    gate.set()
    await reached(rack, message.id, "sent")
    assert await read(rack, report_pdu(1, 0x00))
    assert (await rack.bank.messages.get(message.id)).status == "delivered"


# in


async def test_a_message_is_confirmed_once_it_is_on_record_and_again_when_it_is_told_again(rack):
    (pdu,) = part_pdus("hello £ 😀")
    for _ in range(3):
        assert await read(rack, pdu) == {f"digest of {pdu}"}
    (message,) = await inbound(rack)
    assert (message.text, message.from_, message.to, message.status) == ("hello £ 😀", SENDER, SIM.number, "received")
    assert (message.network_at, message.sim.iccid, message.encoding) == (NOON, SIM.iccid, "ucs2")
    assert await told(rack) == ["sms.received"]


async def test_the_host_may_delete_only_what_is_committed(rack):
    seen: list[list[str | None]] = []

    async def look(_: AnyCommand) -> None:
        seen.append([message.text for message in await inbound(rack)])

    rack.on[ConfirmMessages] = look
    await read(rack, *part_pdus("hello"))
    assert seen == [["hello"]], "another connection sees it before the host hears of it (I3)"


@pytest.mark.parametrize("order", list(permutations(range(3)))[::2])
async def test_parts_in_any_order_with_repetitions(rack, order):
    pdus = part_pdus(LONG)
    for place in (*order, *order):
        assert await read(rack, pdus[place])
    (message,) = await inbound(rack)
    assert (message.text, message.parts.done, message.status) == (LONG, 3, "received")
    assert await told(rack) == ["sms.received"]


async def test_a_lost_part_is_told_of_after_a_while_and_may_still_come(rack):
    pdus = part_pdus(LONG)
    await read(rack, pdus[0], pdus[2])
    async with asyncio.timeout(LIMIT_S):
        while "sms.partial" not in await told(rack):
            await asyncio.sleep(0.05)
    (partial,) = await inbound(rack)
    assert (partial.status, partial.parts.done) == ("partial", 2)
    assert "[…]" in partial.text
    await read(rack, pdus[1])
    (whole,) = await inbound(rack)
    assert (whole.id, whole.text) == (partial.id, LONG)
    assert await told(rack) == ["sms.partial", "sms.received"]


async def test_a_reused_reference_begins_a_new_message(rack):
    later = part_pdus("later on " * 45, sent=NOON + timedelta(hours=1))
    await read(rack, *part_pdus(LONG), *later, *part_pdus(LONG, sent=NOON + timedelta(hours=2)))
    assert [message.text for message in await inbound(rack)] == [LONG, "later on " * 45, LONG]


async def test_the_same_words_a_second_later_are_another_message(rack):
    await read(rack, *part_pdus("yes"), *part_pdus("yes", sent=NOON + timedelta(seconds=1)))
    assert len(await inbound(rack)) == 2


async def test_what_cannot_be_read_is_kept_all_the_same(rack):
    assert len(await read(rack, "00FF", *part_pdus("\0null and \ud83d".replace("\ud83d", "x")))) == 2
    texts = [(message.text, message.detail) for message in await inbound(rack)]
    assert (None, "its PDU cannot be read") in texts
    assert any(text is not None and "null and" in text for text, _ in texts)


async def test_a_full_store_is_told_of(rack):
    event = MessageStoreFull(
        host_id=HOST_ID, at=NOON, usb_path=SIM.usb_path, iccid=SIM.iccid or "", store="SM", used=20, total=20
    )
    rack.bus.publish(event)
    await rack.told()
    assert await told(rack) == ["sms.storage_full"]


async def test_lists(rack):
    for place in range(3):
        await read(rack, *part_pdus(f"m{place}", sent=NOON + timedelta(minutes=place)))
    sent = await send(rack)
    await reached(rack, sent.id, "sent")
    listed: Callable = rack.bank.messages.list_messages
    page = await listed(MessageQuery(limit=2))
    rest = await listed(MessageQuery(limit=2, cursor=page.next_cursor))
    assert [one.text for one in (*page.data, *rest.data)] == ["hello", "m2", "m1", "m0"]
    assert rest.next_cursor is None
    assert len((await listed(MessageQuery(number=SENDER))).data) == 3
    assert len((await listed(MessageQuery(number="07700 900777"))).data) == 1
    assert len((await listed(MessageQuery(status=MessageStatus.SENT))).data) == 1
    assert (await listed(MessageQuery(created_after=datetime.now(UTC)))).data == ()

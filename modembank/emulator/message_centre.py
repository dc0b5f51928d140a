"""The message service centre of the network: it takes, stores and forwards. Source: 3GPP TS 23.040 clause 3."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from modembank.emulator import pdu
from modembank.emulator.identity import FIRST_NUMBER, international
from modembank.emulator.journal import Journal
from modembank.emulator.timers import Timers

CENTRE_NUMBER = "+447700900999"
ECHO, FAIL, SILENT = "+447700900920", "+447700900921", "+447700900922"
MESSAGE_PARTIES = {"sms_echo": ECHO, "sms_fail": FAIL, "sms_silent": SILENT}
FICTION = range(FIRST_NUMBER, FIRST_NUMBER + 1000)
CMS_UNASSIGNED, CMS_OUT_OF_ORDER = 1, 38
DELIVERED, NOT_OBTAINABLE = 0x00, 0x43
"""TP-ST. Source: 3GPP TS 23.040 clause 9.2.3.15."""

FORWARD_S = 0.2
"""From a submission to the delivery, and to the report."""

NEXT_S = 0.02
KEPT_RECORDS = 50_000


class Receiver(Protocol):
    """A modem as the network's end of messages."""

    def listens(self) -> bool:
        """Return whether the network reaches it for messages."""

    def take(self, tpdu: bytes, done: Callable[[bool], None]) -> None:
        """Take a DELIVER or STATUS-REPORT; `done` is called once with whether it was acknowledged."""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message that the centre took or delivered; `at` in ISO 8601."""

    number: int
    sender: str
    to: str
    tpdu: bytes
    user: pdu.UserData
    reference: int | None
    report: bool
    at: str

    def as_record(self) -> dict[str, object]:
        """Return the record for the control protocol."""
        parts = self.user.concatenation()
        return {
            "n": self.number,
            "from": self.sender,
            "to": self.to,
            "text": self.user.text(),
            "dcs": self.user.dcs,
            "mr": self.reference,
            "report": self.report,
            "parts": None if parts is None else dict(zip(("ref", "total", "seq"), parts, strict=True)),
            "pdu": self.tpdu.hex().upper(),
            "at": self.at,
        }


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A TPDU on its way; `report_to` and `reference` if the sender wants to know."""

    tpdu: bytes
    report_to: str | None = None
    reference: int = 0


class MessageCentre:
    """Takes submissions, keeps what cannot be delivered yet, delivers in order, reports."""

    def __init__(self, journal: Journal, speed: float) -> None:
        self.taken: deque[MessageRecord] = deque(maxlen=KEPT_RECORDS)
        self.delivered: deque[MessageRecord] = deque(maxlen=KEPT_RECORDS)
        self._journal = journal
        self._forward_s = FORWARD_S / speed
        self._next_s = NEXT_S / speed
        self._receivers: dict[str, Receiver] = {}
        self._queues: dict[str, deque[_Waiting]] = {}
        self._on_air: set[str] = set()
        self._timers = Timers()
        self._count = 0

    def attach(self, number: str, receiver: Receiver) -> None:
        """A SIM came into a modem."""
        self._receivers[number] = receiver

    def detach(self, number: str) -> None:
        """A SIM left its modem."""
        self._receivers.pop(number, None)

    def submit(self, sender: str, tpdu: bytes, reference: int, answer_s: float) -> int | None:
        """Take an SMS-SUBMIT that is answered after `answer_s`; return None, or the RP-cause that refuses it.

        Raises:
            EmulatorError: it is no SMS-SUBMIT.
        """
        wanted = pdu.read_submit(tpdu)
        to = international(wanted.to) or wanted.to
        if not to.removeprefix("+").isdigit():
            return CMS_UNASSIGNED
        if to == FAIL:
            return CMS_OUT_OF_ORDER
        self._keep(self.taken, sender, to, tpdu, wanted.user, reference, wanted.report)
        self._timers.after(answer_s + self._forward_s, lambda: self._forward(sender, to, wanted, reference))
        return None

    def queue(self, to: str, tpdu: bytes) -> None:
        """Deliver a TPDU as soon as the recipient takes it."""
        self._queue(to, _Waiting(tpdu))

    def wake(self, number: str) -> None:
        """Try again: the recipient is back, or has room."""
        self._later(number)

    def waiting(self, number: str) -> int:
        """Return how many messages wait for a number."""
        return len(self._queues.get(number, ()))

    def _forward(self, sender: str, to: str, wanted: pdu.Submit, reference: int) -> None:
        report_to = sender if wanted.report else None
        if to in self._receivers or to in self._queues:
            tpdu = pdu.deliver(sender, wanted.user, pid=wanted.pid)
            self._queue(to, _Waiting(tpdu, report_to, reference))
        elif to != SILENT:
            known = to.removeprefix("+").isdigit() and int(to.removeprefix("+")) in FICTION
            self._report(report_to, reference, to, DELIVERED if known else NOT_OBTAINABLE)
        if to == ECHO:
            self.queue(sender, pdu.deliver(ECHO, wanted.user))

    def _report(self, to: str | None, reference: int, recipient: str, status: int) -> None:
        if to is not None:
            self.queue(to, pdu.status_report(reference, recipient, status))

    def _queue(self, to: str, waiting: _Waiting) -> None:
        self._queues.setdefault(to, deque()).append(waiting)
        self._later(to)

    def _later(self, to: str) -> None:
        if self._queues.get(to):
            self._timers.after(self._next_s, lambda: self._deliver(to))

    def _deliver(self, to: str) -> None:
        queue, receiver = self._queues.get(to), self._receivers.get(to)
        if not queue or receiver is None or to in self._on_air or not receiver.listens():
            return
        self._on_air.add(to)
        receiver.take(queue[0].tpdu, lambda taken: self._delivered(to, taken))

    def _delivered(self, to: str, taken: bool) -> None:
        """Go on after an acknowledgement; what was refused waits until the recipient wakes us."""
        self._on_air.discard(to)
        if not taken:
            return
        waiting = self._queues[to].popleft()
        self._report(waiting.report_to, waiting.reference, to, DELIVERED)
        if waiting.tpdu[0] & 3 == pdu.DELIVER:
            sender, user = pdu.read_deliver(waiting.tpdu)
            self._keep(self.delivered, sender, to, waiting.tpdu, user, None, waiting.report_to is not None)
        self._later(to)

    def _keep(
        self,
        records: deque[MessageRecord],
        sender: str,
        to: str,
        tpdu: bytes,
        user: pdu.UserData,
        reference: int | None,
        report: bool,
    ) -> None:
        self._count += 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        records.append(MessageRecord(self._count, sender, to, tpdu, user, reference, report, now))
        what = "submitted" if records is self.taken else "delivered"
        self._journal.publish("sms", what=what, **{"from": sender}, to=to, n=self._count)

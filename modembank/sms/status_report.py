"""SMS-STATUS-REPORT: what became of an SMS."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.errors import SmsFormatError
from modembank.sms.address import Address, read_address, read_service_centre, write_address, write_service_centre
from modembank.sms.causes import Outcome, delivery_outcome, delivery_words
from modembank.sms.octets import Octets, Pdu, as_octets, read_hex
from modembank.sms.scts import TimeStamp

MTI = 0x02
_MTI_MASK = 0x03
_NO_MORE = 0x04
_OF_A_COMMAND = 0x20


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The fate of the SMS with this `reference`. Source: 3GPP TS 23.040 section 9.2.2.3.

    `submitted` is when the service centre took the SMS, `discharged` when the status came about. The optional
    fields after TP-ST are not read.
    """

    service_centre: Address | None
    reference: int
    recipient: Address
    submitted: TimeStamp
    discharged: TimeStamp
    status: int
    more_to_come: bool = False
    of_a_command: bool = False

    @property
    def outcome(self) -> Outcome:
        """Delivered, pending or failed."""
        return delivery_outcome(self.status)

    @property
    def words(self) -> str:
        """The status in words."""
        return delivery_words(self.status)


def decode(pdu: str) -> StatusReport:
    """An SMS-STATUS-REPORT with its SCA. Raises SmsFormatError. Source: 3GPP TS 23.040 section 9.2.2.3."""
    octets = Octets(read_hex(pdu))
    service_centre = read_service_centre(octets)
    first = octets.byte("the first octet")
    if first & _MTI_MASK != MTI:
        raise SmsFormatError("this PDU is no SMS-STATUS-REPORT")
    return StatusReport(
        service_centre=service_centre,
        reference=octets.byte("the message reference"),
        recipient=read_address(octets),
        submitted=TimeStamp(octets.take(7, "the time stamp")),
        discharged=TimeStamp(octets.take(7, "the discharge time")),
        status=octets.byte("the status"),
        more_to_come=not first & _NO_MORE,
        of_a_command=bool(first & _OF_A_COMMAND),
    )


def encode(report: StatusReport) -> Pdu:
    """The PDU of a status report. Raises SmsFormatError. Source: 3GPP TS 23.040 section 9.2.2.3."""
    if len(report.submitted.octets) != 7 or len(report.discharged.octets) != 7:
        raise SmsFormatError("a time stamp has seven octets")
    first = MTI | (0 if report.more_to_come else _NO_MORE) | (_OF_A_COMMAND if report.of_a_command else 0)
    times = report.submitted.octets + report.discharged.octets
    tpdu = as_octets(first, report.reference) + write_address(report.recipient) + times + as_octets(report.status)
    return Pdu((write_service_centre(report.service_centre) + tpdu).hex().upper(), len(tpdu))

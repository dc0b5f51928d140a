"""Any PDU that a modem lists or reports."""

from __future__ import annotations

from modembank.errors import SmsFormatError
from modembank.sms import deliver, status_report, submit
from modembank.sms.deliver import Deliver
from modembank.sms.octets import Octets, read_hex
from modembank.sms.status_report import StatusReport
from modembank.sms.submit import Submit


def decode(pdu: str) -> Deliver | Submit | StatusReport:
    """What this PDU is, by its message type indicator. Raises SmsFormatError. Source: TS 23.040 section 9.2.3.1."""
    octets = Octets(read_hex(pdu))
    octets.take(octets.byte("the length of the service centre address"), "the service centre address")
    kind = octets.byte("the first octet") & 0x03
    if kind == deliver.MTI:
        return deliver.decode(pdu)
    if kind == submit.MTI:
        return submit.decode(pdu)
    if kind == status_report.MTI:
        return status_report.decode(pdu)
    raise SmsFormatError("the message type of this PDU is reserved")

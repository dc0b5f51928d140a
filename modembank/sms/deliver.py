"""SMS-DELIVER: an SMS that has come in."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.errors import SmsFormatError
from modembank.sms.address import Address, read_address, read_service_centre, write_address, write_service_centre
from modembank.sms.dcs import Coding, read_sms_dcs
from modembank.sms.octets import Octets, Pdu, as_octets, read_hex
from modembank.sms.scts import TimeStamp
from modembank.sms.user_data import UserData, read_user_data, write_user_data

MTI = 0x00
_MTI_MASK = 0x03
_NO_MORE = 0x04
_STATUS_REPORT = 0x20
_HEADER = 0x40
_REPLY_PATH = 0x80


@dataclass(frozen=True, slots=True)
class Deliver:
    """An incoming SMS, or one part of it. Source: 3GPP TS 23.040 section 9.2.2.1."""

    service_centre: Address | None
    sender: Address
    sent: TimeStamp
    data: UserData
    dcs: int = 0
    pid: int = 0
    more_to_come: bool = False
    status_report: bool = False
    reply_path: bool = False

    @property
    def coding(self) -> Coding:
        """Message class (0 is "flash") and message waiting, from the data coding scheme."""
        return read_sms_dcs(self.dcs)


def decode(pdu: str) -> Deliver:
    """An SMS-DELIVER with its SCA, in hexadecimal. Raises SmsFormatError. Source: TS 23.040 section 9.2.2.1."""
    octets = Octets(read_hex(pdu))
    service_centre = read_service_centre(octets)
    first = octets.byte("the first octet")
    if first & _MTI_MASK != MTI:
        raise SmsFormatError("this PDU is no SMS-DELIVER")
    sender = read_address(octets)
    pid = octets.byte("the protocol identifier")
    dcs = octets.byte("the data coding scheme")
    sent = TimeStamp(octets.take(7, "the time stamp"))
    data = read_user_data(dcs, bool(first & _HEADER), octets)
    return Deliver(
        service_centre=service_centre, sender=sender, sent=sent, data=data, dcs=dcs, pid=pid,
        more_to_come=not first & _NO_MORE, status_report=bool(first & _STATUS_REPORT),
        reply_path=bool(first & _REPLY_PATH),
    )  # fmt: skip


def encode(deliver: Deliver) -> Pdu:
    """The PDU of an SMS-DELIVER. Raises SmsFormatError. Source: 3GPP TS 23.040 section 9.2.2.1."""
    if len(deliver.sent.octets) != 7:
        raise SmsFormatError("a service centre time stamp has seven octets")
    first = (
        MTI
        | (0 if deliver.more_to_come else _NO_MORE)
        | (_STATUS_REPORT if deliver.status_report else 0)
        | (_HEADER if deliver.data.header.elements else 0)
        | (_REPLY_PATH if deliver.reply_path else 0)
    )
    fields = as_octets(deliver.pid, deliver.dcs) + deliver.sent.octets + write_user_data(deliver.data)
    tpdu = bytes((first,)) + write_address(deliver.sender) + fields
    return Pdu((write_service_centre(deliver.service_centre) + tpdu).hex().upper(), len(tpdu))

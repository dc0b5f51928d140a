"""SMS-SUBMIT: an SMS that goes out."""

from __future__ import annotations

from dataclasses import dataclass

from modembank.errors import SmsFormatError
from modembank.sms.address import (
    Address,
    NumberType,
    address_of,
    read_address,
    read_service_centre,
    write_address,
    write_service_centre,
)
from modembank.sms.dcs import MessageClass, read_sms_dcs, sms_dcs
from modembank.sms.octets import Octets, Pdu, as_octets, read_hex
from modembank.sms.user_data import UserData, read_user_data, write_user_data
from modembank.sms.validity import NO_VALIDITY, Format, Validity, read_validity, write_validity

MTI = 0x01
_MTI_MASK = 0x03
_REJECT_DUPLICATES = 0x04
_FORMAT_SHIFT = 3
_REPORT = 0x20
_HEADER = 0x40
_REPLY_PATH = 0x80


@dataclass(frozen=True, slots=True)
class Submit:
    """An outgoing SMS, or one part of it. Source: 3GPP TS 23.040 section 9.2.2.2.

    `service_centre` None means the card's own; `reference` 0 lets the modem choose and tell it in `+CMGS`.
    """

    destination: Address
    data: UserData
    service_centre: Address | None = None
    dcs: int = 0
    pid: int = 0
    reference: int = 0
    validity: Validity = NO_VALIDITY
    request_report: bool = False
    reject_duplicates: bool = False
    reply_path: bool = False


def compose(
    to: str,
    part: UserData,
    *,
    message_class: MessageClass | None = None,
    validity: Validity = NO_VALIDITY,
    request_report: bool = False,
    service_centre: str | None = None,
) -> Submit:
    """One part of `segment` as an SMS to a number. Raises SmsFormatError: `to` is no number."""
    destination = address_of(to)
    if destination.type is NumberType.ALPHANUMERIC:
        raise SmsFormatError("an SMS can be sent to a number only")
    centre = None if service_centre is None else address_of(service_centre)
    dcs = sms_dcs(part.encoding, message_class)
    return Submit(destination, part, centre, dcs, validity=validity, request_report=request_report)


def encode(submit: Submit) -> Pdu:
    """The PDU for `AT+CMGS`. Raises SmsFormatError. Source: 3GPP TS 23.040 section 9.2.2.2."""
    coding = read_sms_dcs(submit.dcs)
    if (coding.encoding, coding.compressed) != (submit.data.encoding, submit.data.compressed):
        raise SmsFormatError("the data coding scheme and the user data contradict each other")
    first = (
        MTI
        | (_REJECT_DUPLICATES if submit.reject_duplicates else 0)
        | submit.validity.format << _FORMAT_SHIFT
        | (_REPORT if submit.request_report else 0)
        | (_HEADER if submit.data.header.elements else 0)
        | (_REPLY_PATH if submit.reply_path else 0)
    )
    head = as_octets(first, submit.reference) + write_address(submit.destination) + as_octets(submit.pid, submit.dcs)
    tpdu = head + write_validity(submit.validity) + write_user_data(submit.data)
    return Pdu((write_service_centre(submit.service_centre) + tpdu).hex().upper(), len(tpdu))


def decode(pdu: str) -> Submit:
    """An SMS-SUBMIT with its SCA, in hexadecimal. Raises SmsFormatError. Source: TS 23.040 section 9.2.2.2."""
    octets = Octets(read_hex(pdu))
    service_centre = read_service_centre(octets)
    first = octets.byte("the first octet")
    if first & _MTI_MASK != MTI:
        raise SmsFormatError("this PDU is no SMS-SUBMIT")
    reference = octets.byte("the message reference")
    destination = read_address(octets)
    pid = octets.byte("the protocol identifier")
    dcs = octets.byte("the data coding scheme")
    validity = read_validity(Format(first >> _FORMAT_SHIFT & 0x03), octets)
    data = read_user_data(dcs, bool(first & _HEADER), octets)
    return Submit(
        destination=destination, data=data, service_centre=service_centre, dcs=dcs, pid=pid, reference=reference,
        validity=validity, request_report=bool(first & _REPORT), reject_duplicates=bool(first & _REJECT_DUPLICATES),
        reply_path=bool(first & _REPLY_PATH),
    )  # fmt: skip

"""The numbers with which modem and network refuse an SMS, in words."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a delivery status means for the sender."""

    DELIVERED = "delivered"
    PENDING = "pending"
    FAILED = "failed"


# Source: 3GPP TS 24.011 annex E-2 (0-127), TS 23.040 section 9.2.3.22 (128-255), TS 27.005 section 3.2.5 (from 300).
CMS_CAUSES = {
    1: "unassigned number", 8: "operator determined barring", 10: "call barred", 11: "reserved",
    17: "network failure", 21: "short message transfer rejected", 22: "memory capacity exceeded",
    27: "destination out of order", 28: "unidentified subscriber", 29: "facility rejected",
    30: "unknown subscriber", 38: "network out of order", 41: "temporary failure", 42: "congestion",
    47: "resources unavailable", 50: "requested facility not subscribed", 69: "requested facility not implemented",
    81: "invalid short message transfer reference value", 95: "semantically incorrect message",
    96: "invalid mandatory information", 97: "message type non-existent or not implemented",
    98: "message not compatible with the protocol state", 99: "information element non-existent or not implemented",
    111: "protocol error", 127: "interworking",
    128: "telematic interworking not supported", 129: "short message type 0 not supported",
    130: "cannot replace short message", 143: "unspecified protocol identifier error",
    144: "data coding scheme not supported", 145: "message class not supported",
    159: "unspecified data coding scheme error", 160: "command cannot be acted upon", 161: "command not supported",
    175: "unspecified command error", 176: "PDU not supported", 192: "service centre busy",
    193: "no service centre subscription", 194: "service centre system failure", 195: "invalid SME address",
    196: "destination SME barred", 197: "rejected as a duplicate",
    198: "validity period format not supported", 199: "validity period not supported",
    208: "SIM SMS storage full", 209: "no SMS storage capability in SIM", 210: "error in MS",
    211: "memory capacity exceeded", 212: "SIM application toolkit busy", 213: "SIM data download error",
    255: "unspecified error",
    300: "modem failure", 301: "SMS service of the modem reserved", 302: "operation not allowed",
    303: "operation not supported", 304: "invalid PDU mode parameter", 305: "invalid text mode parameter",
    310: "SIM not inserted", 311: "SIM PIN required", 312: "PH-SIM PIN required", 313: "SIM failure", 314: "SIM busy",
    315: "SIM wrong", 316: "SIM PUK required", 317: "SIM PIN2 required", 318: "SIM PUK2 required",
    320: "memory failure", 321: "invalid memory index", 322: "memory full", 330: "service centre address unknown",
    331: "no network service", 332: "network timeout", 340: "no acknowledgement expected", 500: "unknown error",
}  # fmt: skip

# Source: 3GPP TS 23.040 section 9.2.3.15.
DELIVERY_STATES = {
    0x00: "received by the recipient", 0x01: "forwarded, but the service centre cannot confirm the delivery",
    0x02: "replaced by the service centre",
    0x20: "still trying: congestion", 0x21: "still trying: recipient busy", 0x22: "still trying: no response",
    0x23: "still trying: service rejected", 0x24: "still trying: quality of service not available",
    0x25: "still trying: error in the recipient",
    0x40: "remote procedure error", 0x41: "incompatible destination", 0x42: "connection rejected by the recipient",
    0x43: "not obtainable", 0x44: "quality of service not available", 0x45: "no interworking available",
    0x46: "validity period expired", 0x47: "deleted by the sender", 0x48: "deleted by the service centre",
    0x49: "unknown to the service centre",
    0x60: "gave up: congestion", 0x61: "gave up: recipient busy", 0x62: "gave up: no response",
    0x63: "gave up: service rejected", 0x64: "gave up: quality of service not available",
    0x65: "gave up: error in the recipient",
}  # fmt: skip
_RANGES = {
    0x00: (Outcome.DELIVERED, "completed"),
    0x20: (Outcome.PENDING, "still trying"),
    0x40: (Outcome.FAILED, "permanent error"),
    0x60: (Outcome.FAILED, "temporary error, gave up"),
}
_TEMPORARY = frozenset({38, 41, 42, 47, 192, 314, 331})
_REJECTED = 0x63  # what a reserved status means


def cms_words(cms: int) -> str:
    """A `+CMS ERROR` value in words. Source: 3GPP TS 27.005 section 3.2.5."""
    if cms in CMS_CAUSES:
        return CMS_CAUSES[cms]
    return f"error {cms} of the modem's maker" if cms >= 512 else f"unknown error {cms}"


def is_temporary(cms: int) -> bool:
    """Whether the same message may be taken a moment later: the network or the card was busy, and took nothing.

    Source: 3GPP TS 24.011 annex E-2 (network out of order, temporary failure, congestion, resources unavailable),
    TS 23.040 section 9.2.3.22 (service centre busy), TS 27.005 section 3.2.5 (SIM busy, no network service).
    """
    return cms in _TEMPORARY


def delivery_outcome(status: int) -> Outcome:
    """What a TP-Status means; reserved values are "service rejected". Source: TS 23.040 section 9.2.3.15."""
    return _RANGES[_known(status) & 0x60][0]


def delivery_words(status: int) -> str:
    """A TP-Status in words. Source: 3GPP TS 23.040 section 9.2.3.15."""
    known = _known(status)
    return DELIVERY_STATES.get(known, f"{_RANGES[known & 0x60][1]} (status {status})")


def _known(status: int) -> int:
    return status if 0 <= status < 0x80 else _REJECTED

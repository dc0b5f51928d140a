"""Unsolicited result codes that any command may find inside its answer.

Source: 3GPP TS 27.007 and TS 27.005; the vendors' from their AT manuals.
"""

from __future__ import annotations

STANDARD = (
    "RING", "+CRING:", "+CLIP:", "+CCWA:", "+CSSI:", "+CSSU:", "+CMTI:", "+CMT:", "+CDS:", "+CDSI:", "+CBM:",
    "+CUSD:", "+CREG:", "+CGREG:", "+CEREG:", "+CIEV:", "+CPIN:", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE",
    "NO DIAL TONE", "BLACKLISTED", "DELAYED", "RDY", "+CFUN:", "POWERED DOWN", "NORMAL POWER DOWN", "START",
    "Call Ready", "SMS Ready",
)  # fmt: skip
QUECTEL = (
    "+QIND:",
    "+QTONEDET:",
    "+QUSIM:",
    "+QSIMSTAT:",
    "+QPCMV:",
    "+QGPSURC:",
    "^DSCI:",
    "SMS DONE",
    "PB DONE",
)
HUAWEI = (
    "^ORIG:", "^CONF:", "^CONN:", "^CEND:", "^DDTMF:", "^RSSI:", "^RSSILVL:", "^HRSSILVL:", "^HCSQ:", "^MODE:",
    "^SRVST:", "^SIMST:", "^STIN:", "^BOOT:", "^CSNR:", "^SMMEMFULL:", "^NDISSTAT:", "^DSFLOWRPT:", "^NWTIME:",
    "^EONS:", "^CCALLSTATE:", "^LWURC:",
)  # fmt: skip
SIMCOM = (
    "+CLASS0:", "+RXDTMF:", "+DTMF:", "+CNSMOD:", "*PSNWID:", "*PSUTTZ:", "DST:", "VOICE CALL:", "MISSED_CALL:",
    "REMOTE CALL END", "+SMS FULL", "+SIMCARD:",
)  # fmt: skip
ALL = STANDARD + QUECTEL + HUAWEI + SIMCOM

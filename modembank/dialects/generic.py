"""Any modem that follows 3GPP TS 27.007 and 27.005: calls are controlled, yet no voice path is known.

No USB product is taken for it: it is chosen by name, or nothing is written to a port.
"""

from __future__ import annotations

from types import MappingProxyType

from modembank.at.command import READ_EF_ICCID, SIM_S, AtCommand
from modembank.dialects.dialect import Dialect, Role

GENERIC = Dialect(
    name="generic",
    interfaces=MappingProxyType({0: Role.AT}),
    settings=("+CMEE=1",),
    optional=("+CLIP=1", "+CCWA=0,0,1", "+CREG=2", "+CEREG=2", "+COLP=0"),
    read_iccid=(AtCommand("+CCID", "+CCID:", timeout_s=SIM_S, bare=r"[0-9]{18,20}[Ff]?"), READ_EF_ICCID),
)

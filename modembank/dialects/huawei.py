"""Huawei voice sticks of the E1550, E1750 and E173 class: voice as raw PCM on the diagnostics tty.

Source: the drivers asterisk-chan-dongle (at_command.c, at_response.c, pdiscovery.c) and ModemManager (huawei plugin);
Huawei's AT manuals. What they do not say is not assumed: the end reason in ^CEND is not used, its cause is.
"""

from __future__ import annotations

from types import MappingProxyType

from modembank.at.calls import CallKind, Evidence, Indication
from modembank.at.command import READ_EF_ICCID, SIM_S, AtCommand, setting
from modembank.at.fields import read_fields, read_number, read_optional, read_text
from modembank.at.network import rssi_dbm
from modembank.at.pin import HUAWEI_RETRIES, STANDARD_RETRIES
from modembank.at.urcs import HUAWEI
from modembank.dialects.dialect import CallEvents, Dialect, Role, VoiceMoment, VoicePath
from modembank.sms.ussd import UssdForm

VENDOR = 0x12D1
_VOICE = 0
_DTMF = frozenset("0123456789*#")
_KINDS = {
    "^ORIG:": CallKind.DIALING,
    "^CONF:": CallKind.ALERTING,
    "^CONN:": CallKind.ANSWERED,
    "^CEND:": CallKind.RELEASED,
}
_TYPED = {"^ORIG:", "^CONN:"}


def _layout(at: int, audio: int) -> MappingProxyType[int, Role]:
    return MappingProxyType({at: Role.AT, audio: Role.AUDIO})


def _read_indication(line: str) -> Indication | None:
    """`^ORIG:<idx>,<type>`, `^CONF:<idx>`, `^CONN:<idx>,<type>`, `^CEND:<idx>,<seconds>,<reason>[,<cause>]`.

    The cause is there only when the network released the call. Source: chan_dongle at_response.c; 3GPP TS 24.008.
    """
    name = line[:6]
    kind = _KINDS.get(name)
    if kind is None:
        return None
    fields = read_fields(line, name)
    if name in _TYPED and read_optional(fields, 1) not in {None, _VOICE}:
        return None
    q850 = read_optional(fields, 3) if kind is CallKind.RELEASED else None
    return Indication(kind, Evidence.CURC, index=read_number(fields, 0), q850=q850)


def _read_dtmf(line: str) -> str | None:
    """`^DDTMF:<digit>`; most sticks do not have it. Source: Huawei AT manual, ^DDTMF."""
    if not line.startswith("^DDTMF:"):
        return None
    digit = read_text(read_fields(line, "^DDTMF:"), 0)
    return digit if digit in _DTMF else None


def _read_signal(line: str) -> int | None:
    """`^RSSI:<rssi>` in dBm, numbered as +CSQ. Source: Huawei AT manual, ^RSSI."""
    return rssi_dbm(read_number(read_fields(line, "^RSSI:"), 0)) if line.startswith("^RSSI:") else None


_LAYOUTS = MappingProxyType(
    {
        (VENDOR, 0x1001): _layout(at=2, audio=1),  # E1550, E150, E156G
        (VENDOR, 0x140C): _layout(at=3, audio=2),  # E17xx
        (VENDOR, 0x1436): _layout(at=4, audio=3),  # E1750, E173, E1752
        (VENDOR, 0x14AC): _layout(at=4, audio=3),  # E153
        (VENDOR, 0x1506): _layout(at=3, audio=2),  # E171
    }
)

STICK = Dialect(
    name="huawei-stick",
    usb_ids=frozenset(_LAYOUTS),
    interfaces=_layout(at=2, audio=1),
    layouts=_LAYOUTS,
    vendor=VENDOR,
    classes=MappingProxyType(
        {
            (0xFF, 0x01, 0x02): Role.AT,
            (0xFF, 0x02, 0x02): Role.AT,
            (0xFF, 0x01, 0x03): Role.AUDIO,
            (0xFF, 0x02, 0x03): Role.AUDIO,
        }
    ),
    settings=("+CMEE=1", "+CLIP=1", "+CREG=2"),
    optional=(
        "+CCWA=0,0,1",  # two calls at once leave an E1550 without sound until it is reset
        "+COLP=0",
        "+CLVL=1",  # some start muted, and only a change of the level makes them loud
        "+CLVL=5",
    ),
    call_events=(CallEvents(setting("^CURC=1"), "curc"),),
    voice=VoicePath(
        on=setting("^DDSETEX=2"),
        read_back=AtCommand("^CVOICE?", "^CVOICE:"),
        proof="^CVOICE:0",  # 0 says that there is voice
        moment=VoiceMoment.AFTER_DIAL,
        tries=3,
        pause_s=0.2,
    ),
    read_iccid=(AtCommand("^ICCID?", "^ICCID:", timeout_s=SIM_S), READ_EF_ICCID),
    release_by_index=False,  # an E1550 hangs when +CHLD=1x comes between ^ORIG and ^CONF
    read_cause=None,  # ^CEND has told it
    dtmf="^DTMF={index},{digit}",
    dtmf_digits=_DTMF,
    urcs=HUAWEI,
    read_indication=_read_indication,
    read_dtmf=_read_dtmf,
    read_signal=_read_signal,
    sim_events=("^SIMST:", "+CPIN:"),
    boot_events=(),  # ^BOOT comes every few seconds; after a reset the device is enumerated anew
    ussd=UssdForm.PACKED,
    read_tries=(HUAWEI_RETRIES, STANDARD_RETRIES),
)

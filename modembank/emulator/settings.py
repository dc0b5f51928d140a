"""What a modem remembers: settings lost at a reset, settings kept in its flash, and our fault switches."""

from __future__ import annotations

from dataclasses import dataclass, field

PCM_OFF = (0, 0)
PCM_ON_TTY = (1, 0)
PCM_ON_CARD = (1, 2)


@dataclass(slots=True)
class Volatile:
    """Settings lost at a reset (hardware facts section 17). `values` belongs to `commands/simple.py`."""

    values: dict[str, tuple[int, ...]] = field(default_factory=dict)
    cmee: int = 1
    creg: dict[str, int] = field(default_factory=lambda: {"+CREG": 0, "+CGREG": 0, "+CEREG": 0})
    charset: str = "GSM"
    cops_format: int = 0
    pcm: tuple[int, int] = PCM_OFF
    dsci: int = 0
    indications: dict[str, int] = field(
        default_factory=lambda: {
            "all": 1,
            "csq": 0,
            "smsfull": 0,
            "ring": 1,
            "smsincoming": 1,
            "act": 0,
            "ccinfo": 0,
        }
    )
    cnmi: tuple[int, ...] = (2, 1, 0, 0, 0)
    stores: tuple[str, str, str] = ("ME", "ME", "ME")
    waiting_urc: int = 0
    waiting_service: bool = False


@dataclass(slots=True)
class Persistent:
    """Settings kept in the modem's flash."""

    gps_outport: str = "usbnmea"
    urc_port: str = "usbat"
    config: dict[str, str] = field(
        default_factory=lambda: {
            "usbcfg": "0x2C7C,0x125,1,1,1,1,1,0,0",
            "usbnet": "0",
            "ims": "1,1",
            "nwscanmode": "0,1",
            "nwscanseq": "00,1",
            "servicedomain": "2,1",
            "roamservice": "255,1",
            "risignaltype": '"respective"',
        }
    )

    def has_usb_audio(self) -> bool:
        """Return whether the USB composition has an audio device. Source: hardware facts section 4.1, usbcfg."""
        return self.config["usbcfg"].rpartition(",")[2] == "1"


CURES = ("reopen", "radio", "restart", "usb", "power")
"""What frees a modem that is stuck, the weakest first."""
DEAF = ("reopen", "usb", "power")
REFUSALS = ("report", "code")
BREAKS = ("no_answer", "deaf", "error", "garbage", "vanish")


@dataclass(slots=True)
class Faults:
    """Switches of control operation `fault`; names are part of the control protocol.

    Source: hardware facts section 14, the items that concern an EC25.
    """

    muted: bool = False
    """The port is open and nothing answers (silent hang)."""
    half_hang: bool = False
    """URCs come, commands are not answered."""
    stuck: str = ""
    """It is stuck until a step of healing that is strong enough: `reopen` (deaf until the port is closed), `radio` (no
    network until +CFUN=0 or 4), `restart` (commands run, nothing is said until +CFUN=1,1), `usb` (deaf until it is
    logged off the bus) or `power` (deaf until its port was without power). Stronger steps help, too."""
    break_at: int = 0
    """The so-many-th command line from now on the first AT port goes wrong as `break_how` says; 0: none does."""
    break_how: str = "no_answer"
    """`no_answer` (the command runs), `deaf` (it does not), `error`, `garbage` (it runs), `vanish` (back as after a
    restart)."""
    urc_flood: float = 0.0
    """So many URCs a second come."""
    slow_s: float = 0.0
    """Every reply is late by so many seconds."""
    delay_reply_s: float = 0.0
    """The next reply only is late by so many seconds."""
    swallow_reply: int = 0
    """So many of the next replies are never written (the commands run)."""
    urc_inside_answer: bool = False
    """A URC stands between the information text and the final result code of every answer."""
    urc_split: bool = False
    """A URC comes in two writes, 30 ms apart."""
    urc_pair: bool = False
    """Two URCs come in one write."""
    double_cr: bool = False
    r"""URCs are framed `\r\r\n`, as SIMCom does."""
    dsci_unsupported: bool = False
    """`AT^DSCI=1` answers ERROR: calls are told by `+CLCC` alone, or by ccinfo."""
    ccinfo_unsupported: bool = False
    """`AT+QINDCFG="ccinfo"` answers ERROR."""
    qpcmv_unsupported: bool = False
    """`AT+QPCMV` answers ERROR in every form: a module without voice over USB."""
    qpcmv_refused: bool = False
    """The test form of +QPCMV answers, the set form is refused (rebadged firmware)."""
    qpcmv_card_refused: bool = False
    """Of +QPCMV only the set form for the sound card, `1,2`, is refused: the tty still carries voice."""
    qpcmv_busy: bool = False
    """The modem says `+QPCMV: 0,0` and takes no uplink until the switch is off again."""
    late_no_carrier: bool = False
    """NO CARRIER comes a second after the next ATD, or 3 s late."""
    ring_after_end: bool = False
    """RING comes once more after an incoming call has ended."""
    hangup_ignored: int = 0
    """So many of the next hang-ups answer OK and do nothing."""
    ghost_call: bool = False
    """`+CLCC` lists a call that no hang-up ends, until the modem restarts."""
    blacklist_after: int = 0
    """After so many failed tries in a row the modem refuses to dial a number; 0: never."""
    blacklist_how: str = "report"
    """How it says so: `report` (NO CARRIER, and the reason in `+CEER`) or `code` (BLACKLISTED)."""
    colp_style: bool = False
    """ATD answers OK only when the far end answers."""
    cms_error: int = 0
    """Every message that is sent is refused with this `+CMS ERROR` (38, 42, 500 and so on)."""
    sms_send_s: float = 0.2
    """How long the network takes to accept a message."""
    prompt_missing: int = 0
    """So many of the next `> ` prompts never come; the modem waits for the text all the same."""
    sms_capacity: int = 0
    """Every store has so many slots; 0 stands for the module's own."""
    sms_twice: bool = False
    """The network delivers every message twice."""
    sms_out_of_order: bool = False
    """Of two messages the second comes first."""
    cmti_minus_one: bool = False
    """`+CMTI` and `+CDSI` tell slot -1."""
    cmgr_empty_hangs: bool = False
    """`AT+CMGR` of an empty slot is never answered (E1550)."""
    cnma_s: float = 15.0
    """A direct message in phase 2+ must be acknowledged in so many seconds, or direct delivery ends."""
    ussd_encoding: str = ""
    """How USSD texts are written: `ucs2_charset`, `plain`, `packed`, `ucs2_dcs72`, `octet`; empty: by family."""
    cusd_before_ok: bool = False
    """`+CUSD` stands before the OK of the command that asked for it."""
    ussd_timeout_s: float = 30.0
    """When the network does not answer, the modem says `+CUSD: 5` after so many seconds."""
    ussd_session_s: float = 60.0
    """When the user does not answer a menu, the network ends the session after so many seconds."""
    conn_before_ok: bool = False
    """The call is connected, and told so, before the OK of ATA."""
    orig_late: bool = False
    """`^ORIG` comes 0.2 s after the OK; a hang-up before it has no `^CEND`."""
    noise_s: float = 20.0
    """A Huawei stick says `^RSSI` and `^BOOT` every so many seconds; 0 ends it."""
    glued_lines: bool = False
    """A Huawei stick glues `ERROR` to the line of `+CNUM`."""
    pcmreg_after_s: float = 0.1
    """A SIMCom module refuses `AT+CPCMREG=1` for so long after the call is connected."""
    pcm_16khz: bool = False
    """The audio is 16 kHz although 8 kHz is set."""
    cnum_empty: bool = False
    """`AT+CNUM` tells no number: the card does not know its own."""
    cops_garbage: bool = False
    """`AT+COPS?` tells a name of bytes that are no text."""
    cops_scan_s: float = 5.0
    """How long `AT+COPS=?` takes."""
    ccfc_s: float = 0.2
    """How long the network takes to answer a question about call forwarding; a real one takes 1 to 10 s, or more."""
    sim_busy_s: float = 0.5
    """After a boot `AT+CPIN?` answers CME 14 for so long."""
    reenumerate_s: float = 2.0
    """After `AT+CFUN=1,1` the device is away from the bus for so long."""
    storage_mode: bool = False
    """A stick that can shows itself as a CD-ROM at its next boot, until the switch is off (usb_modeswitch)."""
    gnss: bool = False
    """The GNSS engine runs: NMEA sentences on interface 1 unless `AT+QGPSCFG="outport","none"`."""
    odd_reads: bool = False
    """The host reads the audio in pieces of odd length."""
    burst_audio: bool = False
    """The audio comes in pieces of 640 bytes."""
    stall_audio: bool = False
    """No audio is written, and none is read."""
    ppm: float = 0.0
    """The modem's audio clock is fast by so many parts per million."""
    uplink_muted: bool = False
    """Nothing of what the host says reaches the network."""
    downlink_muted: bool = False
    """The host hears nothing of what the network gives."""
    uplink_db: float = 0.0
    """What the host says is so many dB louder (or softer, below 0) in the network."""
    downlink_db: float = 0.0
    """What the host hears is so many dB louder (or softer, below 0)."""
    uplink_lost_every: int = 0
    """Of so many frames that the host says one is a hole of 20 ms; 0: none."""
    uplink_muffled: bool = False
    """High frequencies of what the host says are lost."""
    no_alerting: bool = False
    """The modem never tells that the other phone rings."""
    imei: str = ""
    """Another IMEI than its own (cloned modems)."""

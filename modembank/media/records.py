"""Records and choices that the whole media path shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

RATE_HZ = 8000
"""The GSM side's usual sample rate. Source: 3GPP TS 26.071 section 4 (narrow-band telephony)."""

WIDE_RATE_HZ = 16000
"""That of wide-band telephony, where the modem gives it. Source: 3GPP TS 26.171 section 4 (AMR-WB)."""

FRAME_SAMPLES = 160
"""20 ms at 8 kHz; the frame of every GSM speech codec and the default ptime of RFC 3551 section 4.5."""

FRAME_BYTES = 2 * FRAME_SAMPLES
"""One frame of signed 16-bit little-endian mono PCM."""

FRAME_S = FRAME_SAMPLES / RATE_HZ

SILENCE = bytes(FRAME_BYTES)


def frame_bytes(rate_hz: int) -> int:
    """Return the size of 20 ms of s16 mono PCM; the rate is a multiple of 50 Hz."""
    return 2 * (rate_hz // 50)


FLOOR_DBFS = -90.0
"""What digital silence is reported as: just under one bit of 16."""


class MediaPhase(StrEnum):
    """What the call is doing; decides which sound the far side hears."""

    DIALING = "dialing"
    ALERTING = "alerting"
    TALKING = "talking"
    HELD = "held"


class CodecName(StrEnum):
    """RTP encoding names. Source: RFC 3551 section 6, RFC 7587 section 6.1."""

    PCMA = "PCMA"
    PCMU = "PCMU"
    OPUS = "opus"
    G722 = "G722"


WIDE_CODECS = frozenset({CodecName.OPUS, CodecName.G722})
"""What carries 16 kHz sound as it is."""


class AudioKind(StrEnum):
    """What carries a modem's sound."""

    TTY = "tty"
    ALSA = "alsa"


@dataclass(frozen=True, slots=True)
class AudioPlace:
    """Where a modem's sound is and how it is sampled: s16 mono at `rate_hz`, 8000 or 16000."""

    name: str
    """The tty's path, or the sound card's ALSA name such as `hw:CARD=Android`."""
    rate_hz: int = RATE_HZ
    kind: AudioKind = AudioKind.TTY


@dataclass(frozen=True, slots=True)
class Levels:
    """RMS level per direction in dBFS, -90 (silence) to 0."""

    to_far_dbfs: float
    from_far_dbfs: float


@dataclass(frozen=True, slots=True)
class MediaStats:
    """Counters of one call since its audio port was opened; a re-attached peer goes on counting.

    `*_far` is the RTP leg, `*_modem` the audio port. `late`: packets that came after their place had been
    filled; `concealed`: frames made up towards the modem; `dropped`: frames thrown away to keep delay short
    or because the port took no more; `underruns`: times the modem's buffer ran dry by our count;
    `cushion_frames`: frames waiting in front of the modem by our count.
    """

    codec: CodecName | None = None
    packets_to_far: int = 0
    packets_from_far: int = 0
    bytes_to_far: int = 0
    bytes_from_far: int = 0
    frames_from_modem: int = 0
    frames_to_modem: int = 0
    lost: int = 0
    late: int = 0
    concealed: int = 0
    dropped: int = 0
    underruns: int = 0
    cushion_frames: int = 0
    modem_stalls: int = 0
    jitter_ms: float = 0.0
    rtt_ms: float | None = None
    far_loss_fraction: float | None = None


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server. Source: W3C WebRTC section 4.2.4 (RTCIceServer)."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Settings of the media path of one process; all times in seconds."""

    ice_servers: tuple[IceServer, ...] = ()
    """Exactly these are asked; none by default, never a third party's."""
    codecs: tuple[CodecName, ...] = (CodecName.PCMA, CodecName.PCMU, CodecName.OPUS, CodecName.G722)
    """In order of preference; the first one that the offer has is answered, wide-band ones first at 16 kHz."""
    country: str = "GB"
    """ISO 3166-1 alpha-2: whose ringback tone is generated."""
    ringback: bool = True
    connect_timeout_s: float = 10.0
    """ICE and DTLS take well under one second; nobody waits longer than this for a dead path."""
    silent_after_s: float = 5.0
    lost_after_s: float = 15.0
    quiet_after_s: float = 10.0
    """People pause for a few seconds, and even then a line has noise."""
    rtcp_interval_s: float = 5.0
    """Source: RFC 3550 section 6.2, the minimum interval of the full profile."""

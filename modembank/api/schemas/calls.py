"""Calls as the API takes and shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from modembank.api.schemas.common import Answer, Encodable, Request, Tag, Text, Timestamp
from modembank.bus.vocabulary import AudioDirection, CallStatus, Cause, Direction, HangupSource, MediaState

METADATA_ENTRIES = 32
METADATA_KEY = 64
METADATA_VALUE = 512
# An SDP of one audio section with many candidates is a few KiB.
SDP_LIMIT = 64 * 1024

MetadataKey = Annotated[Text, Field(min_length=1, max_length=METADATA_KEY)]
MetadataValue = Annotated[Text, Field(max_length=METADATA_VALUE)]
Sdp = Annotated[Encodable, Field(min_length=1, max_length=SDP_LIMIT, description="Session description, RFC 8866.")]


class Offer(Request):
    """An SDP offer, as `RTCPeerConnection.localDescription` serialises."""

    type: Literal["offer"]
    sdp: Sdp

    @field_validator("sdp")
    @classmethod
    def _no_nul(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("control characters are not allowed")
        return value


class SessionAnswer(Answer):
    """The SDP answer, ready for `setRemoteDescription`."""

    type: Literal["answer"] = "answer"
    sdp: str


class DialRequest(Request):
    """Dial a number through a SIM."""

    to: Annotated[Encodable, Field(max_length=64, examples=["+447700900123"])] = Field(
        description="E.164, or national as written in the bank's country."
    )
    from_: Annotated[Text, Field(min_length=1, max_length=64)] | None = Field(
        None, alias="from", description="The SIM to use: its id, ICCID or own number. Not with `pool`."
    )
    pool: Tag | None = Field(None, description="Use a SIM with this tag.")
    timeout_s: Annotated[float, Field(ge=5, le=120)] | None = Field(
        None, description="Seconds from ATD to answer; the bank's setting by default."
    )
    max_duration_s: Annotated[float, Field(ge=1, le=86_400)] | None = Field(
        None, description="Seconds from answer to forced release; the bank's setting by default."
    )
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=METADATA_ENTRIES)] = Field(
        default_factory=dict, description="Your own facts, kept with the call."
    )
    webrtc: Offer | None = Field(None, description="Join a browser at once; the answer comes back with the call.")


class AnswerRequest(Request):
    """Answer an incoming call."""

    webrtc: Offer | None = None


class DtmfRequest(Request):
    """Send DTMF digits, one after the other."""

    digits: Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,64}$", examples=["12#"])]


class CandidateRequest(Request):
    """One trickled ICE candidate; null ends them. Source: RFC 8838."""

    candidate: Annotated[Text, Field(max_length=1024)] | None
    sdp_mid: Annotated[Text, Field(max_length=64)] | None = None
    sdp_m_line_index: Annotated[int, Field(ge=0, le=64)] | None = None


class SimRef(Answer):
    """A SIM in short."""

    id: str
    label: str
    number: str | None
    iccid: str


class ModemRef(Answer):
    """A modem in short."""

    id: str
    label: str
    usb_path: str


class Removed(Answer):
    """How many SIMs a filter removed."""

    name: str
    removed: int


class Why(Answer):
    """How the SIM of a dial was chosen."""

    winner: str
    filters: list[Removed]
    ranking: str
    considered: int


class Hangup(Answer):
    """Who ended the call and why."""

    source: HangupSource
    cause: Cause
    q850: int | None
    detail: str


class Quality(Answer):
    """Counters of the media at the end of the call; frames are 20 ms."""

    codec: str | None
    frames_to_far: int
    frames_from_far: int
    lost: int
    late: int
    concealed: int
    dropped: int
    jitter_ms: float
    rtt_ms: float | None


class Call(Answer):
    """A call, past or present."""

    id: str = Field(examples=["call_01KAHQ4Z2T5M9V8R3E7W6XNYCD"])
    direction: Direction
    status: CallStatus
    to: str | None
    from_: str | None = Field(alias="from", description="Null when withheld.")
    sim: SimRef | None
    modem: ModemRef | None
    why: Why | None
    early_media: bool
    muted: bool
    held: bool
    media: MediaState
    quiet: list[AudioDirection] = Field(
        description="Directions without sound for `media.quiet_after_s`; at the end, those that had none until then."
    )
    created_at: Timestamp
    dialing_at: Timestamp | None
    ringing_at: Timestamp | None
    early_media_at: Timestamp | None
    answered_at: Timestamp | None
    ended_at: Timestamp | None
    duration_s: float = Field(description="Answer to end; 0 when never answered.")
    timeout_s: float
    max_duration_s: float
    metadata: dict[str, str]
    hangup: Hangup | None
    quality: Quality | None


class CallWithAnswer(Call):
    """A call, with the SDP answer when an offer came."""

    webrtc: SessionAnswer | None = None

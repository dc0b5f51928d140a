"""Messages and USSD sessions as the API takes and shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modembank.api.schemas.calls import METADATA_ENTRIES, MetadataKey, MetadataValue, ModemRef, SimRef, Why
from modembank.api.schemas.common import Answer, Encodable, Lines, Request, Tag, Text, Timestamp
from modembank.bank.message_records import MessageStatus, UssdStatus
from modembank.bus.vocabulary import Direction

# 255 parts of 153 septets; the bank's own limit is a setting and lower.
TEXT_LIMIT = 39_015
# 182 septets. Source: 3GPP TS 23.038 section 6.1.2.3.
USSD_LIMIT = 182

SimName = Annotated[Text, Field(min_length=1, max_length=64)]


class MessageRequest(Request):
    """Send a text through a SIM."""

    to: Annotated[Encodable, Field(max_length=64, examples=["+447700900123"])] = Field(
        description="E.164, or national as written in the bank's country."
    )
    text: Annotated[Lines, Field(min_length=1, max_length=TEXT_LIMIT)] = Field(
        description="Sent in the GSM alphabet where that has every character (160 to an SMS), else as UCS2 (70)."
    )
    from_: SimName | None = Field(None, alias="from", description="The SIM to use: its id, ICCID or own number.")
    pool: Tag | None = Field(None, description="Use a SIM with this tag.")
    flash: bool = Field(False, description="Shown at once and not stored by the recipient's phone (class 0).")
    delivery_report: bool | None = Field(None, description="Ask the network for one; the bank's setting by default.")
    validity_s: Annotated[float, Field(ge=300, le=38_102_400)] | None = Field(
        None,
        description="Seconds for which the network tries to deliver, up to 63 weeks; by default its own.",
    )
    encoding: Literal["gsm7", "ucs2"] | None = Field(None, description="Force one; `gsm7` refuses what it lacks.")
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=METADATA_ENTRIES)] = Field(
        default_factory=dict, description="Your own facts, kept with the message."
    )


class MessageParts(Answer):
    """How many SMS a message takes, and how many of them are sent or received."""

    total: int
    done: int


class MessageStep(Answer):
    """One change of status."""

    at: Timestamp
    status: MessageStatus
    detail: str


class Message(Answer):
    """A message, in or out."""

    id: str = Field(examples=["msg_01KAHQ4Z2T5M9V8R3E7W6XNYCD"])
    direction: Direction
    status: MessageStatus = Field(
        description="Out: queued, sending, sent, delivered, undelivered, failed, unknown. In: partial, received. "
        "`unknown`: the network's answer was lost; it is not sent again by itself."
    )
    to: str | None
    from_: str | None = Field(alias="from", description="A number, or a name that a company sends under.")
    sim: SimRef | None
    modem: ModemRef | None
    text: str | None = Field(
        description="Null for 8-bit data, and for a key without the scope sms:content; `[…]` stands for a lost part."
    )
    data: str | None = Field(description="8-bit data in hexadecimal.")
    encoding: str = Field(examples=["gsm7", "ucs2", "octets"])
    parts: MessageParts
    flash: bool
    delivery_report: bool
    attempts: int = Field(description="How often the network refused it.")
    created_at: Timestamp
    network_at: Timestamp | None = Field(description="When the network took it, by its own clock; incoming only.")
    sent_at: Timestamp | None
    delivered_at: Timestamp | None
    cms: int | None = Field(description="Number of the last +CMS ERROR, 3GPP TS 27.005 section 3.2.5.")
    detail: str
    why: Why | None
    metadata: dict[str, str]
    history: list[MessageStep]


class UssdRequest(Request):
    """Send a USSD code through a SIM."""

    code: Annotated[Text, Field(min_length=1, max_length=USSD_LIMIT, examples=["*100#"])]
    from_: SimName | None = Field(None, alias="from", description="The SIM to use: its id, ICCID or own number.")
    pool: Tag | None = Field(None, description="Use a SIM with this tag.")


class UssdAnswerRequest(Request):
    """Answer the network's menu."""

    text: Annotated[Text, Field(min_length=1, max_length=USSD_LIMIT, examples=["1"])]


class UssdTurn(Answer):
    """What one side said; `out` is towards the network."""

    at: Timestamp
    out: bool
    text: str
    raw: str | None = Field(description="The modem's string as it came.")
    dcs: int | None


class UssdSession(Answer):
    """A USSD session."""

    id: str = Field(examples=["ussd_01KAHQ4Z2T5M9V8R3E7W6XNYCD"])
    status: UssdStatus = Field(description="`waiting`: the network wants an answer within a minute.")
    code: str
    sim: SimRef
    text: str | None = Field(description="What the network said last; null without the scope sms:content.")
    turns: list[UssdTurn]
    detail: str
    created_at: Timestamp
    ended_at: Timestamp | None

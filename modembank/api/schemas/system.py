"""The bank itself: health, version, ICE servers, tickets."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import Field

from modembank.api.schemas.common import Answer


class Health(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadinessChecks(Answer):
    """What a call needs."""

    database: bool = Field(description="The database answers.")
    hosts: int = Field(description="Hosts connected.")
    modems_ready: int = Field(description="Modems that can carry a call, or carry one.")


class LoopFacts(Protocol):
    """How late the event loop ran, as who watches it tells; ms."""

    @property
    def last_ms(self) -> float:
        """At the last look."""
        ...

    @property
    def p99_ms(self) -> float:
        """99 of 100 looks of the last minute were no worse."""
        ...

    @property
    def max_ms(self) -> float:
        """The worst of the last minute."""
        ...

    @property
    def stalls(self) -> int:
        """Standstills of 250 ms and more since the start."""
        ...


class EventLoop(Answer):
    """How late the server's event loop runs."""

    lag_ms: float = Field(description="Lag at the last look, 20 times a second, in ms.")
    lag_p99_ms: float = Field(description="99th percentile of the last minute.")
    lag_max_ms: float = Field(description="Worst of the last minute.")
    stalls: int = Field(description="Standstills of 250 ms and more since the start; the log tells what was going on.")


class Readiness(Answer):
    """Whether calls can be made now."""

    status: Literal["ok", "unavailable"]
    checks: ReadinessChecks
    event_loop: EventLoop | None = Field(None, description="Does not decide `status`.")


class Info(Answer):
    """What runs here."""

    version: str
    country: str = Field(description="ISO 3166-1 country for national numbers.")
    scopes: list[str] = Field(description="What the key that asks may do; `*` is everything.", examples=[["*"]])
    max_message_parts: int = Field(description="Most SMS that one message may take: `messages.max_parts`.")
    ussd_codes: list[str] = Field(description="The codes that may be sent: `ussd.codes`.", examples=[["*100#"]])
    balance_plmns: list[str] = Field(
        description="Operators whose balances can be read: those of `balance.rules`.", examples=[["00101"]]
    )


class IceServer(Answer):
    """One entry of RTCConfiguration.iceServers. Source: W3C WebRTC section 4.2.4."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers(Answer):
    """The STUN and TURN servers to use; often none."""

    ice_servers: list[IceServer]


class EventTicket(Answer):
    """A one-time ticket for `GET /v1/events?ticket=…`."""

    ticket: str
    expires_in_s: int

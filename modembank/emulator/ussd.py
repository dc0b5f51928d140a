"""USSD: what the network's service codes answer, and the session of one modem.

Source: 3GPP TS 27.007 clause 7.15, 3GPP TS 22.090; hardware facts section 11.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from modembank.emulator import gsm7
from modembank.emulator.reply import RefusedError, Reply
from modembank.emulator.timers import Timers

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

CARRIAGE_RETURN = 0x0D
DCS_DEFAULT, DCS_UCS2, DCS_OCTETS = 15, 72, 68


class Outcome(IntEnum):
    """`<m>` of +CUSD. Source: 3GPP TS 27.007 clause 7.15."""

    DONE = 0
    REPLY_WANTED = 1
    TERMINATED = 2
    NOT_SUPPORTED = 4
    TIMED_OUT = 5


class Encoding(StrEnum):
    """How a modem writes USSD text."""

    UCS2_CHARSET = "ucs2_charset"
    """UCS2 hex under `+CSCS="UCS2"`, else plain; told as data coding scheme 15 (Quectel, SIMCom)."""
    PLAIN = "plain"
    PACKED = "packed"
    """Packed septets as hex (Huawei)."""
    UCS2_DCS72 = "ucs2_dcs72"
    OCTET = "octet"
    """Octets of Latin-1 as hex."""


@dataclass(frozen=True, slots=True)
class Menu:
    """An answer; with `replies` the network waits for one of them. `silent`: the network never answers."""

    text: str = ""
    replies: Mapping[str, Menu] = field(default_factory=dict)
    outcome: Outcome | None = None
    delay_s: float = 0.3
    silent: bool = False

    def told(self) -> Outcome:
        """Return `<m>`."""
        if self.outcome is not None:
            return self.outcome
        return Outcome.REPLY_WANTED if self.replies else Outcome.DONE


_BALANCE = Menu("Your balance is £12.34. Thank you!")
SERVICES: dict[str, Menu] = {
    "*100#": _BALANCE,
    "*101*4#": Menu('Data left: 2.5 GB\nValid until "2026-12-31", then £5, renewed'),
    "*123#": Menu(
        "Main menu\n1 Balance\n2 Top up\n0 Exit",
        {
            "1": _BALANCE,
            "2": Menu("Top up: 1 £5\n2 £10", {"1": Menu("Topped up by £5"), "2": Menu("Topped up by £10")}),
            "0": Menu("", outcome=Outcome.TERMINATED),
        },
    ),
}


class UssdUnit:
    """The USSD session of one modem; `services` are codes of its SIM that go before the network's."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self._menu: Menu | None = None
        self._busy = False
        self._timers = Timers()
        self._deadline: asyncio.TimerHandle | None = None

    def reset(self) -> None:
        """The session is lost."""
        self._timers.cancel()
        self._menu = None
        self._busy = False

    def send(self, text: str) -> Reply:
        """Start a session, or answer the network's question."""
        if not self._modem.radio.serves_voice():
            raise RefusedError(cme=30)
        if self._busy:
            raise RefusedError(cme=3)
        menu = self._next(text)
        self._timers.stop(self._deadline)
        self._menu = None
        if menu.delay_s == 0 or self._modem.faults.cusd_before_ok:
            self._busy = True
            self._answer(menu)
            return Reply()
        return Reply(after=lambda: self._answer_later(menu))

    def cancel(self) -> None:
        """End the session from our side."""
        self._timers.cancel()
        self._menu = None
        self._busy = False

    def _next(self, text: str) -> Menu:
        if self._menu is not None:
            return self._menu.replies.get(text) or Menu("", outcome=Outcome.TERMINATED)
        sim = self._modem.sim
        own = self._modem.network.services.get(sim.number if sim is not None else "", {})
        found = own.get(text) or self._modem.network.services[""].get(text)
        if found is not None:
            return found
        # A code whose padding came out as a character is no code at all (hardware facts section 11).
        return Menu("", outcome=Outcome.TERMINATED if text.endswith("@") else Outcome.NOT_SUPPORTED)

    def _answer_later(self, menu: Menu) -> None:
        self._busy = True
        if menu.silent:
            self._timers.after(self._modem.faults.ussd_timeout_s, lambda: self._end(Outcome.TIMED_OUT))
        else:
            self._timers.after(menu.delay_s, lambda: self._answer(menu))

    def _answer(self, menu: Menu) -> None:
        self._busy = False
        outcome = menu.told()
        if outcome is Outcome.REPLY_WANTED:
            self._menu = menu
            limit_s = self._modem.faults.ussd_session_s
            self._deadline = self._timers.after(limit_s, lambda: self._end(Outcome.TERMINATED))
        if not menu.text:
            self._modem.urc(f"+CUSD: {int(outcome)}")
            return
        text, dcs = written(self._modem, menu.text)
        self._modem.urc(f'+CUSD: {int(outcome)},"{text}",{dcs}')

    def _end(self, outcome: Outcome) -> None:
        self._busy = False
        self._menu = None
        self._modem.urc(f"+CUSD: {int(outcome)}")


def encoding_of(modem: Modem) -> Encoding:
    """Return how the modem writes USSD text now."""
    return Encoding(modem.faults.ussd_encoding) if modem.faults.ussd_encoding else modem.family.ussd


def written(modem: Modem, text: str) -> tuple[str, int]:
    """Return a text as the modem writes it, and the data coding scheme that it tells."""
    encoding = encoding_of(modem)
    if encoding is Encoding.UCS2_CHARSET:
        return _ucs2(text) if modem.volatile.charset == "UCS2" else text, DCS_DEFAULT
    characters = gsm7.characters(text)
    if encoding is Encoding.UCS2_DCS72 or (encoding is Encoding.PACKED and characters is None):
        return _ucs2(text), DCS_UCS2
    if encoding is Encoding.PACKED and characters is not None:
        return pack(list(chain.from_iterable(characters))).hex().upper(), DCS_DEFAULT
    if encoding is Encoding.OCTET:
        return text.encode("latin-1", "replace").hex().upper(), DCS_OCTETS
    return text, DCS_DEFAULT


def _ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def read(modem: Modem, text: str) -> str:
    """Return what a host wrote.

    Raises:
        RefusedError: it cannot be read so.
    """
    encoding = encoding_of(modem)
    try:
        if encoding is Encoding.PACKED:
            return unpack(bytes.fromhex(text))
        if modem.volatile.charset == "UCS2":
            return bytes.fromhex(text).decode("utf-16-be")
    except ValueError:
        raise RefusedError(cme=50) from None
    return text


def pack(septets: list[int]) -> bytes:
    """Return septets with a carriage return where seven bits would stay. Source: 3GPP TS 23.038 clause 6.1.2.3.1."""
    return gsm7.pack([*septets, CARRIAGE_RETURN] if len(septets) % 8 == 7 else septets)


def unpack(data: bytes) -> str:
    """Return the text of packed septets; a carriage return that only fills up is dropped."""
    septets = gsm7.unpack(data, len(data) * 8 // 7)
    if len(septets) % 8 == 0 and septets and septets[-1] == CARRIAGE_RETURN:
        septets.pop()
    return gsm7.to_text(septets)

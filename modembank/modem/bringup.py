"""The first conversation with a modem: who it is, which SIM it holds, what it can do.

Few lines, since 64 modems want to be ready within seconds: what is safe goes out joined with `;`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from modembank.at import command as at
from modembank.at.command import AtCommand, join, setting
from modembank.at.identity import CME_SIM, SimStatus, read_bare, read_cnum, read_cpin, read_iccid
from modembank.at.network import READ_REJECT, Registration, read_cops, read_csq, read_registration, say_reject
from modembank.dialects import Dialect
from modembank.errors import AtResultError, AtSyntaxError, AtTimeoutError, CmeError
from modembank.modem.ask import Ask
from modembank.modem.state import better
from modembank.modem.timings import ModemTimings

_log = logging.getLogger(__name__)
_WAKE_TRIES = 3
_IDENTITY = (at.READ_MAKER, at.READ_MODEL, at.READ_REVISION, at.READ_IMEI)
_NETWORK = (at.READ_SIGNAL, at.READ_CS_REGISTRATION, at.READ_EPS_REGISTRATION, at.READ_OPERATOR)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the modem is; None where it does not say."""

    manufacturer: str | None
    model: str | None
    revision: str | None
    imei: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """Which SIM it holds. `number` is what the card itself says, often nothing."""

    iccid: str | None
    imsi: str | None
    number: str | None


NO_CARD = Card(None, None, None)


@dataclass(frozen=True, slots=True)
class Network:
    """Where it is registered. `denial`: why the network refuses the card, in words, if it does and says so."""

    registration: Registration
    operator: str | None
    plmn: str | None
    access: str | None
    rssi_dbm: int | None
    denial: str | None = None


async def wake(ask: Ask) -> None:
    """Switch the echo off. The first line after a reset may be lost. Raises AtTimeoutError, AtResultError."""
    for last in (False,) * (_WAKE_TRIES - 1) + (True,):
        try:
            await ask(setting("E0").patient(at.PING_S))
        except (AtTimeoutError, AtResultError):
            if last:
                raise
        else:
            return


async def read_identity(ask: Ask) -> Identity:
    """Maker, model, revision and IMEI in one line, else one by one."""
    try:
        lines = await ask(join(*_IDENTITY))
    except AtResultError:
        lines = ()
    if len(lines) == len(_IDENTITY):
        texts = [read_bare(line, command.prefixes[0]) for line, command in zip(lines, _IDENTITY, strict=True)]
        return Identity(*texts)
    return Identity(*[await _read_one(ask, command) for command in _IDENTITY])


async def _ask_all(ask: Ask, commands: tuple[AtCommand, ...]) -> tuple[str, ...]:
    """All in one line; where one is refused (2G modems know no +CEREG), one by one without the refused."""
    try:
        return await ask(join(*commands))
    except AtResultError:
        lines: list[str] = []
        for command in commands:
            with contextlib.suppress(AtResultError):
                lines += await ask(command)
        if not lines:
            raise
        return tuple(lines)


async def _read_one(ask: Ask, command: AtCommand) -> str | None:
    try:
        lines = await ask(command)
    except AtResultError:
        return None
    return read_bare(lines[0], command.prefixes[0]) if lines else None


async def apply_settings(ask: Ask, dialect: Dialect) -> tuple[str, ...]:
    """Send the family's settings and return those that were refused."""
    try:
        await ask(join(*(setting(text) for text in dialect.settings)))
        refused: tuple[str, ...] = ()
    except AtResultError:
        refused = tuple([text for text in dialect.settings if not await is_accepted(ask, setting(text))])
    for text in dialect.optional:
        if not await is_accepted(ask, setting(text)):
            _log.debug("%s is not known to this modem", text)
    return refused


async def enable_call_events(ask: Ask, dialect: Dialect) -> tuple[str, ...]:
    """Ask for call URCs and return the names of those granted; with none, +CLCC is polled."""
    return tuple([events.name for events in dialect.call_events if await is_accepted(ask, events.enable)])


async def is_accepted(ask: Ask, command: AtCommand) -> bool:
    """Whether the modem says OK."""
    try:
        await ask(command)
    except AtResultError:
        return False
    return True


async def read_sim(ask: Ask, timings: ModemTimings) -> SimStatus:
    """The SIM's state; a starting SIM is waited for. A PIN is never tried here."""
    tries = max(1, round(timings.sim_start_s / timings.sim_busy_s))
    for _ in range(tries):
        status = await _read_sim_once(ask)
        if status is not SimStatus.BUSY:
            return status
        await asyncio.sleep(timings.sim_busy_s)
    return SimStatus.BUSY


async def _read_sim_once(ask: Ask) -> SimStatus:
    try:
        lines = await ask(at.READ_PIN)
    except CmeError as error:
        return CME_SIM.get(error.cme, SimStatus.BUSY)
    except AtResultError:
        return SimStatus.BUSY
    return read_cpin(lines[-1]) if lines else SimStatus.BUSY


async def read_card(ask: Ask, dialect: Dialect) -> Card:
    """ICCID and IMSI, and the own number where the card holds one. Raises CmeError when the SIM went away."""
    iccid, imsi = await _read_both(ask, dialect.read_iccid[0])
    if iccid is None:
        iccid = await _read_iccid(ask, dialect.read_iccid)
    if imsi is None:
        imsi = next((line for line in await ask(at.READ_IMSI) if line.isdecimal()), None)
    try:
        numbers = [read_cnum(line) for line in await ask(at.READ_NUMBER)]
    except (AtResultError, AtSyntaxError):
        numbers = []
    return Card(iccid, imsi, next((number for number in numbers if number), None))


async def read_locked_card(ask: Ask, dialect: Dialect) -> Card:
    """The ICCID, which no PIN protects; with it the owner finds the PIN."""
    return Card(await _read_iccid(ask, dialect.read_iccid), None, None)


async def _read_both(ask: Ask, read: AtCommand) -> tuple[str | None, str | None]:
    """ICCID and IMSI in one line, where they can be told apart."""
    if read.bare is not None:
        return None, None
    try:
        lines = await ask(join(read, at.READ_IMSI))
        own = [line for line in lines if line.startswith(read.prefixes)]
        iccid = read_iccid(own[0], read.prefixes[0]) if own else None
    except (AtResultError, AtSyntaxError):
        return None, None
    return iccid, next((line for line in lines if line.isdecimal()), None)


async def _read_iccid(ask: Ask, commands: tuple[AtCommand, ...]) -> str | None:
    for command in commands:
        try:
            lines = await ask(command)
            if lines:
                return read_iccid(lines[-1], command.prefixes[0])
        except (AtResultError, AtSyntaxError) as error:
            _log.debug("no ICCID: %s", error)
    return None


async def read_network(ask: Ask) -> Network:
    """Registration in both domains, operator, access technology and signal. Raises AtResultError."""
    lines = await _ask_all(ask, _NETWORK)
    reports = {
        report.domain: report
        for report in (read_registration(line) for line in lines if line.startswith(("+CREG:", "+CEREG:")))
    }
    cs, eps = reports.get("CREG"), reports.get("CEREG")
    registration = cs.registration if cs else Registration.UNKNOWN
    if eps is not None:
        registration = better(registration, eps.registration)
    operators = [read_cops(line) for line in lines if line.startswith("+COPS:")]
    rssi = next((read_csq(line) for line in lines if line.startswith("+CSQ:")), None)
    access = next((one.access for one in (*operators, cs, eps) if one is not None and one.access), None)
    name = next((one.name for one in operators if one.name), None)
    plmn = next((one.plmn for one in operators if one.plmn), None)
    denial = await _read_denial(ask) if registration is Registration.DENIED else None
    return Network(registration, name, plmn, access, rssi, denial)


async def _read_denial(ask: Ask) -> str | None:
    """Why the network refuses the card; few modems tell. Source: 3GPP TS 27.007 section 7.2 (<n>=3)."""
    try:
        reports = [read_registration(line) for line in await ask(READ_REJECT)]
    except (AtResultError, AtSyntaxError):
        return None
    return next((say_reject(report.reject) for report in reports if report.reject is not None), None)

"""Which modems and SIMs there are: the live view in memory, one row for each that was ever seen.

Memory changes only after the commit of the rows, so that a transaction that failed can be run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from modembank.bank.blacklist import Blacklist
from modembank.bank.journal import Transaction
from modembank.bank.numbers import caller_number
from modembank.bank.operators import policy_of
from modembank.bank.policy import Candidate
from modembank.bank.radio import transition
from modembank.bank.records import HealingRecord
from modembank.bank.sim_records import NumberSource, PinTrust
from modembank.bank.views import Live, modem_ref, sim_ref
from modembank.bus.events import ModemSnapshot
from modembank.bus.vocabulary import ModemState
from modembank.config import CallSettings, SimSettings
from modembank.ids import new_id
from modembank.store import modems as modem_rows
from modembank.store import sims as sim_rows
from modembank.store.database import Session
from modembank.store.models import ModemRow, SimRow
from modembank.store.radio import add_radio

# While a modem is attached its news comes by the second; writing the time of each would double the work.
LAST_SEEN_STEP = timedelta(minutes=1)

Place = tuple[str, str]  # host id, USB path
UNLOCKED = frozenset({ModemState.READY, ModemState.IN_CALL, ModemState.SEARCHING, ModemState.DENIED})


class Inventory:
    """The live view, and how facts about modems change it and the rows."""

    def __init__(self, country: str, settings: SimSettings | None = None, calls: CallSettings | None = None) -> None:
        limits = calls or CallSettings()
        self.blacklist = Blacklist(limits.blacklist_first_s, limits.blacklist_most_s)
        self._country = country
        self._settings = settings or SimSettings()
        self._live: dict[Place, Live] = {}
        self._healing: dict[tuple[str, str], HealingRecord] = {}  # host id, modem id
        self._holders: dict[str, Place] = {}  # ICCID -> the modem that told of it last

    def at(self, host_id: str, usb_path: str) -> Live | None:
        """The modem that runs in this place."""
        return self._live.get((host_id, usb_path))

    def holder(self, iccid: str) -> Live | None:
        """The modem that holds this SIM."""
        place = self._holders.get(iccid)
        return self._live.get(place) if place else None

    def everything(self) -> tuple[Live, ...]:
        """All modems that run now."""
        return tuple(self._live.values())

    def of_modem(self, modem_id: str) -> Live | None:
        """The live side of a modem's row."""
        return next((live for live in self._live.values() if live.modem.id == modem_id), None)

    def healing(self, host_id: str, modem_id: str) -> HealingRecord | None:
        """What is being done about a modem."""
        return self._healing.get((host_id, modem_id))

    def put_healing(self, host_id: str, modem_id: str, record: HealingRecord | None) -> None:
        """Keep the newest word of it; None: it is well."""
        if record is None:
            self._healing.pop((host_id, modem_id), None)
        else:
            self._healing[host_id, modem_id] = record

    def of_host(self, host_id: str) -> tuple[Live, ...]:
        """All modems that this host runs."""
        return tuple(live for live in self._live.values() if live.host_id == host_id)

    def ready(self) -> int:
        """How many modems could carry a call."""
        usable = (ModemState.READY, ModemState.IN_CALL)
        return sum(live.snapshot.state in usable and live.snapshot.voice for live in self._live.values())

    async def candidates(self, session: Session, number: str | None = None) -> list[Candidate]:
        """All SIMs as the policy wants them; `number`, E.164, is to be called."""
        return [self._candidate(row, number) for row in await sim_rows.all_sims(session)]

    def _candidate(self, row: SimRow, number: str | None) -> Candidate:
        live = self.holder(row.iccid)
        return Candidate(
            sim_id=row.id,
            iccid=row.iccid,
            number=row.number,
            tags=tuple(row.tags),
            enabled=row.enabled,
            claimed=row.claimed_by is not None,
            last_used_at=row.last_used_at,
            modem_enabled=live.modem_enabled if live else True,
            modem_state=live.snapshot.state if live else None,
            voice=live.snapshot.voice if live else False,
            registration=live.snapshot.registration if live else "unknown",
            plmn=live.snapshot.plmn if live else None,
            operators=policy_of(self._settings, row.tags, row.roaming, row.allowed_operators, row.forbidden_operators),
            sound=live is not None and live.snapshot.audio_port is not None,
            asking=live is not None and live.snapshot.asking,
            blacklisted=number is not None and self.blacklist.blocks(row.id, number),
        )

    async def changed(self, transaction: Transaction, host_id: str, snapshot: ModemSnapshot, at: datetime) -> None:
        """Take in what a host says of one modem; nothing is written when it says nothing new."""
        place = (host_id, snapshot.usb_path)
        before = self._live.get(place)
        if before is not None and before.snapshot == snapshot:
            return
        modem = await self._modem_row(transaction.session, host_id, snapshot, at)
        sim = await self.sim_row(transaction.session, snapshot, at) if snapshot.iccid else None
        live = Live(
            host_id=host_id,
            snapshot=snapshot,
            modem=modem_ref(modem),
            modem_enabled=modem.enabled,
            sim=sim_ref(sim) if sim else None,
        )
        transaction.emit_modem("modem.changed", at, modem, live, self.healing(host_id, modem.id))
        if sim is not None:
            transaction.emit_sim(at, sim, live)
        change = transition(before, live, at)
        if change is not None:
            await add_radio(transaction.session, [change])
        if before is not None and before.sim is not None and before.snapshot.iccid != snapshot.iccid:
            await self._sim_left(transaction, before, at, taken_out=snapshot.state is ModemState.NO_SIM)
        transaction.after_commit.append(lambda: self._put(place, live))

    async def gone(self, transaction: Transaction, host_id: str, usb_path: str, at: datetime) -> None:
        """A modem was taken away; its rows stay."""
        before = self._live.get((host_id, usb_path))
        if before is None:
            return
        modem = await modem_rows.get_modem(transaction.session, before.modem.id)
        if modem is not None:
            modem.last_seen_at = at
            transaction.emit_modem("modem.gone", at, modem, None, self.healing(host_id, modem.id))
        if before.sim is not None:
            await self._sim_left(transaction, before, at)
        transaction.after_commit.append(lambda: self._remove((host_id, usb_path)))

    async def host_gone(self, transaction: Transaction, host_id: str, at: datetime) -> None:
        """Nothing of this host runs any more."""
        transaction.after_commit.append(lambda: self._forget_healing(host_id))
        for live in self.of_host(host_id):
            await self.gone(transaction, host_id, live.snapshot.usb_path, at)

    async def sim_row(self, session: Session, snapshot: ModemSnapshot, at: datetime) -> SimRow:
        """Find or make the row of the SIM in this modem; the card's own number counts until a person sets one."""
        assert snapshot.iccid is not None
        row = await sim_rows.sim_by_iccid(session, snapshot.iccid, lock=True)
        if row is None:
            row = SimRow(id=new_id("sim"), iccid=snapshot.iccid, tags=[], first_seen_at=at, last_seen_at=at)
            session.add(row)
        _seen(row, at)
        row.imsi = snapshot.imsi or row.imsi
        if snapshot.number and not row.number_by_person:
            row.number, row.number_source = caller_number(snapshot.number, self._country), NumberSource.CARD
        if snapshot.state in UNLOCKED:
            rearm_pin(row)
        await session.flush()
        return row

    def renamed_modem(self, row: ModemRow) -> None:
        """Take over what a person changed of a modem."""
        for place, live in self._live.items():
            if live.modem.id == row.id:
                self._live[place] = replace(live, modem=modem_ref(row), modem_enabled=row.enabled)

    def renamed_sim(self, row: SimRow) -> None:
        """Take over what a person changed of a SIM."""
        for place, live in self._live.items():
            if live.sim is not None and live.sim.id == row.id:
                self._live[place] = replace(live, sim=sim_ref(row))

    async def _modem_row(self, session: Session, host_id: str, snapshot: ModemSnapshot, at: datetime) -> ModemRow:
        row = _same_modem(await modem_rows.modems_at(session, host_id, snapshot.usb_path), snapshot.imei)
        if row is None:
            row = ModemRow(
                id=new_id("modem"),
                host_id=host_id,
                usb_path=snapshot.usb_path,
                tags=[],
                first_seen_at=at,
                last_seen_at=at,
            )
            session.add(row)
        _seen(row, at)
        row.dialect = snapshot.dialect
        row.slot = snapshot.slot
        row.imei = snapshot.imei or row.imei
        row.manufacturer = snapshot.manufacturer or row.manufacturer
        row.model = snapshot.model or row.model
        row.revision = snapshot.revision or row.revision
        row.at_port, row.audio_port = snapshot.at_port, snapshot.audio_port
        await session.flush()
        return row

    async def _sim_left(self, transaction: Transaction, before: Live, at: datetime, taken_out: bool = False) -> None:
        assert before.sim is not None
        holder = self.holder(before.sim.iccid)
        if holder is not None and holder is not before:
            return  # it already sits in another modem
        row = await sim_rows.get_sim(transaction.session, before.sim.id)
        if row is not None:
            row.last_seen_at = at
            if taken_out:
                rearm_pin(row)
            transaction.emit_sim(at, row, None)

    def _forget_healing(self, host_id: str) -> None:
        self._healing = {key: record for key, record in self._healing.items() if key[0] != host_id}

    def _put(self, place: Place, live: Live) -> None:
        self._remove(place)
        self._live[place] = live
        if live.snapshot.iccid:
            self._holders[live.snapshot.iccid] = place

    def _remove(self, place: Place) -> None:
        before = self._live.pop(place, None)
        if before is not None and before.snapshot.iccid and self._holders.get(before.snapshot.iccid) == place:
            del self._holders[before.snapshot.iccid]


def rearm_pin(row: SimRow) -> None:
    """The card was seen open, or was taken out: its PIN may be tried again at the next lock, unless it is bad."""
    if row.pin_state in {PinTrust.TRYING, PinTrust.HELD}:
        row.pin_state, row.pin_note = PinTrust.STORED, ""


def _seen(row: ModemRow | SimRow, at: datetime) -> None:
    if at - row.last_seen_at > LAST_SEEN_STEP:
        row.last_seen_at = at


def _same_modem(rows: Sequence[ModemRow], imei: str | None) -> ModemRow | None:
    """Which of the modems ever seen in a place this is. Without an IMEI yet: the last one seen there."""
    if imei is None:
        return rows[0] if rows else None
    return next((row for row in rows if row.imei == imei), None) or next(
        (row for row in rows if row.imei is None), None
    )

"""The bank's side of PINs: sealed at rest, tried once at a lock, never again after a refusal."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from modembank.bank.pin_keys import rotate_pin_key
from modembank.bank.records import SimState
from modembank.bank.sim_records import PinTrust
from modembank.bank.vault import Vault
from modembank.bus.bus import refused
from modembank.bus.commands import AnyReply, Done, EnterPin, EnterPuk
from modembank.bus.vocabulary import ModemState
from modembank.config import Settings
from modembank.errors import PinWrongError, RequestError, VaultError, WrongStateError
from modembank.store.database import Database
from modembank.store.sims import all_sims
from tests.support.rack import Rack, running
from tests.support.scripted_host import modem

ICCID, OTHER = "8944000000000000017", "8944000000000000025"
CARD = modem(0)
LOCKED = replace(CARD, state=ModemState.SIM_LOCKED, lock="pin", pin_left=3, puk_left=10, registration="unknown")
EMPTY = replace(CARD, state=ModemState.NO_SIM, iccid=None, imsi=None, number=None, registration="unknown")


def test_what_is_sealed_opens_for_its_card_only(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "deep" / "pin.keys")
    sealed = vault.seal("4711", ICCID)
    assert "4711" not in sealed and sealed != vault.seal("4711", ICCID)
    assert vault.open(sealed, ICCID) == "4711"
    for value, iccid in (
        (sealed, OTHER),
        (sealed[:-8] + "AAAAAAA=", ICCID),
        ("4711", ICCID),
        ("v2" + sealed[2:], ICCID),
    ):
        with pytest.raises(VaultError) as caught:
            vault.open(value, iccid)
        assert "4711" not in str(caught.value)


def test_the_key_file_is_its_owners_only(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "pin.keys")
    with pytest.raises(VaultError, match="cannot be read"):
        vault.open("v1.00000000.AAAA", ICCID)
    assert not vault.path.exists()  # a new key would open nothing
    sealed = vault.seal("4711", ICCID)
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    vault.path.chmod(0o604)
    with pytest.raises(VaultError, match="chmod 600"):
        vault.open(sealed, ICCID)
    vault.path.chmod(0o600)
    vault.path.write_text("c2hvcnQ=\n")
    with pytest.raises(VaultError, match="32 bytes"):
        vault.seal("4711", ICCID)


def test_a_key_is_rotated(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "pin.keys")
    old = vault.seal("4711", ICCID)
    vault.add_key()
    new = vault.seal("4711", ICCID)
    assert vault.open(old, ICCID) == vault.open(new, ICCID) == "4711"
    assert vault.drop_old_keys() == 1
    assert vault.open(new, ICCID) == "4711"
    with pytest.raises(VaultError, match="bring it back"):
        vault.open(old, ICCID)
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["pin.keys"]


@dataclass
class Card:
    """The card in the scripted modem: what it was asked, and what it answers."""

    rack: Rack
    right: str = "4711"
    left: int = 3
    tried: list[tuple[str, int]] = field(default_factory=list)
    answer: Callable[[], Awaitable[AnyReply | None]] | None = None

    async def enter(self, command: EnterPin) -> AnyReply | None:
        if self.left < 3:
            return refused("pin_refused", f"{self.left} tries are left; enter the PIN in a telephone")
        self.tried.append((command.pin, self.left))
        if command.pin != self.right:
            self.left -= 1
            return refused("pin_wrong", f"the card refused the PIN; {self.left} tries are left")
        self.left = 3
        if self.answer is not None:
            return await self.answer()
        self.rack.host.change(CARD)
        return Done()


def put(rack: Rack) -> Card:
    """Put a card with the PIN 4711 into the first modem."""
    card = Card(rack)
    rack.on[EnterPin] = card.enter
    return card


async def settled(rack: Rack) -> None:
    """All that was told is recorded, and no try runs."""
    for _ in range(3):
        await rack.told()
        await asyncio.gather(*rack.bank.pins._running.values())


async def sim_of(rack: Rack):
    await settled(rack)
    listed = (await rack.bank.list_sims(_all())).data
    return next(sim for sim in listed if sim.iccid == CARD.iccid)


def _all():
    from modembank.bank.records import PageQuery

    return PageQuery(limit=100)


async def lock(rack: Rack, **changes) -> None:
    rack.host.change(replace(LOCKED, **changes))
    await settled(rack)


async def test_a_stored_pin_opens_its_card_at_every_insertion(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    stored = await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    assert (stored.pin.state, stored.state) == (PinTrust.STORED, SimState.READY)
    assert card.tried == []
    for insertion in (1, 2):
        await lock(rack)
        assert card.tried == [("4711", 3)] * insertion
        again = await sim_of(rack)
        assert (again.pin.state, again.state, again.lock) == (PinTrust.STORED, SimState.READY, None)
    async with rack.database.read() as session:
        row = next(row for row in await all_sims(session) if row.iccid == CARD.iccid)
    assert row.pin_sealed is not None and "4711" not in row.pin_sealed


async def test_without_a_pin_nothing_is_tried_and_the_lock_is_shown(rack: Rack) -> None:
    card = put(rack)
    await lock(rack, pin_left=2)
    sim = await sim_of(rack)
    assert card.tried == [] and rack.host.asked(EnterPin) == []
    assert (sim.state, sim.lock.kind, sim.lock.pin_left, sim.pin.state) == (SimState.SIM_PIN, "pin", 2, PinTrust.NONE)


async def test_a_wrong_pin_is_never_tried_again_until_a_person_sets_another(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    await rack.bank.pins.set_pin(sim.id, "9753", "key_1")
    await lock(rack)
    assert card.tried == [("9753", 3)]
    refused_sim = await sim_of(rack)
    assert refused_sim.pin.state is PinTrust.BAD and "9753" not in refused_sim.pin.note
    card.left = 3  # whatever the counter says
    for snapshot in (EMPTY, LOCKED, CARD, LOCKED):
        rack.host.change(snapshot)
        await settled(rack)
    assert card.tried == [("9753", 3)]
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    assert card.tried == [("9753", 3), ("4711", 3)]
    assert (await sim_of(rack)).state is SimState.READY


async def test_an_alarm_tells_that_a_card_stays_locked(rack: Rack) -> None:
    put(rack)
    sim = await sim_of(rack)
    stream = rack.bank.events.subscribe()
    await rack.bank.pins.set_pin(sim.id, "9753", "key_1")
    await lock(rack)
    async with asyncio.timeout(10):
        async for event in stream:
            if event.type == "sim.pin_refused":
                break
    assert event.data["state"] == "bad" and "9753" not in str(event.data)
    await stream.aclose()


async def test_fewer_than_three_tries_hold_the_pin_back(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    card.left = 2
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    await lock(rack, pin_left=2)
    held = await sim_of(rack)
    assert (card.tried, held.pin.state) == ([], PinTrust.HELD)
    asked = len(rack.host.asked(EnterPin))
    await lock(rack, pin_left=1)
    assert len(rack.host.asked(EnterPin)) == asked == 1


async def test_a_try_whose_answer_was_lost_is_not_made_twice_over_a_restart(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)

    async def lost() -> AnyReply | None:
        return refused("at_timeout", "no final result code for AT+CPIN within 15 s")

    card.answer = lost
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    await lock(rack)
    assert (await sim_of(rack)).pin.state is PinTrust.HELD
    rack.host.change(replace(CARD, state=ModemState.OPENING, iccid=None))
    await lock(rack)
    assert len(card.tried) == 1
    rack.host.change(EMPTY)
    await settled(rack)
    card.answer = None
    await lock(rack)
    assert len(card.tried) == 2 and (await sim_of(rack)).state is SimState.READY


async def test_a_server_that_dies_in_a_try_does_not_try_again(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    async with rack.database.write() as session:
        row = next(row for row in await all_sims(session) if row.id == sim.id)
        row.pin_state = PinTrust.TRYING
    await rack.bank.pins.start()
    await lock(rack)
    assert card.tried == [] and (await sim_of(rack)).pin.state is PinTrust.HELD


async def test_a_card_without_an_iccid_before_its_pin_is_left_alone(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    await lock(rack, iccid=None)
    assert card.tried == [] and rack.host.asked(EnterPin) == []


async def test_a_pin_is_changed_forgotten_and_never_a_guess(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    for wrong in ("", "123", "123456789", "12a4", "１２３４"):
        with pytest.raises(RequestError):
            await rack.bank.pins.set_pin(sim.id, wrong, "key_1")
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    assert (await rack.bank.pins.clear_pin(sim.id, "key_1")).pin.state is PinTrust.NONE
    await lock(rack)
    assert card.tried == []


async def test_a_puk_is_passed_on_at_a_persons_wish_only(rack: Rack) -> None:
    put(rack)
    sim = await sim_of(rack)
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    with pytest.raises(WrongStateError):
        await rack.bank.pins.enter_puk(sim.id, "87654321", "2580", 10, False, "key_1")
    await lock(rack, lock="puk", pin_left=0, puk_left=10)
    assert (await sim_of(rack)).state is SimState.SIM_PUK
    assert rack.host.asked(EnterPuk) == rack.host.asked(EnterPin) == []

    async def wrong(command: EnterPuk) -> AnyReply:
        return refused("pin_wrong", "the card refused the PUK; 9 tries are left")

    async def right(command: EnterPuk) -> AnyReply:
        assert (command.puk, command.pin, command.tries_left) == ("87654321", "2580", 9)
        rack.host.change(CARD)
        return Done()

    rack.on[EnterPuk] = wrong
    with pytest.raises(PinWrongError):
        await rack.bank.pins.enter_puk(sim.id, "00000000", "2580", 10, True, "key_1")
    rack.on[EnterPuk] = right
    opened = await rack.bank.pins.enter_puk(sim.id, "87654321", "2580", 9, True, "key_1")
    assert opened.pin.state is PinTrust.STORED
    async with rack.database.read() as session:
        row = next(row for row in await all_sims(session) if row.id == sim.id)
    assert Vault(rack.settings.pin_key_file).open(row.pin_sealed, row.iccid) == "2580"
    assert "87654321" not in repr(rack.host.commands) and "2580" not in repr(rack.host.commands)


async def test_all_pins_move_to_a_new_key(rack: Rack) -> None:
    card, sim = put(rack), await sim_of(rack)
    await rack.bank.pins.set_pin(sim.id, "4711", "key_1")
    before = rack.settings.pin_key_file.read_text()
    assert await rotate_pin_key(rack.database, Vault(rack.settings.pin_key_file)) == 1
    assert before not in rack.settings.pin_key_file.read_text()
    await lock(rack)
    assert card.tried == [("4711", 3)]


STEPS = ("set good", "set bad", "lock", "take out", "modem restarts", "server restarts", "answer lost", "somebody errs")


async def play(database: Database, folder: Path, story: list[str]) -> None:
    """One life of a card; the bank may be restarted in it."""
    async with running(database, Settings(data_dir=folder), 1) as rack:
        card, sim = put(rack), await sim_of(rack)
        inserted = 0  # automatic tries since the card came or was open
        for step in story:
            before = len(card.tried)
            by_person = step.startswith("set")
            match step:
                case "set good" | "set bad":
                    await rack.bank.pins.set_pin(sim.id, "4711" if step == "set good" else "9753", "key_1")
                case "lock":
                    await lock(rack, pin_left=card.left)
                case "take out":
                    rack.host.change(EMPTY)
                    inserted = 0
                case "modem restarts":
                    rack.host.change(replace(CARD, state=ModemState.OPENING, iccid=None))
                    await lock(rack, pin_left=card.left)
                case "server restarts":
                    await rack.bank.pins.start()
                case "answer lost":

                    async def lost() -> AnyReply | None:
                        return refused("at_timeout", "no final result code")

                    card.answer = lost
                case "somebody errs":
                    card.left = max(0, card.left - 1)
            await settled(rack)
            tries = len(card.tried) - before
            inserted += 0 if by_person else tries
            opened = (await sim_of(rack)).state is SimState.READY
            assert tries <= 1 and inserted <= 1, (step, card.tried)
            inserted = 0 if opened else inserted
        assert all(left == 3 for _, left in card.tried)
        sets = story.count("set bad")
        assert sum(pin == "9753" for pin, _ in card.tried) <= sets


@given(st.lists(st.sampled_from(STEPS), max_size=10))
@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_story_spends_a_second_try(tmp_path_factory, sqlite_template: Path, story: list[str]) -> None:
    async def run() -> None:
        folder = tmp_path_factory.mktemp("story")
        path = folder / "bank.db"
        path.write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.open()
        try:
            await play(database, folder, story)
        finally:
            await database.close()

    asyncio.run(run())

"""Healing through the front door: each step heals what those below it do not, and every one is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.bank import Json, TestBank, start_bank
from tests.support.healing import PATIENCE, modem_at, place_of, poke, steps, told, wait_state, wait_told
from tests.support.invariants import check_invariants

# What the emulated modem needs, and the step that gives it.
CURES = {"reopen": "reopen", "restart": "restart", "usb": "usb_reset", "power": "port_power"}


async def _heals(bank: TestBank, events: list[Json], index: int, stuck: str) -> None:
    place = await place_of(bank, index)
    await bank.emulator.call("fault", modem=index, name="stuck", value=stuck)
    await poke(bank, index)
    healed = await wait_told(events, place, "modem.healed")
    assert healed["data"]["healing"]["step"] == CURES[stuck], steps(events, place)
    tried = steps(events, place)
    assert tried == list(dict.fromkeys(tried)), "no step was used twice"
    assert tried[0] == "wake"
    assert tried[-1] == CURES[stuck]
    modem = await wait_state(bank, index, "ready")
    assert modem["healing"] is None


async def _is_quarantined(bank: TestBank, events: list[Json], index: int) -> None:
    """No step ends a mute; a person looks at it, and releases it."""
    place = await place_of(bank, index)
    await bank.emulator.call("mute", modem=index, on=True)
    await poke(bank, index)
    quarantined = (await wait_told(events, place, "modem.quarantined"))["data"]["healing"]
    assert "left alone" in quarantined["detail"]
    assert quarantined["until"] is not None
    assert set(steps(events, place)) == {"wake", "reopen", "restart", "usb_reset", "port_power"}
    modem = await wait_state(bank, index, "quarantined")
    assert modem["healing"]["phase"] == "quarantined"
    await bank.emulator.call("mute", modem=index, on=False)
    await bank.post(f"/v1/modems/{modem['id']}/actions/release")
    await wait_told(events, place, "modem.released")
    await wait_state(bank, index, "ready")
    await wait_told(events, place, "modem.healed")


async def _floods(bank: TestBank, events: list[Json], index: int) -> None:
    place = await place_of(bank, index)
    await bank.emulator.call("fault", modem=index, name="urc_flood", value=10_000.0)
    first = await wait_told(events, place, "modem.healing")
    assert first["data"]["healing"]["trouble"] == "noisy"
    await bank.emulator.call("fault", modem=index, name="urc_flood", value=0.0)
    await wait_told(events, place, "modem.healed")
    assert len(told(events, place, "modem.changed")) < 100, "signal news are not told one by one"


async def test_each_step_heals_what_those_below_it_do_not(tmp_path: Path) -> None:
    """Seven modems at once, one of them with a call, which nobody may touch."""
    events: list[Json] = []
    async with start_bank(tmp_path, modems=7, settings=PATIENCE, party_speed=10) as bank:
        async with bank.watching(events):
            well = await modem_at(bank, 0)
            call = await bank.dial(bank.parties["echo"], **{"from": well["sim"]["id"]})
            await bank.wait_status(call["id"], "in_progress")
            refused = await bank.post(f"/v1/modems/{well['id']}/actions/release", status=409)
            assert refused["code"] == "wrong_state"
            await asyncio.gather(
                *(_heals(bank, events, index, stuck) for index, stuck in enumerate(CURES, 1)),
                _is_quarantined(bank, events, 5),
                _floods(bank, events, 6),
            )
            assert not told(events, well["usb_path"], "modem.healing"), "a modem with a call was touched"
            assert (await bank.get(f"/v1/calls/{call['id']}"))["status"] == "in_progress"
        await check_invariants(bank)


async def test_a_modem_without_network_gets_its_radio_switched_off_and_on(tmp_path: Path) -> None:
    events: list[Json] = []
    quick = PATIENCE | {"MODEMBANK_SERIAL__PATIENCE": "0.04"}  # minutes without network are no trouble yet
    async with start_bank(tmp_path, modems=1, settings=quick) as bank, bank.watching(events):
        await bank.emulator.call("fault", modem=0, name="stuck", value="radio")
        place = await place_of(bank, 0)
        await wait_state(bank, 0, "searching")
        await wait_told(events, place, "modem.healed")
        assert "radio" in steps(events, place)
        await wait_state(bank, 0, "ready")

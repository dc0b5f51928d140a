"""What tests of healing share: modems by their number in the emulator, and what was told of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.bank import Json, TestBank, until

# A tenth of every wait: short enough for a test, long enough for a machine that is shared.
PATIENCE = {"MODEMBANK_SERIAL__PATIENCE": "0.1", "MODEMBANK_SERIAL__RESCAN_S": "0.3"}


async def place_of(bank: TestBank, index: int) -> str:
    """The USB path of an emulated modem."""
    return str((await bank.emulator.modem(index))["usb_path"])


async def modem_at(bank: TestBank, index: int) -> Json:
    """The modem as the API shows it."""
    place = await place_of(bank, index)
    listed = (await bank.get("/v1/modems?limit=500"))["data"]
    return next(modem for modem in listed if modem["usb_path"] == place)


async def poke(bank: TestBank, index: int) -> None:
    """Ask the modem something, so that a hang is found now and not at the next look."""
    modem = await modem_at(bank, index)
    async with bank.client() as client:
        await client.post(f"/v1/modems/{modem['id']}/at", json={"line": "AT+CSQ"})


def told(events: Sequence[Json], place: str, *kinds: str) -> list[Json]:
    """The events of these kinds about one modem."""
    return [
        event for event in events if event["type"] in kinds and event["data"].get("modem", {}).get("usb_path") == place
    ]


def steps(events: Sequence[Json], place: str) -> list[str]:
    """The steps that were tried on one modem, in order."""
    return [event["data"]["healing"]["step"] for event in told(events, place, "modem.healing")]


async def wait_told(events: Sequence[Json], place: str, kind: str, *, limit_s: float = 60.0) -> Json:
    """The first event of this kind about a modem."""

    async def look() -> Json | None:
        found = told(events, place, kind)
        return found[0] if found else None

    return await until(look, what=f"{kind} of {place}; steps so far: {steps(events, place)}", limit_s=limit_s)


async def wait_state(bank: TestBank, index: int, *states: str, limit_s: float = 60.0) -> Json:
    """Wait for a modem to be in one of these states."""

    async def look() -> Json | None:
        modem = await modem_at(bank, index)
        return modem if modem["state"] in states else None

    return await until(look, what=f"modem {index} to be {' or '.join(states)}", limit_s=limit_s)

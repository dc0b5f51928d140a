"""Sound cards through the real alsa-lib: frames, its clock, its loss, and what cannot be opened."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modembank.errors import PortBusyError, PortError, PortMissingError
from modembank.media.records import AudioKind, AudioPlace
from modembank.tty import alsa
from modembank.tty.alsa_port import PREFILL_FRAMES, RING_FRAMES, XRUNS_IN_A_ROW, AlsaPort
from modembank.tty.audio import AudioPort
from modembank.tty.sound import open_sound
from tests.support.sound_card import SoundCard

FRAME = 320


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    made = SoundCard(tmp_path / "alsa")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(made.config))
    yield made
    made.unplug()


class Ear:
    """Who hears a port."""

    def __init__(self) -> None:
        self.pcm = b""
        self.lost: list[OSError | None] = []

    def hear(self, data: bytes) -> None:
        self.pcm += data

    def lose(self, error: OSError | None) -> None:
        self.lost.append(error)


def numbered(number: int) -> bytes:
    return bytes([number + 1, 0]) * (FRAME // 2)


async def until(reached: Callable[[], bool], step: Callable[[], None] = lambda: None) -> None:
    async with asyncio.timeout(10):
        while not reached():
            step()
            await asyncio.sleep(0.005)


async def listening(card: SoundCard) -> tuple[AlsaPort, Ear]:
    port = await open_sound(card.place)
    assert isinstance(port, AlsaPort)
    ear = Ear()
    port.start(ear.hear, ear.lose)
    return port, ear


async def test_what_the_card_hears_arrives_whole_and_in_order(card: SoundCard) -> None:
    port, ear = await listening(card)
    for number in range(20):
        card.turn(numbered(number))
        await until(lambda number=number: len(ear.pcm) == FRAME * (number + 1))
    assert ear.pcm == b"".join(numbered(number) for number in range(20))
    assert port.counters.read == 20
    port.close()


async def test_what_is_written_is_played_after_a_cushion_of_silence(card: SoundCard) -> None:
    port, ear = await listening(card)
    said = [numbered(number) for number in range(40)]
    for number, frame in enumerate(said):
        assert port.write(frame) == 1
        card.turn(bytes(FRAME))
        await until(lambda number=number: len(ear.pcm) == FRAME * (number + 1))
    await until(lambda: port.counters.written == 40)
    played = card.heard
    assert len(played) > FRAME * 20, "the plugin keeps some periods back"
    assert (bytes(FRAME * PREFILL_FRAMES) + b"".join(said)).startswith(played)
    port.close()


async def test_what_finds_no_room_is_dropped_and_counted(card: SoundCard) -> None:
    port, ear = await listening(card)
    assert port.write(bytes(FRAME * (RING_FRAMES + 3))) == RING_FRAMES
    assert port.counters.refused == 3
    card.turn(bytes(FRAME))
    await until(lambda: port.counters.written == RING_FRAMES)
    port.pause()
    assert port.write(bytes(FRAME)) == 0
    port.resume()
    assert port.write(bytes(FRAME)) == 1
    assert not ear.lost
    port.close()


async def test_a_card_that_is_unplugged_is_told_once_and_ends_its_thread(card: SoundCard) -> None:
    port, ear = await listening(card)
    card.turn(bytes(FRAME))
    await until(lambda: bool(ear.pcm))
    card.unplug()
    await until(lambda: bool(ear.lost), lambda: (port.write(bytes(FRAME)), None)[1])
    await asyncio.sleep(0.05)
    assert len(ear.lost) == 1
    assert isinstance(ear.lost[0], OSError)
    assert port._thread is not None
    await until(lambda: not port._thread.is_alive())
    assert port.write(bytes(FRAME)) == 0
    with pytest.raises(PortMissingError, match="Android"):
        await open_sound(card.place)


async def test_closing_frees_the_card_and_says_nothing(card: SoundCard) -> None:
    port, ear = await listening(card)
    port.close()
    port.close()
    card.turn(bytes(FRAME))  # ends the read that the thread is in
    assert port._thread is not None
    await until(lambda: not port._thread.is_alive())
    assert ear.lost == []
    unused = await open_sound(card.place)
    before = len(list(Path("/proc/self/fd").iterdir()))
    unused.close()
    assert len(list(Path("/proc/self/fd").iterdir())) < before


async def test_a_card_of_another_rate_is_resampled(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A common USB sound card knows 48 kHz and two channels only."""
    monkeypatch.setattr(alsa, "_shapes", lambda rate_hz: iter([(48_000, 2)]))
    port, ear = await listening(card)
    for _ in range(25):
        card.turn(bytes(3840))
        await asyncio.sleep(0.005)
    await until(lambda: port.counters.read >= 20, lambda: card.turn(bytes(3840)))
    assert len(ear.pcm) == FRAME * port.counters.read
    port.write(bytes(FRAME))
    await until(lambda: port.counters.written == 1, lambda: card.turn(bytes(3840)))
    port.close()


def failing(monkeypatch: pytest.MonkeyPatch, function: str, number: int, times: int) -> None:
    """Let libasound's own function fail with an error number, so many times, after its first two calls."""
    library = alsa._library()
    real, calls = getattr(library, function), iter(range(1 << 30))

    def call(*arguments: object) -> int:
        return -number if 2 <= next(calls) < 2 + times else real(*arguments)

    monkeypatch.setattr(library, function, call)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ESTRPIPE], ids=["overrun", "suspended"])
async def test_a_card_that_ran_over_goes_on(card: SoundCard, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    failing(monkeypatch, "snd_pcm_readi", number, 3)
    port, ear = await listening(card)
    await until(lambda: port.counters.read >= 5, lambda: card.turn(bytes(FRAME)))
    assert port.counters.xruns == 3
    assert ear.lost == []
    port.close()


async def test_a_card_that_ran_dry_gets_its_cushion_again(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "snd_pcm_writei", errno.EPIPE, 1)  # after the first cushion and one frame
    port, ear = await listening(card)
    said = [numbered(number) for number in range(40)]
    for frame in said:
        written = port.counters.written
        port.write(frame)
        await until(lambda written=written: port.counters.written > written, lambda: card.turn(bytes(FRAME)))
    cushion = bytes(FRAME * PREFILL_FRAMES)
    assert (cushion + said[0] + cushion + b"".join(said[1:])).startswith(card.heard)
    assert len(card.heard) > 20 * FRAME
    assert (port.counters.xruns, ear.lost) == (1, [])
    port.close()


async def test_a_card_that_does_nothing_but_run_over_is_lost(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "snd_pcm_readi", errno.EPIPE, 1 << 20)
    port, ear = await listening(card)
    await until(lambda: bool(ear.lost), lambda: card.turn(bytes(FRAME)))
    assert port.counters.xruns == XRUNS_IN_A_ROW


async def test_a_card_that_is_gone_in_the_middle_of_a_read_is_lost(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "snd_pcm_readi", errno.ENODEV, 1)
    port, ear = await listening(card)
    await until(lambda: bool(ear.lost), lambda: card.turn(bytes(FRAME)))
    assert [error.errno for error in ear.lost if error] == [errno.ENODEV]
    assert port.write(bytes(FRAME)) == 0


async def test_a_card_that_is_held_for_a_moment_is_waited_for(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    library = alsa._library()
    real, tries = library.snd_pcm_open, []

    def busy_twice(*arguments: object) -> int:
        tries.append(arguments)
        return -errno.EBUSY if len(tries) <= 2 else real(*arguments)

    monkeypatch.setattr(library, "snd_pcm_open", busy_twice)
    port = await open_sound(card.place)
    port.close()
    assert len(tries) == 4, "two in vain, then both directions"
    monkeypatch.setattr(library, "snd_pcm_open", lambda *_: -errno.EBUSY)
    with pytest.raises(PortBusyError, match="held by another program"):
        await open_sound(card.place)


async def test_wide_frames(card: SoundCard) -> None:
    port = await open_sound(replace(card.place, rate_hz=16_000))
    ear = Ear()
    port.start(ear.hear, ear.lose)
    assert port.frame_bytes == 640
    card.turn(bytes(640))
    await until(lambda: len(ear.pcm) == 640)
    port.close()


async def test_a_card_that_nobody_knows_is_missing(card: SoundCard) -> None:
    with pytest.raises(PortMissingError, match="CARD=None"):
        await open_sound(AudioPlace("hw:CARD=None", kind=AudioKind.ALSA))


async def test_a_name_that_alsa_cannot_read_is_an_error_of_the_port(card: SoundCard) -> None:
    with pytest.raises(PortError):
        await open_sound(AudioPlace("no such plugin", kind=AudioKind.ALSA))


async def test_without_the_library_the_error_says_what_to_install(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    alsa._library.cache_clear()
    monkeypatch.setattr(alsa, "_LIBRARY", "libnone.so.2")
    try:
        with pytest.raises(PortError, match="libasound2"):
            await open_sound(card.place)
    finally:
        alsa._library.cache_clear()


async def test_a_tty_comes_by_the_same_door(tmp_path: Path) -> None:
    master, slave = os.openpty()
    port = await open_sound(AudioPlace(os.ttyname(slave)))
    assert isinstance(port, AudioPort)
    port.close()
    os.close(master)
    os.close(slave)

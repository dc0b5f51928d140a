"""The audio tty on a real pty: whole frames whatever comes, and a write that never waits."""

from __future__ import annotations

import contextlib
import os
import pty
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from modembank.errors import PortBusyError, PortError, PortMissingError
from modembank.media.records import FRAME_BYTES
from modembank.tty.audio import AudioPort
from tests.support.media_call import until


class Line:
    """The modem's end of a pty."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(self.master)
        os.set_blocking(self.master, False)
        self.path = Path(os.ttyname(slave))
        self.slave = slave

    def close(self) -> None:
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
        self.master = self.slave = -1


@pytest.fixture
def line() -> Iterator[Line]:
    one = Line()
    yield one
    one.close()


class Ear:
    def __init__(self) -> None:
        self.data = b""
        self.lost: list[OSError | None] = []

    def pcm(self, data: bytes) -> None:
        assert len(data) % FRAME_BYTES == 0
        self.data += data


def numbered(frames: int) -> bytes:
    return b"".join(bytes([n % 251]) * FRAME_BYTES for n in range(frames))


@pytest.mark.parametrize("chunk", [1, 7, 319, 320, 321, 640, 1600])
async def test_frames_are_whole_whatever_the_reads(line: Line, chunk: int) -> None:
    port, ear = AudioPort(line.path), Ear()
    port.start(ear.pcm, ear.lost.append)
    data = numbered(6)
    for start in range(0, len(data), chunk):
        os.write(line.master, data[start : start + chunk])
        if start % 29 == 0:
            wanted = (start + chunk) // FRAME_BYTES * FRAME_BYTES
            await until(lambda wanted=wanted: len(ear.data) >= min(wanted, len(data)))  # type: ignore[misc]
    await until(lambda: len(ear.data) == len(data))
    assert ear.data == data
    assert port.counters.read == 6
    port.close()


async def test_bytes_pass_without_translation_both_ways(line: Line) -> None:
    port, ear = AudioPort(line.path), Ear()
    port.start(ear.pcm, ear.lost.append)
    every = bytes(range(256)) + bytes(64)
    os.write(line.master, every)
    await until(lambda: len(ear.data) == len(every))
    assert ear.data == every
    assert port.write(every) == 1
    assert os.read(line.master, 4096) == every
    port.close()


async def test_what_lay_in_the_port_before_is_thrown_away(line: Line) -> None:
    tty.setraw(line.slave)
    os.write(line.master, b"old" * 1000)
    port, ear = AudioPort(line.path), Ear()
    port.start(ear.pcm, ear.lost.append)
    os.write(line.master, numbered(2))
    await until(lambda: len(ear.data) >= 2 * FRAME_BYTES)
    assert ear.data == numbered(2)
    port.close()


async def test_a_full_driver_drops_whole_frames_and_counts_them(line: Line) -> None:
    port = AudioPort(line.path)
    data = numbered(100)
    taken = sum(port.write(data[i : i + 3 * FRAME_BYTES]) for i in range(0, len(data), 3 * FRAME_BYTES))
    assert 0 < taken < 100
    assert port.counters.written == taken
    assert port.counters.refused == 100 - taken
    got = bytearray()

    def drained() -> bool:
        with contextlib.suppress(BlockingIOError):
            got.extend(os.read(line.master, 65536))
        return port.write(bytes([252]) * FRAME_BYTES) == 1

    await until(drained)

    def complete() -> bool:
        with contextlib.suppress(BlockingIOError):
            got.extend(os.read(line.master, 65536))
        return len(got) >= FRAME_BYTES * (taken + 1)

    await until(complete)
    assert len(got) == FRAME_BYTES * (taken + 1)
    for start in range(0, len(got), FRAME_BYTES):
        assert len(set(got[start : start + FRAME_BYTES])) == 1, "no frame was cut"
    port.close()


async def test_a_paused_port_takes_nothing(line: Line) -> None:
    port = AudioPort(line.path)
    port.pause()
    assert port.write(numbered(2)) == 0
    assert port.counters.refused == 2
    port.resume()
    assert port.write(numbered(2)) == 2
    port.close()


async def test_a_device_that_goes_away_is_reported_once(line: Line) -> None:
    port, ear = AudioPort(line.path), Ear()
    port.start(ear.pcm, ear.lost.append)
    line.close()
    await until(lambda: len(ear.lost) == 1)
    assert port.write(numbered(1)) == 0
    port.close()
    assert len(ear.lost) == 1


async def test_ports_that_cannot_be_taken(line: Line, tmp_path: Path) -> None:
    port = AudioPort(line.path)
    with pytest.raises(PortBusyError):
        AudioPort(line.path)
    port.close()
    port.close()
    AudioPort(line.path).close()
    with pytest.raises(PortMissingError):
        AudioPort(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(PortError, match="no terminal"):
        AudioPort(tmp_path / "file")


async def test_the_terminal_is_raw(line: Line) -> None:
    port = AudioPort(line.path)
    attributes = termios.tcgetattr(line.slave)
    assert attributes[0] == attributes[1] == attributes[3] == 0
    port.close()

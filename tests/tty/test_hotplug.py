"""Events about devices wake the rescan; without them, time does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from modembank.tty.hotplug import HotplugWatch, open_uevents

TTY = b"add@/devices/pci0000:00/usb1/1-1/1-1:1.2/ttyUSB0/tty/ttyUSB0\0ACTION=add\0SUBSYSTEM=tty\0DEVNAME=ttyUSB0\0"
OTHER = b"change@/devices/system/cpu/cpu0\0ACTION=change\0SUBSYSTEM=cpu\0"


@pytest.fixture
def kernel() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


async def test_a_burst_about_ports_is_one_change(kernel: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = kernel
    watch = HotplugWatch(ours)
    waiting = asyncio.create_task(watch.wait(30))
    await asyncio.sleep(0)
    for _ in range(5):
        theirs.send(TTY)
    assert await waiting
    assert not await watch.wait(0.01)
    watch.close()
    watch.close()
    assert not watch.listens


async def test_news_of_other_things_wakes_nobody(kernel: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = kernel
    watch = HotplugWatch(ours)
    theirs.send(OTHER)
    assert not await watch.wait(0.2)
    theirs.send(TTY)
    assert await watch.wait(30)
    watch.close()


async def test_without_a_socket_time_passes() -> None:
    watch = HotplugWatch(None)
    assert not watch.listens
    assert not await watch.wait(0.01)
    watch.close()


async def test_the_kernels_socket_opens_or_is_said_to_be_missing() -> None:
    watch = HotplugWatch(open_uevents())
    assert not await watch.wait(0.01) or watch.listens
    watch.close()

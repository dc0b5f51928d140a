"""The loop that serves audio from inside the selector is still a whole asyncio loop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from modembank.media.reactor import MediaLoop, add_direct_reader, remove_direct_reader

LOOPS = pytest.mark.parametrize("make_loop", [MediaLoop, asyncio.SelectorEventLoop], ids=["media", "plain"])


def run(make_loop: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(asyncio.wait_for(work, 30))


@LOOPS
def test_a_reader_gets_every_datagram_in_order(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def work() -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.setblocking(False)
        seen: list[bytes] = []
        done = asyncio.Event()

        def read() -> None:
            seen.append(near.recv(100))
            if len(seen) == 100:
                done.set()

        add_direct_reader(near.fileno(), read)
        for number in range(100):
            far.send(b"%d" % number)
            if number % 7 == 0:
                await asyncio.sleep(0)
        await done.wait()
        assert seen == [b"%d" % number for number in range(100)]
        remove_direct_reader(near.fileno())
        far.send(b"unread")
        await asyncio.sleep(0.05)
        assert len(seen) == 100
        near.close()
        far.close()

    run(make_loop, work())


def test_timers_and_other_descriptors_have_their_turn_in_a_flood() -> None:
    async def work() -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.setblocking(False)
        far.setblocking(False)
        reads = 0

        def read() -> None:
            nonlocal reads
            near.recv(100)
            reads += 1
            far.send(b"again")  # there is always something to read

        add_direct_reader(near.fileno(), read)
        far.send(b"first")
        loop = asyncio.get_running_loop()
        fired = asyncio.Event()
        loop.call_later(0.02, fired.set)
        await fired.wait()
        source, sink = os.pipe()
        os.set_blocking(source, False)
        told = asyncio.Event()
        loop.add_reader(source, told.set)
        os.write(sink, b"x")
        await told.wait()
        loop.remove_reader(source)
        assert await asyncio.to_thread(lambda: "from a thread") == "from a thread"
        assert reads > 100
        remove_direct_reader(near.fileno())
        for thing in (near, far):
            thing.close()
        os.close(source)
        os.close(sink)

    run(MediaLoop, work())


def test_what_a_reader_schedules_happens_without_another_event() -> None:
    async def work() -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.setblocking(False)
        loop = asyncio.get_running_loop()
        soon, later = asyncio.Event(), asyncio.Event()

        def read() -> None:
            near.recv(100)
            loop.call_soon(soon.set)
            loop.call_later(0.01, later.set)

        add_direct_reader(near.fileno(), read)
        far.send(b"x")
        await soon.wait()
        await later.wait()
        remove_direct_reader(near.fileno())
        near.close()
        far.close()

    run(MediaLoop, work())


def test_a_reader_that_fails_is_reported_and_the_loop_goes_on() -> None:
    async def work() -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.setblocking(False)
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        good = asyncio.Event()

        def read() -> None:
            if near.recv(100) == b"bad":
                raise ValueError("bad frame")
            good.set()

        add_direct_reader(near.fileno(), read)
        far.send(b"bad")
        far.send(b"good")
        await good.wait()
        assert [str(error) for error in reported] == ["bad frame"]
        remove_direct_reader(near.fileno())
        near.close()
        far.close()

    run(MediaLoop, work())


def test_a_closed_transport_takes_its_reader_along() -> None:
    """The kernel gives descriptor numbers away again: a stale reader would eat a stranger's data."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        number = transport.get_extra_info("socket").fileno()
        add_direct_reader(number, lambda: pytest.fail("the stale reader was called"))
        transport.close()
        await asyncio.sleep(0.01)
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        if near.fileno() != number:
            os.dup2(near.fileno(), number)
            near.close()
            near = socket.socket(fileno=number)
        heir = near
        reader, writer = await asyncio.open_connection(sock=heir)
        far.send(b"for the heir")
        assert await reader.readexactly(12) == b"for the heir"
        writer.close()
        await writer.wait_closed()
        far.close()

    run(MediaLoop, work())

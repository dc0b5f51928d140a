"""The audio thread beside a loop that stands still."""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import pty
import socket
import termios
import time
import tty

import pytest

from modembank.errors import MediaError
from modembank.plane import binding
from modembank.plane.binding import Note
from modembank.plane.line import Plane, PlaneLine, content
from modembank.webrtc.internals import srtp_functions

RING = 2048  # core/line.h MAX_NOTES


def wait_until_read(sock: socket.socket) -> None:
    """Until the thread has taken all that the kernel holds, so that the kernel drops nothing."""
    until_s = time.monotonic() + 10
    while array.array("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0\0\0\0"))[0]:
        assert time.monotonic() < until_s, "the audio thread reads nothing"
        time.sleep(0.001)
    time.sleep(0.001)  # it may hold the last one in its hand


async def test_what_finds_the_ring_full_is_counted_and_the_rest_comes_in_order() -> None:
    heard: list[bytes] = []

    def on_note(note: Note) -> None:
        assert note.kind == binding.NOTE_DATAGRAM
        heard.append(content(note))

    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(slave, False)
    receiver, sender = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    receiver.bind(("127.0.0.1", 0))
    plane = Plane(srtp_functions())
    try:
        line = PlaneLine(plane, slave, samples=160, ringback=b"", comfort=b"", ring=False, on_note=on_note)
        line.add_socket(receiver.fileno())
        for number in range(RING + 500):  # the loop has no turn meanwhile
            sender.sendto(b"\0" + number.to_bytes(4, "big"), receiver.getsockname())
            if number % 50 == 0:
                wait_until_read(receiver)
        wait_until_read(receiver)
        lost = plane.notes_lost
        assert lost in (499, 500), "all but what the ring holds; the last may still be on its way"
        async with asyncio.timeout(5):
            while len(heard) < RING:
                await asyncio.sleep(0)
        assert heard == [b"\0" + number.to_bytes(4, "big") for number in range(RING)]
        sender.sendto(b"\0next", receiver.getsockname())
        async with asyncio.timeout(5):
            while heard[-1] != b"\0next":
                await asyncio.sleep(0.001)
        assert plane.notes_lost == lost
        line.close()
        with pytest.raises(MediaError):
            line.add_socket(receiver.fileno())
    finally:
        plane.close()
        for fd in (master, slave):
            os.close(fd)
        receiver.close()
        sender.close()

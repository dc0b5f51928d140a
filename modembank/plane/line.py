"""The plane as asyncio sees it: lines that are opened, told what to do, and heard of through notes.

Nothing here may be called from another thread than the loop's. The C side has one lock; a call waits for one batch
of packets at most, some hundred microseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import secrets
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from modembank.errors import MediaError
from modembank.plane import binding
from modembank.plane.binding import Codec, Facts, Note, PlayoutFacts, SrtpFunctions, StreamFacts

_NOTES_A_TURN = 256
"""So many at once, then the loop has its turn; what is left makes the descriptor readable again."""


def content(note: Note) -> bytes:
    """Return what a note carries."""
    return ctypes.string_at(ctypes.addressof(note) + Note.data.offset, note.length)


class Phase(IntEnum):
    """As `core/line.h` numbers the phases of a call."""

    DIALING = 0
    ALERTING = 1
    TALKING = 2
    HELD = 3


class LineFlow(Protocol):
    """What uses a line for its far side."""

    def end(self) -> None:
        """The line closes."""
        ...


class Plane:
    """The audio thread of this process, and the notes that it sends up to one event loop."""

    def __init__(self, srtp: SrtpFunctions) -> None:
        """Start the thread; the running loop hears of it.

        Raises:
            MediaError: the library is not there, or the thread could not be started.
        """
        self._core = binding.load()
        handle = self._core.plane_open(ctypes.byref(srtp))
        if not handle:
            raise MediaError("the audio thread could not be started: no memory, descriptors or threads are left")
        self._handle: int | None = handle
        self._note = Note()
        self._lines: dict[int, PlaneLine] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._core.plane_note_fd(handle), self._notes)

    def close(self) -> None:
        """Close what lines there are and end the thread; idempotent."""
        if self._handle is None:
            return
        for line in list(self._lines.values()):
            line.close()
        self._loop.remove_reader(self._core.plane_note_fd(self._handle))
        self._core.plane_close(self._handle)
        self._handle = None

    @property
    def notes_lost(self) -> int:
        """Notes that found the ring full because the loop stood still: 2048 of them wait at most."""
        return int(self._core.plane_notes_lost(self._handle)) if self._handle is not None else 0

    def call(self, function: str, *arguments: object) -> int:
        """Call one of the C functions that take the plane first.

        Raises:
            MediaError: it failed; with the system's words.
        """
        result = int(getattr(self._core, function)(self._handle, *arguments))
        if result < 0:
            raise MediaError(f"{function} failed: {os.strerror(-result)}")
        return result

    def enter(self, number: int, line: PlaneLine) -> None:
        """Notes of this line go to it from now on."""
        self._lines[number] = line

    def leave(self, number: int) -> None:
        """The line is closed."""
        self._lines.pop(number, None)

    def _notes(self) -> None:
        note = self._note
        for _ in range(_NOTES_A_TURN):
            if not self._core.plane_next(self._handle, ctypes.byref(note)):
                return
            line = self._lines.get(note.line)
            if line is not None:
                line.on_note(note)
            if self._handle is None:
                return  # closed by what it heard


class PlaneLine:
    """One modem's audio port in the plane, until it is closed."""

    def __init__(
        self,
        plane: Plane,
        tty: int,
        *,
        samples: int,
        ringback: bytes,
        comfort: bytes,
        ring: bool,
        on_note: Callable[[Note], None],
    ) -> None:
        """Take an open, raw, non-blocking tty, which the caller closes after `close()`.

        Args:
            plane: whose thread serves it.
            tty: its descriptor.
            samples: per 20 ms frame, 160 or 320.
            ringback: whole frames, to be repeated while the far phone rings; may be empty.
            comfort: whole frames for a held far side.
            ring: whether ringback is given at all.
            on_note: hears of this line; what it is given is valid until it returns.

        Raises:
            MediaError: there are 4096 lines already, or the system refused.
        """
        self.ssrc = secrets.randbits(32)
        self.on_note = on_note
        self.flow: LineFlow | None = None
        """Who is attached at present."""
        self._plane = plane
        self._sounds = (ringback, comfort)  # the thread reads them in place
        frame = 2 * samples
        self._number = plane.call(
            "plane_line_open", tty, samples, ringback, len(ringback) // frame, comfort, len(comfort) // frame,
            int(ring), self.ssrc, secrets.randbits(32),
        )  # fmt: skip
        self._open = True
        facts, playout = ctypes.POINTER(Facts)(), ctypes.POINTER(PlayoutFacts)()
        stream = ctypes.POINTER(StreamFacts)()
        where = (ctypes.byref(facts), ctypes.byref(playout), ctypes.byref(stream))
        plane.call("plane_line_counters", self._number, *where)
        self.facts: Facts = facts.contents
        self.playout: PlayoutFacts = playout.contents
        self.stream: StreamFacts = stream.contents
        plane.enter(self._number, self)

    def close(self) -> None:
        """Let go of everything; the counters stay as they were. Idempotent."""
        if not self._open:
            return
        if self.flow is not None:
            self.flow.end()
        self._open = False
        self.facts = Facts.from_buffer_copy(self.facts)
        self.playout = PlayoutFacts.from_buffer_copy(self.playout)
        self.stream = StreamFacts.from_buffer_copy(self.stream)
        self._plane.leave(self._number)
        self._call("plane_line_close")

    def phase(self, phase: Phase) -> None:
        """What the call is doing."""
        self._call_if_open("plane_line_phase", int(phase))

    def mute(self, on: bool) -> None:
        """Silence instead of the far side's voice."""
        self._call_if_open("plane_line_mute", int(on))

    def modem_ready(self, ready: bool) -> None:
        """The modem's flow control."""
        self._call_if_open("plane_line_flow", int(ready))

    def attach(self, codec: Codec, events: frozenset[int], srtp: tuple[int, int], sequence: int) -> None:
        """A far side begins; a former one's sockets are let go of.

        Args:
            codec: its payloads; what it points to must live until `detach`.
            events: the payload types of telephone-event.
            srtp: the addresses of both sessions (in, out); nobody else may use them until `detach`.
            sequence: of the first packet, 0 to 65535.
        """
        marks = bytes(number in events for number in range(128))
        self._call_if_open("plane_far_attach", ctypes.byref(codec), marks, *srtp, sequence)

    def attach_by_frames(self) -> None:
        """A far side begins whose packets are made and read elsewhere: `NOTE_FRAME` and `frame` join it to the line."""
        self._call_if_open("plane_far_by_frames")

    def frame(self, position: int, pcm: bytes) -> None:
        """One frame of such a far side, and its place in the stream."""
        self._call_if_open("plane_far_frame", position, pcm)

    def missing(self, position: int) -> bool:
        """Return whether a recovered frame would still be of use."""
        return self._open and bool(self._call("plane_far_missing", position))

    def new_source(self) -> None:
        """Such a far side begins a new stream."""
        self._call_if_open("plane_far_source")

    def add_socket(self, fd: int) -> int:
        """Read this UDP socket from now on, by a duplicate; return its index for `target`."""
        return self._call("plane_far_socket", fd)

    def target(self, index: int, host: str, port: int) -> None:
        """Send by this socket to this address; -1: as relay notes.

        Raises:
            MediaError: no numeric address, or no such socket.
        """
        self._call("plane_far_target", index, host.encode(), port)

    def datagram(self, data: bytes) -> None:
        """Take a datagram that something else has read."""
        self._call_if_open("plane_far_datagram", data, len(data))

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound packet; nothing happens without a far side."""
        if self._open:
            self._plane.call("plane_far_rtcp", self._number, packet, len(packet))

    def detach(self) -> None:
        """The far side is over; its SRTP sessions are not touched any more when this returns."""
        self._call_if_open("plane_far_detach")

    def _call(self, function: str, *arguments: object) -> int:
        return self._plane.call(function, self._number, *arguments)

    def _call_if_open(self, function: str, *arguments: object) -> None:
        if self._open:
            self._call(function, *arguments)

"""The shared library as ctypes sees it. The structures repeat `core/plane.h` and `core/line.h`, field by field."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char, c_char_p, c_double, c_int, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_void_p
from functools import cache

from modembank.errors import MediaError
from modembank.plane.build import LIBRARY

VERSION = 2

MAX_PACKET = 2048
MAX_PUT = 8

NOTE_DATAGRAM, NOTE_RTCP, NOTE_EVENT, NOTE_EARLY, NOTE_PORT_LOST, NOTE_RELAY, NOTE_FRAME = range(1, 8)


class SrtpFunctions(ctypes.Structure):
    """libsrtp's four functions, wherever the process has them."""

    _fields_ = (
        ("protect", c_void_p),
        ("unprotect", c_void_p),
        ("protect_rtcp", c_void_p),
        ("unprotect_rtcp", c_void_p),
    )


class Codec(ctypes.Structure):
    """How one far side's payloads are made and read."""

    _fields_ = (
        ("kind", c_int),
        ("number", c_int),
        ("samples", c_int),
        ("step", c_int),
        ("clock_hz", c_int),
        ("encoder", c_void_p),
        ("decoder", c_void_p),
        ("opus_encode", c_void_p),
        ("opus_decode", c_void_p),
    )


class Note(ctypes.Structure):
    """What the plane leaves to Python."""

    _fields_ = (
        ("line", c_int32),
        ("kind", c_int32),
        ("socket", c_int32),
        ("length", c_int32),
        ("value", c_uint32),
        ("port", c_uint32),
        ("host", c_char * 48),
        ("data", c_uint8 * MAX_PACKET),
    )


class Facts(ctypes.Structure):
    """A line's counters, in frames and packets; times are CLOCK_MONOTONIC seconds."""

    _fields_ = (
        ("last_read_s", c_double),
        ("frames_read", c_int64),
        ("frames_written", c_int64),
        ("frames_refused", c_int64),
        ("stalls", c_int64),
        ("stalled", c_int64),
        ("sent_packets", c_int64),
        ("sent_octets", c_int64),
        ("unsent", c_int64),
        ("rejected", c_int64),
        ("out_timestamp", c_int64),
        ("levels", c_int64),
        ("rms_to_far", c_int64),
        ("rms_from_far", c_int64),
    )


class PlayoutFacts(ctypes.Structure):
    """The counters at the head of a playout: see `media.playout.PlayoutCounters`."""

    _fields_ = (
        ("written", c_int64),
        ("concealed", c_int64),
        ("late", c_int64),
        ("dropped", c_int64),
        ("underruns", c_int64),
        ("level", c_int64),
    )


class StreamFacts(ctypes.Structure):
    """The counters at the head of a received stream: see `media.rtp.ReceiveCounter`. `ssrc` is -1 before the first."""

    _fields_ = (
        ("received", c_int64),
        ("octets", c_int64),
        ("cycles", c_int64),
        ("base", c_int64),
        ("highest", c_int64),
        ("ssrc", c_int64),
        ("jitter", c_double),
        ("unknown", c_int64),
    )


class StreamUser(ctypes.Structure):
    """Who gets what a stream brings; the lines have their own, this is for the tests."""

    FRAME = ctypes.CFUNCTYPE(None, c_void_p, c_int64, c_void_p)
    MISSING = ctypes.CFUNCTYPE(c_int, c_void_p, c_int64)
    EVENT = ctypes.CFUNCTYPE(None, c_void_p, c_uint32, c_void_p, c_int)
    NEW_SOURCE = ctypes.CFUNCTYPE(None, c_void_p)

    _fields_ = (
        ("line", c_void_p),
        ("frame", FRAME),
        ("missing", MISSING),
        ("event", EVENT),
        ("new_source", NEW_SOURCE),
    )


_PLANE, _PLAYOUT, _STREAM = c_void_p, c_void_p, c_void_p

_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "plane_version": (c_int, ()),
    "plane_open": (_PLANE, (POINTER(SrtpFunctions),)),
    "plane_close": (None, (_PLANE,)),
    "plane_note_fd": (c_int, (_PLANE,)),
    "plane_next": (c_int, (_PLANE, POINTER(Note))),
    "plane_notes_lost": (c_int64, (_PLANE,)),
    "plane_line_open": (
        c_int,
        (_PLANE, c_int, c_int, c_char_p, c_int, c_char_p, c_int, c_int, c_uint32, c_uint32),
    ),
    "plane_line_close": (c_int, (_PLANE, c_int)),
    "plane_line_counters": (
        c_int,
        (_PLANE, c_int, POINTER(POINTER(Facts)), POINTER(POINTER(PlayoutFacts)), POINTER(POINTER(StreamFacts))),
    ),
    "plane_line_phase": (c_int, (_PLANE, c_int, c_int)),
    "plane_line_mute": (c_int, (_PLANE, c_int, c_int)),
    "plane_line_flow": (c_int, (_PLANE, c_int, c_int)),
    "plane_far_attach": (c_int, (_PLANE, c_int, POINTER(Codec), c_char_p, c_void_p, c_void_p, c_uint16)),
    "plane_far_by_frames": (c_int, (_PLANE, c_int)),
    "plane_far_frame": (c_int, (_PLANE, c_int, c_int64, c_char_p)),
    "plane_far_source": (c_int, (_PLANE, c_int)),
    "plane_far_missing": (c_int, (_PLANE, c_int, c_int64)),
    "plane_far_socket": (c_int, (_PLANE, c_int, c_int)),
    "plane_far_target": (c_int, (_PLANE, c_int, c_int, c_char_p, c_int)),
    "plane_far_datagram": (c_int, (_PLANE, c_int, c_char_p, c_int)),
    "plane_far_rtcp": (c_int, (_PLANE, c_int, c_char_p, c_int)),
    "plane_far_detach": (c_int, (_PLANE, c_int)),
    "plane_playout_new": (_PLAYOUT, (c_int,)),
    "plane_playout_free": (None, (_PLAYOUT,)),
    "plane_playout_frame": (c_int, (_PLAYOUT, c_int64, c_char_p, c_void_p)),
    "plane_playout_tick": (c_int, (_PLAYOUT, c_int64, c_void_p)),
    "plane_playout_refused": (None, (_PLAYOUT, c_int64)),
    "plane_playout_restart": (None, (_PLAYOUT,)),
    "plane_playout_new_source": (None, (_PLAYOUT,)),
    "plane_playout_missing": (c_int, (_PLAYOUT, c_int64)),
    "plane_stream_new": (_STREAM, ()),
    "plane_stream_free": (None, (_STREAM,)),
    "plane_stream_take": (
        None,
        (_STREAM, POINTER(Codec), c_char_p, POINTER(StreamUser), c_char_p, c_int, c_double),
    ),
    "plane_g711": (None, (c_int, c_int, c_char_p, c_int, c_void_p)),
}


@cache
def load() -> ctypes.CDLL:
    """Return the library.

    Raises:
        MediaError: it was never built here, or it belongs to other sources.
    """
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError as error:
        raise MediaError(
            "the audio plane was not built on this machine: install gcc and libc6-dev and run `make setup`, "
            "or leave media.engine at auto for the Python path"
        ) from error
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    if library.plane_version() != VERSION:
        raise MediaError("the audio plane was built from other sources: run `make setup`")
    return library


def available() -> bool:
    """Return whether this machine has the library."""
    try:
        load()
    except MediaError:
        return False
    return True

"""libasound by ctypes: as much of it as one telephone line needs.

pyalsaaudio comes as source that wants a compiler and headers, and PortAudio knows neither the names of cards nor their
loss; the library's own interface is stable since 1.0 and on every Debian, so a dozen functions are declared here.
Source: alsa-lib 1.2 `pcm.h`, and its PCM interface's manual (states, xruns).
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from enum import IntEnum
from functools import cache

from modembank.errors import PortError

PERIODS = 10
"""A buffer of 200 ms: what a busy machine may oversleep before a card runs over or dry."""

_LIBRARY = "libasound.so.2"
_NONBLOCK = 1
_INTERLEAVED = 3  # SND_PCM_ACCESS_RW_INTERLEAVED
_S16_LE = 2
_CARD_RATES_HZ = (48_000, 44_100)
"""What cards run at that cannot run at the line's own rate."""

_ErrorHandler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
_QUIET = _ErrorHandler(lambda *_: None)
"""alsa-lib writes to stderr by itself; what it means comes back as an error number too."""


class Direction(IntEnum):
    """`snd_pcm_stream_t`."""

    PLAYBACK = 0
    CAPTURE = 1


@cache
def _library() -> ctypes.CDLL:
    try:
        lib = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise PortError(f"{_LIBRARY} was not found: install the package libasound2 to use sound cards") from error
    pointer, c_int, samples = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulong
    near = [pointer, pointer, ctypes.POINTER(samples), ctypes.POINTER(c_int)]
    declared = {
        "snd_strerror": [c_int],
        "snd_pcm_open": [ctypes.POINTER(pointer), ctypes.c_char_p, c_int, c_int],
        "snd_pcm_close": [pointer],
        "snd_pcm_nonblock": [pointer, c_int],
        "snd_pcm_prepare": [pointer],
        "snd_pcm_readi": [pointer, pointer, samples],
        "snd_pcm_writei": [pointer, ctypes.c_char_p, samples],
        "snd_pcm_hw_params_malloc": [ctypes.POINTER(pointer)],
        "snd_pcm_hw_params_free": [pointer],
        "snd_pcm_hw_params_any": [pointer, pointer],
        "snd_pcm_hw_params_set_access": [pointer, pointer, c_int],
        "snd_pcm_hw_params_set_format": [pointer, pointer, c_int],
        "snd_pcm_hw_params_set_channels": [pointer, pointer, ctypes.c_uint],
        "snd_pcm_hw_params_set_rate": [pointer, pointer, ctypes.c_uint, c_int],
        "snd_pcm_hw_params_set_period_size_near": near,
        "snd_pcm_hw_params_set_buffer_size_near": near[:3],
        "snd_pcm_hw_params": [pointer, pointer],
    }
    for name, arguments in declared.items():
        getattr(lib, name).argtypes = arguments
    lib.snd_strerror.restype = ctypes.c_char_p
    lib.snd_pcm_readi.restype = lib.snd_pcm_writei.restype = ctypes.c_long
    lib.snd_lib_error_set_handler(_QUIET)
    return lib


class AlsaPcm:
    """One direction of a sound card, 16 bit. Its methods block, at most for one period; one thread owns it."""

    def __init__(self, name: str, direction: Direction, rate_hz: int) -> None:
        """Open and set up; `rate_hz` mono if the card can, else two channels, else the card's own rate.

        Raises:
            OSError: the card is missing, held, or takes none of that; with its number.
            PortError: there is no libasound.
        """
        self._lib = _library()
        self._pcm = ctypes.c_void_p()
        _check(self._lib.snd_pcm_open(ctypes.byref(self._pcm), name.encode(), direction, _NONBLOCK))
        try:
            self.rate_hz, self.channels = self._shape(rate_hz)
            if direction is Direction.CAPTURE:
                _check(self._lib.snd_pcm_nonblock(self._pcm, 0))
        except OSError:
            self.close()
            raise
        self.period = self.rate_hz // 50
        self._buffer = ctypes.create_string_buffer(2 * self.channels * self.period)

    def read(self) -> bytes:
        """Wait for one period. Raises OSError; EPIPE after an overrun, then `restart()`."""
        got = 0
        size = 2 * self.channels
        while got < self.period:
            place = ctypes.byref(self._buffer, got * size)
            got += _check(self._lib.snd_pcm_readi(self._pcm, place, self.period - got))
        return self._buffer.raw

    def write(self, pcm: bytes) -> int:
        """Give samples to the card and return how many of them it took. Raises OSError; EPIPE after an underrun."""
        size = 2 * self.channels
        try:
            return _check(self._lib.snd_pcm_writei(self._pcm, pcm, len(pcm) // size))
        except BlockingIOError:
            return 0

    def restart(self) -> None:
        """Begin anew after an xrun or a suspend. Raises OSError."""
        _check(self._lib.snd_pcm_prepare(self._pcm))

    def close(self) -> None:
        """Let the card go; what it has not played is dropped. Idempotent."""
        pcm, self._pcm = self._pcm, ctypes.c_void_p()
        if pcm:
            self._lib.snd_pcm_close(pcm)

    def _shape(self, rate_hz: int) -> tuple[int, int]:
        refused: OSError | None = None
        for shape in _shapes(rate_hz):
            try:
                self._set(*shape)
            except OSError as error:
                refused = error
            else:
                return shape
        assert refused is not None
        raise refused

    def _set(self, rate_hz: int, channels: int) -> None:
        lib, pcm, params = self._lib, self._pcm, ctypes.c_void_p()
        period, buffer = ctypes.c_ulong(rate_hz // 50), ctypes.c_ulong(PERIODS * rate_hz // 50)
        _check(lib.snd_pcm_hw_params_malloc(ctypes.byref(params)))
        try:
            _check(lib.snd_pcm_hw_params_any(pcm, params))
            _check(lib.snd_pcm_hw_params_set_access(pcm, params, _INTERLEAVED))
            _check(lib.snd_pcm_hw_params_set_format(pcm, params, _S16_LE))
            _check(lib.snd_pcm_hw_params_set_channels(pcm, params, channels))
            _check(lib.snd_pcm_hw_params_set_rate(pcm, params, rate_hz, 0))
            _check(lib.snd_pcm_hw_params_set_period_size_near(pcm, params, ctypes.byref(period), None))
            _check(lib.snd_pcm_hw_params_set_buffer_size_near(pcm, params, ctypes.byref(buffer)))
            _check(lib.snd_pcm_hw_params(pcm, params))
        finally:
            lib.snd_pcm_hw_params_free(params)


def _shapes(rate_hz: int) -> Iterator[tuple[int, int]]:
    for rate in (rate_hz, *_CARD_RATES_HZ):
        for channels in (1, 2):
            yield rate, channels


def _check(result: int) -> int:
    if result < 0:
        text = _library().snd_strerror(result)
        known = -result in errno.errorcode
        raise OSError(-result, os.strerror(-result) if known else text.decode(errors="replace"))
    return result

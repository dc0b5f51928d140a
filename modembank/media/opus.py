"""libopus by ctypes, mono at the modem's own rate: it has no more, and 8 kHz cost a fifth of 48 kHz stereo.

Source: RFC 6716, RFC 7587; libopus 1.x `opus.h` and `opus_defines.h`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
from functools import cache
from pathlib import Path

from modembank.errors import MediaError
from modembank.media.records import RATE_HZ

BITRATE_BPS = 24_000
"""Transparent for speech at 8 and 16 kHz, with room for in-band FEC. Source: RFC 7587 section 3.1.1."""

_COMPLEXITY = 0  # 0 and 1 cost 22-24 us a frame, 2 and more twice that; at 8 kHz the ear hears no difference
_EXPECTED_LOSS_PERCENT = 5  # in-band FEC is only written when some loss is expected
_APPLICATION_VOIP = 2048
_SET_BITRATE, _SET_VBR, _SET_COMPLEXITY = 4002, 4006, 4010
_SET_INBAND_FEC, _SET_PACKET_LOSS_PERC, _SET_DTX = 4012, 4014, 4016
_MAX_PACKET_BYTES = 1275
_LONGEST_MS = 120  # what one packet may hold


def _candidates() -> list[str]:
    """Return where libopus may be: inside the av wheel, else the system's."""
    found: list[str] = []
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package.parent / "av.libs", package / ".dylibs"):
            found += sorted(str(path) for path in folder.glob("libopus*"))
    system = ctypes.util.find_library("opus")
    return [*found, system] if system else found


@cache
def _library() -> ctypes.CDLL:
    for name in _candidates():
        try:
            return _declared(ctypes.CDLL(name))
        except (OSError, AttributeError):
            continue
    raise MediaError("libopus was not found: install the av wheel or the system's libopus0 to offer Opus")


def _declared(lib: ctypes.CDLL) -> ctypes.CDLL:
    pointer, c_int = ctypes.c_void_p, ctypes.c_int
    lib.opus_encoder_create.restype = pointer
    lib.opus_encoder_create.argtypes = [ctypes.c_int32, c_int, c_int, ctypes.POINTER(c_int)]
    lib.opus_decoder_create.restype = pointer
    lib.opus_decoder_create.argtypes = [ctypes.c_int32, c_int, ctypes.POINTER(c_int)]
    lib.opus_encode.argtypes = [pointer, ctypes.c_char_p, c_int, pointer, ctypes.c_int32]
    lib.opus_encode.restype = ctypes.c_int32
    lib.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, c_int, c_int]
    lib.opus_decode.restype = c_int
    lib.opus_encoder_destroy.argtypes = [pointer]
    lib.opus_encoder_destroy.restype = None
    lib.opus_decoder_destroy.argtypes = [pointer]
    lib.opus_decoder_destroy.restype = None
    return lib


def available() -> bool:
    """Return whether Opus can be offered on this machine."""
    try:
        _library()
    except MediaError:
        return False
    return True


def functions() -> tuple[int, int]:
    """Return the addresses of opus_encode and opus_decode, for other code of this process.

    Raises:
        MediaError: there is no libopus.
    """
    lib = _library()
    encode, decode = (ctypes.cast(function, ctypes.c_void_p).value for function in (lib.opus_encode, lib.opus_decode))
    assert encode is not None
    assert decode is not None
    return encode, decode


class OpusEncoder:
    """24 kbit/s, complexity 0, in-band FEC, no DTX."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        """Raises MediaError when there is no libopus."""
        lib = _library()
        error = ctypes.c_int()
        self._destroy = lib.opus_encoder_destroy
        self._encode = lib.opus_encode
        self._state = ctypes.c_void_p(lib.opus_encoder_create(rate_hz, 1, _APPLICATION_VOIP, ctypes.byref(error)))
        if error.value != 0:
            raise MediaError(f"opus_encoder_create failed with {error.value}")
        self._samples = rate_hz // 50
        self._out = ctypes.create_string_buffer(_MAX_PACKET_BYTES)
        for request, value in (
            (_SET_BITRATE, BITRATE_BPS),
            (_SET_VBR, 1),
            (_SET_COMPLEXITY, _COMPLEXITY),
            (_SET_INBAND_FEC, 1),
            (_SET_PACKET_LOSS_PERC, _EXPECTED_LOSS_PERCENT),
            (_SET_DTX, 0),
        ):
            # Variadic in C: the fixed arguments need their types spelled out.
            if lib.opus_encoder_ctl(self._state, ctypes.c_int(request), ctypes.c_int32(value)) != 0:
                raise MediaError(f"opus_encoder_ctl {request} was refused")

    @property
    def address(self) -> int:
        """Where its state is; valid as long as this object."""
        return self._state.value or 0

    def encode(self, pcm: bytes, _width: int = 2) -> bytes:
        """Return one packet for 20 ms of two-byte samples."""
        size = self._encode(self._state, pcm, self._samples, self._out, _MAX_PACKET_BYTES)
        if size < 0:
            raise MediaError(f"opus_encode failed with {size}")
        return ctypes.string_at(self._out, size)

    def __del__(self) -> None:
        state = getattr(self, "_state", None)
        if state:
            self._destroy(state)


class OpusDecoder:
    """Decodes any Opus stream to mono at one rate, whatever the sender's bandwidth and channels."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        """Raises MediaError when there is no libopus."""
        lib = _library()
        error = ctypes.c_int()
        self._destroy = lib.opus_decoder_destroy
        self._decode = lib.opus_decode
        self._state = ctypes.c_void_p(lib.opus_decoder_create(rate_hz, 1, ctypes.byref(error)))
        if error.value != 0:
            raise MediaError(f"opus_decoder_create failed with {error.value}")
        self._samples = rate_hz // 50
        self._longest = rate_hz * _LONGEST_MS // 1000
        self._out = ctypes.create_string_buffer(2 * self._longest)

    @property
    def address(self) -> int:
        """Where its state is; valid as long as this object."""
        return self._state.value or 0

    def decode(self, packet: bytes, _width: int = 2) -> bytes:
        """Return the packet's samples of two bytes; nothing when it is damaged."""
        if not packet:
            return b""  # libopus would make up 120 ms for it
        return self._run(packet, len(packet), self._longest, 0)

    def conceal(self) -> bytes:
        """Return 20 ms in place of a lost packet."""
        return self._run(None, 0, self._samples, 0)

    def recover(self, next_packet: bytes) -> bytes:
        """Return the 20 ms before `next_packet` from its in-band FEC, or concealment if it has none."""
        return self._run(next_packet, len(next_packet), self._samples, 1)

    def _run(self, packet: bytes | None, size: int, samples: int, fec: int) -> bytes:
        count = self._decode(self._state, packet, size, self._out, samples, fec)
        return ctypes.string_at(self._out, 2 * count) if count > 0 else b""

    def __del__(self) -> None:
        state = getattr(self, "_state", None)
        if state:
            self._destroy(state)

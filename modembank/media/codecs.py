"""The codecs of the RTP side, each as a pair of plain functions from and to one frame of the modem's sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from modembank.media import opus, pcm
from modembank.media.g722 import G722Decoder, G722Encoder
from modembank.media.records import RATE_HZ, WIDE_CODECS, WIDE_RATE_HZ, CodecName, frame_bytes
from modembank.media.resampler import Resampler

WIDTH = 2
"""Bytes per linear sample."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One running codec; all but G.711 keep state, so every stream has its own.

    `clock_hz` is the RTP clock, `timestamp_step` what one 20 ms frame adds to the timestamp, `frame_bytes` the size
    of its linear side. `encode` and `decode` are called as audioop's functions are, with the bytes per sample
    (`WIDTH`), so that G.711 is one call into C. `conceal` and `recover` are None where the codec has none of its own.
    """

    name: CodecName
    clock_hz: int
    timestamp_step: int
    encode: Callable[[bytes, int], bytes]
    decode: Callable[[bytes, int], bytes]
    conceal: Callable[[], bytes] | None = None
    recover: Callable[[bytes], bytes] | None = None
    frame_bytes: int = frame_bytes(RATE_HZ)


def usable(wanted: tuple[CodecName, ...], rate_hz: int = RATE_HZ) -> tuple[CodecName, ...]:
    """Return the codecs that this machine can run, in the same order; at 16 kHz those that carry it come first."""
    can = tuple(name for name in wanted if name is not CodecName.OPUS or opus.available())
    return can if rate_hz < WIDE_RATE_HZ else tuple(sorted(can, key=lambda name: name not in WIDE_CODECS))


def make_codec(name: CodecName, rate_hz: int = RATE_HZ) -> Codec:
    """Return a fresh codec whose linear side has this rate; a codec of another rate is resampled once, each way.

    Raises:
        MediaError: Opus without libopus.

    Source: RFC 3551 table 4 and section 4.5.2 (PCMU, PCMA, G722: clock of 8000), RFC 7587 section 4.1 (the clock of
    Opus is always 48 kHz).
    """
    if name is CodecName.OPUS:
        encoder, decoder = opus.OpusEncoder(rate_hz), opus.OpusDecoder(rate_hz)
        return Codec(
            name,
            48000,
            960,
            encoder.encode,
            decoder.decode,
            decoder.conceal,
            decoder.recover,
            frame_bytes=frame_bytes(rate_hz),
        )
    if name is CodecName.G722:
        codec = Codec(
            name, 8000, 160, G722Encoder().encode, G722Decoder().decode, frame_bytes=frame_bytes(WIDE_RATE_HZ)
        )
        return codec if rate_hz == WIDE_RATE_HZ else _resampled(codec, WIDE_RATE_HZ, rate_hz)
    law = (pcm.alaw_encode, pcm.alaw_decode) if name is CodecName.PCMA else (pcm.ulaw_encode, pcm.ulaw_decode)
    codec = Codec(name, 8000, 160, *law)
    return codec if rate_hz == RATE_HZ else _resampled(codec, RATE_HZ, rate_hz)


def _resampled(codec: Codec, own_hz: int, rate_hz: int) -> Codec:
    down, up = Resampler(rate_hz, own_hz), Resampler(own_hz, rate_hz)
    encode, decode = codec.encode, codec.decode
    return replace(
        codec,
        encode=lambda frame, width: encode(down.run(frame), width),
        decode=lambda payload, width: up.run(decode(payload, width)),
        frame_bytes=frame_bytes(rate_hz),
    )

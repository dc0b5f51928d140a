"""The three codecs of the RTP side, each as a pair of plain functions from and to 160 samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modembank.media import opus, pcm
from modembank.media.records import CodecName


@dataclass(frozen=True, slots=True)
class Codec:
    """One running codec; Opus keeps state, so every stream has its own.

    `clock_hz` is the RTP clock, `timestamp_step` what one 20 ms frame adds to the timestamp. `conceal` and
    `recover` are None where the codec has none of its own.
    """

    name: CodecName
    clock_hz: int
    timestamp_step: int
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]
    conceal: Callable[[], bytes] | None = None
    recover: Callable[[bytes], bytes] | None = None


def usable(wanted: tuple[CodecName, ...]) -> tuple[CodecName, ...]:
    """Return the codecs that this machine can run, in the same order."""
    return tuple(name for name in wanted if name is not CodecName.OPUS or opus.available())


def make_codec(name: CodecName) -> Codec:
    """Return a fresh codec.

    Raises:
        MediaError: Opus without libopus.

    Source: RFC 3551 table 4 (PCMU, PCMA), RFC 7587 section 4.1 (the clock of Opus is always 48 kHz).
    """
    if name is CodecName.PCMA:
        return Codec(name, 8000, 160, _alaw_encode, _alaw_decode)
    if name is CodecName.PCMU:
        return Codec(name, 8000, 160, _ulaw_encode, _ulaw_decode)
    encoder, decoder = opus.OpusEncoder(), opus.OpusDecoder()
    return Codec(name, 48000, 960, encoder.encode, decoder.decode, decoder.conceal, decoder.recover)


def _alaw_encode(samples: bytes) -> bytes:
    return pcm.alaw_encode(samples, 2)


def _alaw_decode(payload: bytes) -> bytes:
    return pcm.alaw_decode(payload, 2)


def _ulaw_encode(samples: bytes) -> bytes:
    return pcm.ulaw_encode(samples, 2)


def _ulaw_decode(payload: bytes) -> bytes:
    return pcm.ulaw_decode(payload, 2)

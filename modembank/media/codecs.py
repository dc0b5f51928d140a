"""The three codecs of the RTP side, each as a pair of plain functions from and to 160 samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modembank.media import opus, pcm
from modembank.media.records import CodecName

WIDTH = 2
"""Bytes per linear sample."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One running codec; Opus keeps state, so every stream has its own.

    `clock_hz` is the RTP clock, `timestamp_step` what one 20 ms frame adds to the timestamp. `encode` and
    `decode` are called as audioop's functions are, with the bytes per sample (`WIDTH`), so that G.711 is one
    call into C. `conceal` and `recover` are None where the codec has none of its own.
    """

    name: CodecName
    clock_hz: int
    timestamp_step: int
    encode: Callable[[bytes, int], bytes]
    decode: Callable[[bytes, int], bytes]
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
        return Codec(name, 8000, 160, pcm.alaw_encode, pcm.alaw_decode)
    if name is CodecName.PCMU:
        return Codec(name, 8000, 160, pcm.ulaw_encode, pcm.ulaw_decode)
    encoder, decoder = opus.OpusEncoder(), opus.OpusDecoder()
    return Codec(name, 48000, 960, encoder.encode, decoder.decode, decoder.conceal, decoder.recover)

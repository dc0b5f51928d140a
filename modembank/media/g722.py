"""G.722 by libavcodec: 16 kHz s16 mono as 64 kbit/s, 160 octets for 20 ms.

Source: ITU-T G.722 (09/12); RFC 3551 section 4.5.2: its RTP clock is 8000 by an old mistake, yet it samples at 16 kHz.
"""

from __future__ import annotations

from typing import Literal

from av import AudioCodecContext, AudioFrame, CodecContext, FFmpegError, Packet

from modembank.media.records import WIDE_RATE_HZ


def _context(mode: Literal["r", "w"]) -> AudioCodecContext:
    context = CodecContext.create("g722", mode)
    context.sample_rate = WIDE_RATE_HZ
    context.layout = "mono"
    return context


class G722Encoder:
    """One stream's encoder; its two predictors remember what went before."""

    def __init__(self) -> None:
        self._context = _context("w")
        self._context.format = "s16"

    def encode(self, pcm: bytes, _width: int = 2) -> bytes:
        """Return half an octet for each sample; their number must be even."""
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate = WIDE_RATE_HZ
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


class G722Decoder:
    """One stream's decoder."""

    def __init__(self) -> None:
        self._context = _context("r")

    def decode(self, payload: bytes, _width: int = 2) -> bytes:
        """Return two samples for each octet; any octets are valid."""
        if not payload:
            return b""  # an empty packet would end the decoder
        try:
            frames = self._context.decode(Packet(payload))
        except FFmpegError:
            return b""
        return b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames)

"""Sample arithmetic in C: G.711, levels, gain, resampling. The one place that imports audioop.

Source: ITU-T G.711 (1988) tables 1a to 2b; the stdlib module until Python 3.12, `audioop-lts` from 3.13.
"""

from __future__ import annotations

import math
import warnings

from modembank.media.records import FLOOR_DBFS

with warnings.catch_warnings():
    # 3.11 and 3.12 announce its removal (PEP 594) on import; audioop-lts brings it back from 3.13.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_FULL_SCALE = 32768.0

alaw_decode = audioop.alaw2lin
alaw_encode = audioop.lin2alaw
ulaw_decode = audioop.ulaw2lin
ulaw_encode = audioop.lin2ulaw


def rms(pcm: bytes) -> int:
    """Return the root mean square of s16 mono samples, 0 to 32768."""
    return audioop.rms(pcm, 2)


def dbfs(rms_value: int) -> float:
    """Return a level in dB below a full-scale square wave, -90 to 0."""
    if rms_value <= 1:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, 20.0 * math.log10(rms_value / _FULL_SCALE))


def scaled(pcm: bytes, factor: float) -> bytes:
    """Return the samples times `factor`, clipped."""
    return audioop.mul(pcm, 2, factor)


def mono(pcm: bytes, channels: int) -> bytes:
    """Return the first one or the mean of two channels of interleaved s16 samples."""
    return pcm if channels == 1 else audioop.tomono(pcm, 2, 0.5, 0.5)


def stereo(pcm: bytes) -> bytes:
    """Return the samples on two interleaved channels, each as loud as before."""
    return audioop.tostereo(pcm, 2, 1.0, 1.0)


def resampled(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Return the samples at another rate by linear interpolation; good enough for prompts, not for music."""
    if from_hz == to_hz:
        return pcm
    converted, _ = audioop.ratecv(pcm, 2, 1, from_hz, to_hz, None)
    return converted

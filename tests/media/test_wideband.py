"""Sound of 16 kHz: carried whole by Opus and G.722, made narrow once for G.711, with no trace of what is above."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modembank.media import pcm, tones
from modembank.media.codecs import make_codec, usable
from modembank.media.g722 import G722Decoder
from modembank.media.records import WIDE_RATE_HZ, CodecName, frame_bytes
from modembank.media.resampler import Resampler

FRAME = frame_bytes(WIDE_RATE_HZ)
WIDE = (CodecName.OPUS, CodecName.G722)


def tone(hz: float, rate_hz: int, frames: int = 100, dbfs: float = -12.0) -> list[bytes]:
    peak = 32768 * 10 ** (dbfs / 20) * 2**0.5
    wave = peak * np.sin(2 * np.pi * hz * np.arange(frames * rate_hz // 50) / rate_hz)
    data = wave.astype(np.int16).tobytes()
    size = frame_bytes(rate_hz)
    return [data[i : i + size] for i in range(0, len(data), size)]


def values_of(data: bytes) -> NDArray[np.float64]:
    return np.frombuffer(data, np.int16).astype(float)


def level_at(data: bytes, hz: float, rate_hz: int) -> float:
    values = values_of(data)[-rate_hz:]
    reference = np.exp(-2j * np.pi * hz * np.arange(len(values)) / rate_hz)
    return float(20 * np.log10(max(abs((values * reference).mean()) * 2**0.5, 1e-9) / 32768))


def through(name: CodecName, hz: float) -> bytes:
    codec = make_codec(name, WIDE_RATE_HZ)
    assert codec.frame_bytes == FRAME
    decoded = [codec.decode(codec.encode(frame, 2), 2) for frame in tone(hz, WIDE_RATE_HZ)]
    assert {len(frame) for frame in decoded} == {FRAME}
    return b"".join(decoded)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("hz", [440.0, 3000.0, 6000.0])
def test_a_wide_codec_carries_a_tone_within_one_decibel(name: CodecName, hz: float) -> None:
    heard = through(name, hz)
    assert level_at(heard, hz, WIDE_RATE_HZ) == pytest.approx(-12.0, abs=1.0)


@pytest.mark.parametrize("name", [CodecName.PCMA, CodecName.PCMU])
def test_g711_carries_what_is_below_4_khz_of_it_and_nothing_of_the_rest(name: CodecName) -> None:
    assert level_at(through(name, 1000.0), 1000.0, WIDE_RATE_HZ) == pytest.approx(-12.0, abs=1.0)
    heard = through(name, 6000.0)
    assert pcm.dbfs(pcm.rms(heard[-FRAME * 50 :])) < -60, "neither 6 kHz nor its alias at 2 kHz"


@pytest.mark.parametrize("name", list(CodecName))
def test_what_travels_has_the_size_of_its_codec(name: CodecName) -> None:
    codec = make_codec(name, WIDE_RATE_HZ)
    sizes = {len(codec.encode(frame, 2)) for frame in tone(1000.0, WIDE_RATE_HZ, 20)}
    if name is CodecName.OPUS:
        assert max(sizes) < 160
        assert codec.clock_hz == 48_000
    else:
        assert sizes == {160}
        assert codec.clock_hz == 8000, "also G.722's (RFC 3551 section 4.5.2)"
    assert codec.timestamp_step * 50 == codec.clock_hz


def test_g722_joins_a_narrow_line_too() -> None:
    codec = make_codec(CodecName.G722)
    heard = b"".join(codec.decode(codec.encode(frame, 2), 2) for frame in tone(1000.0, 8000))
    assert len(heard) == 100 * 320
    assert level_at(heard, 1000.0, 8000) == pytest.approx(-12.0, abs=1.0)


def test_wide_codecs_come_first_for_wide_sound_only() -> None:
    wanted = (CodecName.PCMU, CodecName.G722, CodecName.PCMA, CodecName.OPUS)
    assert usable(wanted) == wanted
    assert usable(wanted, WIDE_RATE_HZ) == (CodecName.G722, CodecName.OPUS, CodecName.PCMU, CodecName.PCMA)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=12), wider=st.booleans())
def test_resampling_gives_as_much_time_as_it_takes(sizes: list[int], wider: bool) -> None:
    """Whatever the chunks: every call gives its share at once, and the sound is that of one run over the whole."""
    from_hz, to_hz = (8000, 16_000) if wider else (16_000, 8000)
    pieces = [2 * size if not wider else size for size in sizes]  # whole samples at the lower rate
    sound = b"".join(tone(500.0, from_hz, 400))
    resampler, at, out = Resampler(from_hz, to_hz), 0, b""
    for piece in pieces:
        got = resampler.run(sound[at : at + 2 * piece])
        assert len(got) == 2 * piece * to_hz // from_hz
        at += 2 * piece
        out += got
    levels = np.abs(values_of(out))
    assert levels.max() < 32768 * 10 ** (-12 / 20) * 2**0.5 * 1.05
    assert resampler.run(b"") == b""


def test_the_resampler_is_flat_where_a_telephone_is() -> None:
    for hz in (300.0, 1000.0, 3400.0):
        narrow = Resampler(16_000, 8000)
        heard = b"".join(narrow.run(frame) for frame in tone(hz, 16_000))
        assert level_at(heard, hz, 8000) == pytest.approx(-12.0, abs=0.2)


@given(st.binary(max_size=400))
@settings(max_examples=50, deadline=None)
def test_any_octets_are_g722(payload: bytes) -> None:
    assert len(G722Decoder().decode(payload)) == 4 * len(payload)


def test_ringing_and_comfort_noise_are_as_loud_and_as_long_at_16_khz() -> None:
    for make in (lambda hz: tones.ringback_frames("GB", hz), tones.comfort_frames):
        narrow, wide = make(8000), make(WIDE_RATE_HZ)
        assert len(narrow) == len(wide)
        assert {len(frame) for frame in wide} == {FRAME}
        loud = [pcm.dbfs(pcm.rms(b"".join(frames))) for frames in (narrow, wide)]
        assert loud[0] == pytest.approx(loud[1], abs=0.3)

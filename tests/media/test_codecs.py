"""G.711 against the tables of the recommendation, Opus by a tone."""

from __future__ import annotations

import math
from array import array

import numpy as np
import pytest

from modembank.errors import MediaError
from modembank.media import opus, pcm
from modembank.media.codecs import make_codec, usable
from modembank.media.records import FRAME_BYTES, RATE_HZ, CodecName

# ITU-T G.711 tables 1a and 2a, column 7 ("quantized value"), first values of each segment from the top;
# A-law values count in 1/4096 (13 bits), mu-law in 1/8159 (14 bits). On the wire A-law has its even bits
# inverted (clause 3.1) and mu-law all of them (clause 3.2).
A_LAW = {0xFF: 4032, 0xF0: 2112, 0xEF: 2016, 0xE0: 1056, 0xDF: 1008, 0xD0: 528, 0xB0: 132, 0xA0: 66, 0x80: 1}
MU_LAW = {0x80: 8031, 0x8F: 4191, 0x90: 3999, 0xA0: 1983, 0xB0: 975, 0xC0: 471, 0xEF: 33, 0xFE: 2, 0xFF: 0}


def samples_of(data: bytes) -> list[int]:
    return list(array("h", data))


@pytest.mark.parametrize(("character", "value"), A_LAW.items())
def test_a_law_decodes_to_the_tables_values(character: int, value: int) -> None:
    wire = bytes([character ^ 0x55])
    negative = bytes([(character & 0x7F) ^ 0x55])
    assert samples_of(pcm.alaw_decode(wire, 2)) == [value * 8]
    assert samples_of(pcm.alaw_decode(negative, 2)) == [-value * 8]


@pytest.mark.parametrize(("character", "value"), MU_LAW.items())
def test_mu_law_decodes_to_the_tables_values(character: int, value: int) -> None:
    assert samples_of(pcm.ulaw_decode(bytes([character]), 2)) == [value * 4]
    assert samples_of(pcm.ulaw_decode(bytes([character & 0x7F]), 2)) == [-value * 4]


def test_every_character_survives_decoding_and_encoding() -> None:
    every = bytes(range(256))
    assert pcm.alaw_encode(pcm.alaw_decode(every, 2), 2) == every
    # 0x7F is minus zero, which encodes as plus zero.
    assert pcm.ulaw_encode(pcm.ulaw_decode(every, 2), 2) == every.replace(b"\x7f", b"\xff")


def tone(hz: float, frames: int, dbfs: float = -12.0) -> list[bytes]:
    peak = 32768 * 10 ** (dbfs / 20) * math.sqrt(2)
    data = array("h", (int(peak * math.sin(2 * math.pi * hz * i / RATE_HZ)) for i in range(160 * frames))).tobytes()
    return [data[i : i + FRAME_BYTES] for i in range(0, len(data), FRAME_BYTES)]


def level_at(data: bytes, hz: float) -> float:
    values = np.frombuffer(data, np.int16).astype(float)
    values = values[-RATE_HZ:]
    reference = np.exp(-2j * np.pi * hz * np.arange(len(values)) / RATE_HZ)
    rms = abs((values * reference).mean()) * math.sqrt(2)
    return float(20 * np.log10(max(rms, 1e-9) / 32768))


@pytest.mark.parametrize("name", list(CodecName))
@pytest.mark.parametrize("hz", [440.0, 1000.0])
def test_a_tone_comes_back_within_one_decibel(name: CodecName, hz: float) -> None:
    codec = make_codec(name)
    decoded = b"".join(codec.decode(codec.encode(frame, 2), 2) for frame in tone(hz, 100))
    assert len(decoded) == 100 * FRAME_BYTES
    assert level_at(decoded, hz) == pytest.approx(-12.0, abs=1.0)
    assert level_at(decoded, 2 * hz + 150) < -40


def test_opus_stays_near_its_bitrate() -> None:
    codec = make_codec(CodecName.OPUS)
    size = sum(len(codec.encode(frame, 2)) for frame in tone(300, 250))
    assert size * 8 / 5 < 1.2 * opus.BITRATE_BPS


def test_opus_conceals_a_lost_packet_and_recovers_it_from_the_next() -> None:
    codec = make_codec(CodecName.OPUS)
    assert codec.conceal is not None
    assert codec.recover is not None
    packets = [codec.encode(frame, 2) for frame in tone(440, 50)]
    for packet in packets[:40]:
        codec.decode(packet, 2)
    recovered = codec.recover(packets[41])
    assert len(recovered) == FRAME_BYTES
    codec.decode(packets[41], 2)
    assert len(codec.conceal()) == FRAME_BYTES


def test_a_damaged_opus_packet_gives_nothing() -> None:
    assert make_codec(CodecName.OPUS).decode(b"\xff" * 3, 2) == b""


def test_without_libopus_only_g711_is_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise MediaError("libopus was not found")

    monkeypatch.setattr(opus, "_library", none)
    assert usable((CodecName.OPUS, CodecName.PCMU)) == (CodecName.PCMU,)
    with pytest.raises(MediaError, match="libopus"):
        make_codec(CodecName.OPUS)


def test_levels_in_decibels() -> None:
    assert pcm.dbfs(pcm.rms(bytes(FRAME_BYTES))) == -90.0
    assert pcm.dbfs(pcm.rms(array("h", [-32768] * 160).tobytes())) == 0.0
    assert pcm.dbfs(pcm.rms(tone(1000, 1, -20.0)[0])) == pytest.approx(-20.0, abs=0.05)

"""A modem of 16 kHz and an ordinary aiortc peer: 6 kHz arrive over Opus and G.722, and not at all over G.711."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest

from modembank.call.engine import EngineChoice, make_engine
from modembank.call.media import AudioPlace, CodecName, MediaPhase, MediaSettings
from modembank.media.records import WIDE_RATE_HZ, frame_bytes
from modembank.webrtc.client import ToneVoice, WebrtcClient
from tests.support.media_call import Call, PtyModem, Sink, level, total, until

CallWith = Callable[..., Awaitable[Call]]
HZ = 6000.0
SECOND = 50 * frame_bytes(WIDE_RATE_HZ)


def wide(pcm: bytes, hz: float = HZ) -> float:
    return level(pcm, hz, rate_hz=WIDE_RATE_HZ)


async def wide_call(call_with: CallWith, *codecs: CodecName) -> tuple[Call, WebrtcClient]:
    call = await call_with(rate_hz=WIDE_RATE_HZ)
    call.session.phase(MediaPhase.TALKING)
    call.modem.voice = ToneVoice(HZ, rate_hz=WIDE_RATE_HZ)
    voice = ToneVoice(HZ, rate_hz=WIDE_RATE_HZ)
    return call, await call.connect(WebrtcClient(voice, codecs=codecs, rate_hz=WIDE_RATE_HZ))


@pytest.mark.parametrize("codec", [CodecName.OPUS, CodecName.G722])
async def test_6_khz_each_way_within_one_decibel(call_with: CallWith, codec: CodecName) -> None:
    call, client = await wide_call(call_with, CodecName.PCMA, codec)
    assert call.session.stats().codec is codec, "though G.711 is preferred for narrow sound"
    await until(lambda: abs(wide(call.modem.heard) + 12) <= 1 and abs(wide(client.heard) + 12) <= 1)
    assert call.session.stats().lost == 0
    newest = call.sink.all_levels[-1]
    assert newest.to_far_dbfs == pytest.approx(-12.0, abs=1.0)
    assert newest.from_far_dbfs == pytest.approx(-12.0, abs=1.0)


async def test_over_pcmu_nothing_of_6_khz_is_left_each_way(call_with: CallWith) -> None:
    call, client = await wide_call(call_with, CodecName.PCMU)
    await until(lambda: len(client.heard) > SECOND)
    client.forget()
    await until(lambda: len(client.heard) > SECOND and len(call.modem.heard) > SECOND)
    assert total(client.heard) < -60
    assert total(call.modem.heard) < -60
    client.say(ToneVoice(1000.0, rate_hz=WIDE_RATE_HZ))
    call.modem.voice = ToneVoice(700.0, rate_hz=WIDE_RATE_HZ)
    await until(lambda: abs(wide(call.modem.heard, 1000.0) + 12) <= 1 and abs(wide(client.heard, 700.0) + 12) <= 1)


async def test_a_modem_that_gives_16_khz_although_8_were_set_is_told(
    choice: EngineChoice, caplog: pytest.LogCaptureFixture
) -> None:
    modem = PtyModem(WIDE_RATE_HZ)
    session = await make_engine(MediaSettings(), choice).open("call_x", AudioPlace(str(modem.path)), Sink())
    session.phase(MediaPhase.TALKING)
    modem.start()
    with caplog.at_level(logging.WARNING):
        await until(lambda: "comes at 16000 Hz although 8000 were set" in caplog.text)
    await session.close()
    await modem.close()

"""The voice through real sockets and a real pty: an ordinary aiortc peer on one side, a modem on the other."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from modembank.call.engine import EngineChoice, make_engine
from modembank.call.media import AudioPlace, CodecName, MediaPhase, MediaSettings, MediaState
from modembank.errors import InvalidOfferError, PortBusyError, PortMissingError, WrongStateError
from modembank.webrtc import internals
from modembank.webrtc.client import SilentVoice, ToneVoice, WebrtcClient
from tests.support.media_call import Call, PtyModem, Sink, level, total, until

CallWith = Callable[..., Awaitable[Call]]
FAST = MediaSettings(silent_after_s=0.4, lost_after_s=0.9, rtcp_interval_s=0.2)


async def tones_both_ways(call: Call, client: WebrtcClient) -> None:
    """440 Hz towards the modem, 1000 Hz from it: each within one decibel of what was said."""

    def heard() -> bool:
        return (
            abs(level(call.modem.heard, 440.0) + 12.0) <= 1.0
            and abs(level(client.heard, 1000.0) + 12.0) <= 1.0
            and level(call.modem.heard, 1000.0) < -40
            and level(client.heard, 440.0) < -40
        )

    await until(heard)


@pytest.mark.parametrize("codec", list(CodecName))
async def test_a_tone_each_way(call_with: CallWith, codec: CodecName) -> None:
    call = await call_with(MediaSettings(codecs=(codec,)))
    call.session.phase(MediaPhase.TALKING)
    call.modem.voice = ToneVoice(1000.0)
    client = await call.connect(WebrtcClient(ToneVoice(440.0)))
    await tones_both_ways(call, client)
    stats = call.session.stats()
    assert stats.codec is codec
    assert stats.packets_from_far > 10
    assert stats.packets_to_far > 10
    assert stats.lost == 0
    newest = call.sink.all_levels[-1]
    assert newest.to_far_dbfs == pytest.approx(-12.0, abs=1.0)
    assert newest.from_far_dbfs == pytest.approx(-12.0, abs=1.0)


async def test_g711_is_answered_unless_only_opus_is_there(call_with: CallWith) -> None:
    call = await call_with()
    client = await call.connect(WebrtcClient(codecs=(CodecName.OPUS, CodecName.PCMU)))
    assert call.session.stats().codec is CodecName.PCMU
    await call.connect(WebrtcClient(codecs=(CodecName.OPUS,)))
    assert call.session.stats().codec is CodecName.OPUS
    assert client is not None


async def test_a_relayed_pair_is_carried_by_the_transports_own_calls(
    call_with: CallWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(internals, "_plain_socket", lambda transport: None)
    call = await call_with()
    call.session.phase(MediaPhase.TALKING)
    call.modem.voice = ToneVoice(1000.0)
    await tones_both_ways(call, await call.connect(WebrtcClient(ToneVoice(440.0))))


async def test_without_a_far_side_the_modem_gets_silence_and_never_starves(call_with: CallWith) -> None:
    call = await call_with()
    call.modem.voice = ToneVoice(1000.0)
    await until(lambda: len(call.modem.heard) >= 320 * 50)
    assert total(call.modem.heard) == pytest.approx(-90.3, abs=0.1)
    assert call.modem.starved <= 2, "only until the first frame came"
    assert call.session.stats().packets_to_far == 0


async def test_another_peer_takes_over_the_same_call(call_with: CallWith) -> None:
    call = await call_with()
    call.session.phase(MediaPhase.TALKING)
    call.modem.voice = ToneVoice(1000.0)
    first = await call.connect(WebrtcClient(ToneVoice(700.0)))
    await until(lambda: level(call.modem.heard, 700.0) > -13)
    before = call.session.stats()
    second = await call.connect(WebrtcClient(ToneVoice(440.0)))
    await tones_both_ways(call, second)
    await until(lambda: level(call.modem.heard, 700.0) < -40)
    assert call.sink.states == [MediaState.CONNECTED, MediaState.NEW, MediaState.CONNECTED]
    after = call.session.stats()
    assert after.packets_to_far > before.packets_to_far
    assert after.packets_from_far > before.packets_from_far
    await until(lambda: first.state == "closed")


async def test_an_offer_that_cannot_be_answered_leaves_the_far_side_attached(call_with: CallWith) -> None:
    call = await call_with()
    call.session.phase(MediaPhase.TALKING)
    call.modem.voice = ToneVoice(1000.0)
    client = await call.connect(WebrtcClient(ToneVoice(440.0)))
    with pytest.raises(InvalidOfferError):
        await call.session.attach("v=0\r\nnonsense")
    await tones_both_ways(call, client)
    assert call.sink.states == [MediaState.CONNECTED]


async def test_muted_and_held(call_with: CallWith) -> None:
    call = await call_with()
    call.session.phase(MediaPhase.TALKING)
    call.modem.voice = ToneVoice(1000.0)
    client = await call.connect(WebrtcClient(ToneVoice(440.0)))
    await tones_both_ways(call, client)
    call.session.set_muted(True)
    await until(lambda: total(call.modem.heard) < -80)
    assert level(client.heard, 1000.0) > -13, "only one way is muted"
    call.session.set_muted(False)
    await tones_both_ways(call, client)
    call.session.phase(MediaPhase.HELD)
    await until(lambda: total(call.modem.heard) < -80 and -70 < total(client.heard) < -60)
    call.session.phase(MediaPhase.TALKING)
    await tones_both_ways(call, client)


@pytest.mark.parametrize("ticking", [True, False])
async def test_ringback_until_the_network_sends_sound(call_with: CallWith, ticking: bool) -> None:
    call = await call_with(MediaSettings(country="FR"), ticking=ticking)
    client = await call.connect(WebrtcClient())
    await until(lambda: len(client.heard) > 8000)
    assert total(client.heard) < -70, "nothing rings yet"
    call.session.phase(MediaPhase.ALERTING)
    await until(lambda: level(client.heard, 440.0) > -21)
    assert call.sink.early == 0
    if not ticking:
        call.modem.start()
    call.modem.voice = ToneVoice(1000.0)
    await until(lambda: level(client.heard, 1000.0) > -13)
    await until(lambda: level(client.heard, 440.0) < -40)
    assert call.sink.early == 1
    call.modem.voice = SilentVoice()
    await until(lambda: total(client.heard) < -70)
    call.session.phase(MediaPhase.TALKING)
    assert call.sink.early == 1


async def test_ringback_stops_when_the_call_is_answered(call_with: CallWith) -> None:
    call = await call_with(MediaSettings(country="FR"))
    client = await call.connect(WebrtcClient())
    call.session.phase(MediaPhase.ALERTING)
    await until(lambda: level(client.heard, 440.0) > -21)
    call.session.phase(MediaPhase.TALKING)
    await until(lambda: total(client.heard) < -70)
    assert call.sink.early == 0


async def test_keys_arrive_once_each(call_with: CallWith) -> None:
    call = await call_with()
    client = await call.connect(WebrtcClient(ToneVoice(440.0)))
    for digit in "15#D":
        await client.press(digit, 0.06)
    await until(lambda: len(call.sink.digits) >= 4)
    await asyncio.sleep(0.1)
    assert call.sink.digits == ["1", "5", "#", "D"]


async def test_reports_tell_the_round_trip(call_with: CallWith) -> None:
    call = await call_with(FAST)
    await call.connect(WebrtcClient(ToneVoice(440.0)))
    await until(lambda: call.session.stats().rtt_ms is not None)
    stats = call.session.stats()
    assert stats.rtt_ms is not None
    assert 0 <= stats.rtt_ms < 1000
    assert stats.far_loss_fraction == 0.0


async def test_a_far_side_that_says_goodbye_is_silent_at_once_and_has_its_time_to_come_back(
    call_with: CallWith,
) -> None:
    call = await call_with(MediaSettings(silent_after_s=60, lost_after_s=1.5))
    client = await call.connect(WebrtcClient())
    await client.close()
    await until(lambda: call.sink.states[-1] is MediaState.SILENT)
    again = await call.connect(WebrtcClient())
    await until(lambda: call.sink.states[-1] is MediaState.CONNECTED)
    await again.close()
    await until(lambda: call.sink.states[-2:] == [MediaState.SILENT, MediaState.LOST])


async def test_nobody_at_the_other_end_is_a_failure(call_with: CallWith) -> None:
    call = await call_with(MediaSettings(connect_timeout_s=0.3))
    client = WebrtcClient()
    call.clients.append(client)
    await call.session.attach(await client.offer())
    await until(lambda: call.sink.states == [MediaState.FAILED])
    await call.connect(WebrtcClient())


async def test_trickled_candidates_connect(call_with: CallWith) -> None:
    call = await call_with()
    client = WebrtcClient()
    call.clients.append(client)
    lines = (await client.offer()).splitlines()
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    rest = [line for line in lines if line not in candidates and line != "a=end-of-candidates"]
    with pytest.raises(WrongStateError):
        await call.session.add_candidate(candidates[0], "0", 0)
    answer = await call.session.attach("".join(f"{line}\r\n" for line in rest))
    assert "a=end-of-candidates" in answer
    for candidate in candidates:
        await call.session.add_candidate(candidate.removeprefix("a="), "0", 0)
    await call.session.add_candidate(None, None, None)
    with pytest.raises(InvalidOfferError):
        await call.session.add_candidate("candidate:nonsense", "0", 0)
    await client.accept(answer)
    await client.connected()
    await until(lambda: call.sink.states == [MediaState.CONNECTED])


PEER = """
import asyncio, sys
from modembank.webrtc.client import ToneVoice, WebrtcClient

async def main() -> None:
    client = WebrtcClient(ToneVoice(440.0))
    print(repr(await client.offer()), flush=True)
    await client.accept(eval(sys.stdin.readline()))
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_peer_that_vanishes_is_first_silent_then_lost(call_with: CallWith) -> None:
    call = await call_with(FAST)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PEER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        offer = eval(await process.stdout.readline())
        process.stdin.write(repr(await call.session.attach(offer)).encode() + b"\n")
        await until(lambda: call.session.stats().packets_from_far > 10)
        process.send_signal(signal.SIGSTOP)
        await until(lambda: call.sink.states[-1] is MediaState.SILENT)
        process.send_signal(signal.SIGCONT)
        await until(lambda: call.sink.states[-1] is MediaState.CONNECTED)
        process.kill()
        await until(lambda: call.sink.states[-1] is MediaState.LOST)
        assert call.sink.states[-2] is MediaState.SILENT
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_flow_control_stops_the_writing(call_with: CallWith) -> None:
    call = await call_with()
    call.session.phase(MediaPhase.TALKING)
    await call.connect(WebrtcClient(ToneVoice(440.0)))
    await until(lambda: level(call.modem.heard, 440.0) > -13)
    call.session.modem_flow(False)
    written = call.session.stats().frames_to_modem
    await until(lambda: total(call.modem.heard) < -80)
    assert call.session.stats().frames_to_modem == written
    call.session.modem_flow(True)
    await until(lambda: level(call.modem.heard, 440.0) > -13)


async def test_a_modem_that_goes_away_is_reported_once(call_with: CallWith) -> None:
    call = await call_with()
    client = await call.connect(WebrtcClient())
    await call.modem.stop()
    call.modem.unplug()
    await until(lambda: call.sink.lost == 1)
    heard = len(client.heard)
    await until(lambda: len(client.heard) > heard + 3200)
    assert call.sink.lost == 1


async def test_closing_frees_the_port_and_is_idempotent(call_with: CallWith, choice: EngineChoice) -> None:
    call = await call_with()
    engine = make_engine(MediaSettings(), choice)
    with pytest.raises(PortBusyError):
        await engine.open("call_other", call.modem.place, Sink())
    await call.connect(WebrtcClient())
    await asyncio.gather(call.session.close(), call.session.close())
    await call.session.close()
    with pytest.raises(WrongStateError):
        await call.session.attach("v=0")
    again = await engine.open("call_next", call.modem.place, Sink())
    await again.close()
    with pytest.raises(PortMissingError):
        await engine.open("call_none", AudioPlace("/dev/ttyNone"), Sink())


async def test_no_descriptor_is_left_behind(choice: EngineChoice) -> None:
    modem = PtyModem()
    engine = make_engine(MediaSettings(), choice)
    counts = []
    for _ in range(3):
        session = await engine.open("call_x", modem.place, Sink())
        client = WebrtcClient()
        await client.accept(await session.attach(await client.offer()))
        await client.connected()
        await session.close()
        await client.close()
        counts.append(len(list(Path("/proc/self/fd").iterdir())))
    await modem.close()
    assert counts[0] == counts[2]

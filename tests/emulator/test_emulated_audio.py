"""Audio on interface 1: frames, clock, far parties, what is counted. Hardware facts sections 4.1 and 13."""

from __future__ import annotations

import array
import asyncio
import math
import os
import select
import time
import wave
from collections.abc import Callable
from pathlib import Path

from modembank.emulator.connection import Connection
from modembank.emulator.journal import Journal
from modembank.emulator.network import Network, NetworkOptions
from modembank.emulator.signals import speech_like
from tests.support.emulated_ports import PATIENCE_S, Bench, RawPort

Open = Callable[[Path], RawPort]
FRAME = 320


class Line:
    """A host's end of one voice call: AT port and audio port of a modem."""

    def __init__(self, at: RawPort, audio: RawPort) -> None:
        self.at = at
        self.audio = audio

    def dial(self, number: str, until: bytes = b'"ccinfo",2,0,0') -> None:
        self.at.ask(f"ATD{number};", until)
        self.drain()

    def drain(self) -> None:
        while select.select([self.audio.fd], [], [], 0)[0]:
            assert os.read(self.audio.fd, 65536)

    def frame(self) -> bytes:
        data = b""
        deadline = time.monotonic() + PATIENCE_S
        while len(data) < FRAME:
            assert select.select([self.audio.fd], [], [], max(0.0, deadline - time.monotonic()))[0], "no audio"
            data += os.read(self.audio.fd, FRAME - len(data))
        return data

    def talk(self, frames: list[bytes]) -> list[bytes]:
        """Give one frame for each frame taken, as a driver paced by the modem does."""
        heard = []
        for frame in frames:
            heard.append(self.frame())
            self.audio.write(frame)
        return heard


async def a_line(emulator: Bench, open_port: Open, index: int = 0) -> Line:
    at = open_port(await emulator.link(index))
    at.ask('ATE0;+QPCMV=1,0;+QINDCFG="ccinfo",1,0')
    return Line(at, open_port(await emulator.link(index, "audio")))


def numbered(count: int) -> list[bytes]:
    """Return frames that can be told apart."""
    return [array.array("h", [n + 1] * 160).tobytes() for n in range(count)]


async def passed_whole(emulator: Bench, heard: list[bytes], sent: list[bytes]) -> None:
    """Check that frames passed unchanged and in order, and that none is missing.

    On a machine that stood still for 200 ms the modem's own buffers lose frames; it counts that, and then
    the frames that are left must still be in order.
    """
    back = [frame for frame in heard if any(frame)]
    status = await emulator.running.call("status")
    counters = [(await emulator.modem(index))["audio"] for index in (0, 1)]
    lost = sum(c["uplink_overflow_bytes"] + c["downlink_dropped_bytes"] + c["late_frames"] for c in counters)
    if back != sent and lost + sum(call["slips"] for call in status["calls"]):
        assert len(back) > len(sent) / 2
        sent = [frame for frame in sent if frame in back]
    assert back == sent


def pcm_of(path: object) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return file.readframes(file.getnframes())


def level_dbfs(pcm: bytes, hz: float) -> float:
    """Return the level of a sine of this frequency (Goertzel); 0 dBFS is a full-scale sine."""
    samples = array.array("h", pcm)
    w = 2 * math.pi * hz / 8000
    real = sum(s * math.cos(w * n) for n, s in enumerate(samples))
    imaginary = sum(s * math.sin(w * n) for n, s in enumerate(samples))
    return 20 * math.log10(max(1e-9, 2 * math.hypot(real, imaginary) / len(samples) / 32767))


async def test_no_audio_without_a_call_or_without_pcm(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    assert line.audio.quiet(0.2) == b""
    line.at.ask("AT+QPCMV=0")
    line.dial(emulator.parties["tone"])
    assert line.audio.quiet(0.2) == b""
    line.at.ask("AT+QPCMV=1,0")
    assert len(line.frame()) == FRAME
    line.at.ask("AT+CHUP", b'"ccinfo",2,0,-1')
    line.drain()
    assert line.audio.quiet(0.2) == b""


async def test_echo_comes_back_whole_and_in_order(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["echo"])
    sent = numbered(60)
    heard = await asyncio.to_thread(line.talk, [*sent, *[bytes(FRAME)] * 15])
    await passed_whole(emulator, heard, sent)
    line.at.ask("AT+CHUP")
    record = await emulator.call("heard", number=emulator.parties["echo"])
    pcm = pcm_of(record["path"])
    await passed_whole(emulator, [pcm[place : place + FRAME] for place in range(0, len(pcm), FRAME)], sent)
    far = await emulator.call("heard", modem=0, far=True)
    assert pcm_of(far["path"]) == pcm_of(record["path"])


async def test_mute_keeps_the_voice_from_the_far_end(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["echo"])
    line.at.ask("AT+CMUT=1")
    heard = await asyncio.to_thread(line.talk, numbered(20))
    assert not any(b"".join(heard))


async def test_tone_has_its_frequency_and_level(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["tone"])
    pcm = b"".join([await asyncio.to_thread(line.frame) for _ in range(30)][5:])
    assert abs(level_dbfs(pcm, 1000) + 10) < 0.2
    assert level_dbfs(pcm, 700) < -40


async def test_silence_while_ringing_and_early_media(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["no_answer"], b'"ccinfo",2,0,3')
    assert not any(b"".join([await asyncio.to_thread(line.frame) for _ in range(10)]))
    line.at.ask("AT+CHUP", b'"ccinfo",2,0,-1')
    line.at.ask(f"ATD{emulator.parties['announcement']};")
    assert b'"ccinfo",2,0,2' in line.at.read_until(b'"ccinfo",2,0,2')
    early = b"".join([await asyncio.to_thread(line.frame) for _ in range(15)])
    assert any(early)
    assert b"NO CARRIER" in line.at.read_until(b"NO CARRIER\r\n")


async def test_speech_party_speaks_and_dtmf_is_in_band(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["speech"])
    speech = b"".join([await asyncio.to_thread(line.frame) for _ in range(40)])
    assert max(array.array("h", speech)) > 1000
    line.at.ask("AT+CHUP")
    other = await a_line(emulator, open_port, 1)
    other.dial(emulator.parties["dtmf"])
    assert level_dbfs(b"".join([await asyncio.to_thread(other.frame) for _ in range(5)]), 697) > -15


async def test_voice_flows_between_sims(emulator: Bench, open_port: Open) -> None:
    one, two = await a_line(emulator, open_port, 0), await a_line(emulator, open_port, 1)
    one.at.ask(f"ATD{await emulator.number(1)};")
    two.at.read_until(b"RING\r\n")
    two.at.ask("ATA", b'"ccinfo",2,1,0')
    one.at.read_until(b'"ccinfo",2,0,0')
    one.drain()
    two.drain()
    sent_one, sent_two = numbered(50), [bytes([0, n + 1]) * 160 for n in range(50)]
    quiet = [bytes(FRAME)] * 20
    heard_one, heard_two = await asyncio.gather(
        asyncio.to_thread(one.talk, sent_one + quiet), asyncio.to_thread(two.talk, sent_two + quiet)
    )
    await passed_whole(emulator, heard_two, sent_one)
    await passed_whole(emulator, heard_one, sent_two)


async def test_flooding_makes_the_modem_say_busy_and_is_counted(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["echo"])
    line.audio.write(bytes(4000))
    line.at.read_until(b"\r\n+QPCMV: 0,0\r\n")
    line.at.read_until(b"\r\n+QPCMV: 1,0\r\n")
    await asyncio.to_thread(line.talk, [bytes(FRAME)] * 3)
    counters = (await emulator.modem(0))["audio"]
    assert counters["uplink_overflow_bytes"] > 0
    assert counters["uplink_frames"] >= 5


async def test_a_host_that_falls_silent_is_counted(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["echo"])
    await asyncio.to_thread(line.talk, numbered(3))
    before = (await emulator.modem(0))["audio"]["uplink_underruns"]
    for _ in range(10):
        await asyncio.to_thread(line.frame)
    assert (await emulator.modem(0))["audio"]["uplink_underruns"] >= before + 8


async def test_odd_reads_burst_and_stall(emulator: Bench, open_port: Open) -> None:
    line = await a_line(emulator, open_port)
    await emulator.call("fault", modem=0, name="odd_reads", value=True)
    line.dial(emulator.parties["tone"])
    sizes = set()
    for _ in range(12):
        assert await asyncio.to_thread(select.select, [line.audio.fd], [], [], PATIENCE_S)
        sizes.add(len(os.read(line.audio.fd, 65536)) % 2)
    assert 1 in sizes
    await emulator.call("fault", modem=0, name="odd_reads", value=False)
    await emulator.call("fault", modem=0, name="stall_audio", value=True)
    line.drain()
    await asyncio.sleep(0.1)
    line.drain()
    assert line.audio.quiet(0.2) == b""
    await emulator.call("fault", modem=0, name="stall_audio", value=False)
    await emulator.call("fault", modem=0, name="burst_audio", value=True)
    line.frame()


async def test_the_clock_runs_at_50_frames_a_second_and_off_by_ppm(emulator: Bench, open_port: Open) -> None:
    slow, fast = await a_line(emulator, open_port, 0), await a_line(emulator, open_port, 1)
    # So large an error shows within a second; real ones are below 100 ppm.
    await emulator.call("fault", modem=1, name="ppm", value=100_000)
    counts = []
    for line in (slow, fast):
        line.dial(emulator.parties["tone"])
    before = [(await emulator.modem(index))["audio"]["downlink_frames"] for index in (0, 1)]
    started = time.monotonic()
    await asyncio.sleep(2.0)
    after = [(await emulator.modem(index))["audio"]["downlink_frames"] for index in (0, 1)]
    lasted = time.monotonic() - started
    counts = [(b - a) / lasted for a, b in zip(before, after, strict=True)]
    assert abs(counts[0] - 50) < 2.5
    assert 1.07 < counts[1] / counts[0] < 1.13


async def test_speech_file_is_spoken_sample_by_sample(emulator: Bench, open_port: Open, speech_file: Path) -> None:
    line = await a_line(emulator, open_port)
    line.dial(emulator.parties["speech"])
    for _ in range(40):
        await asyncio.to_thread(line.frame)
    heard = pcm_of((await emulator.call("heard", modem=0))["path"])
    assert pcm_of(speech_file) in heard


class Waiter:
    """A caller inside the network, without a modem."""

    clocked = True

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def on_alerting(self, connection: Connection) -> None:
        assert not self.answered.is_set()

    def on_answered(self, connection: Connection) -> None:
        self.answered.set()

    def on_released(self, connection: Connection, cause: int) -> None:
        raise AssertionError(cause)

    def on_dtmf(self, connection: Connection, digit: str) -> None:
        raise AssertionError(digit)

    def voice(self, connection: Connection, uplink: bytes) -> bytes:
        raise AssertionError("a clocked endpoint is never asked")


async def test_echo_adds_no_delay() -> None:
    caller = Waiter()
    network = Network(NetworkOptions(speed=100), Journal(), speech_like)
    connection = network.dial(caller, "+447700900000", "07700900901")
    await asyncio.wait_for(caller.answered.wait(), PATIENCE_S)
    for frame in numbered(5):
        assert connection.exchange(caller, frame) == frame
    assert list(connection.callee.heard) == numbered(5)

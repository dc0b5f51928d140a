"""An ordinary WebRTC peer that offers: for the command line and for tests.

It is aiortc as everybody uses it, with its own senders and receivers, so that what it hears proves our own
packet path from the other side of the wire.
"""

from __future__ import annotations

import asyncio
import fractions
import math
import secrets
import time
import wave
from array import array
from pathlib import Path
from typing import Protocol

from aiortc import (
    AudioStreamTrack,
    MediaStreamError,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame, AudioResampler

from modembank.errors import MediaError
from modembank.media import pcm as samples
from modembank.media import rtp, telephone_event
from modembank.media.records import (
    FRAME_BYTES,
    FRAME_S,
    FRAME_SAMPLES,
    RATE_HZ,
    CodecName,
    IceServer,
    frame_bytes,
)
from modembank.webrtc.internals import send_by_aiortc

_EVENT_PAYLOAD_TYPE = 101  # what most equipment uses; any number of RFC 3551's dynamic range would do


class Voice(Protocol):
    """What the client says, frame by frame."""

    def next(self) -> bytes:
        """Return the next 20 ms of s16 mono at the client's rate."""
        ...


class ToneVoice:
    """A continuous sine."""

    def __init__(self, hz: float, dbfs: float = -12.0, rate_hz: int = RATE_HZ) -> None:
        """`dbfs` is the RMS level."""
        self._hz, self._rate_hz, self._at = hz, rate_hz, 0
        self._peak = 32768.0 * 10 ** (dbfs / 20) * math.sqrt(2)

    def next(self) -> bytes:
        """See `Voice.next`."""
        step = 2 * math.pi * self._hz / self._rate_hz
        start, self._at = self._at, self._at + self._rate_hz // 50
        return array("h", (int(self._peak * math.sin(step * i)) for i in range(start, self._at))).tobytes()


class WavVoice:
    """A WAV file once, then silence; at 8 kHz."""

    def __init__(self, path: Path) -> None:
        """Raises MediaError when the file is no 16-bit PCM WAV."""
        self._pcm = read_wav(path)
        self._at = 0

    @property
    def finished(self) -> bool:
        """Whether all of the file was said."""
        return self._at >= len(self._pcm)

    def next(self) -> bytes:
        """See `Voice.next`."""
        frame = self._pcm[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        return frame.ljust(FRAME_BYTES, b"\0")


class SilentVoice:
    """Says nothing."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        self._silence = bytes(frame_bytes(rate_hz))

    def next(self) -> bytes:
        """See `Voice.next`."""
        return self._silence


class WebrtcClient:
    """One call's client: `offer()`, `accept(answer)`, then it talks and listens until `close()`."""

    def __init__(
        self,
        voice: Voice | None = None,
        ice_servers: tuple[IceServer, ...] = (),
        codecs: tuple[CodecName, ...] = (CodecName.PCMA, CodecName.PCMU, CodecName.OPUS, CodecName.G722),
        rate_hz: int = RATE_HZ,
    ) -> None:
        """`rate_hz` is that of `voice` and of what is heard."""
        servers = [RTCIceServer(list(s.urls), s.username, s.credential) for s in ice_servers]
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._rate_hz = rate_hz
        self._track = _VoiceTrack(voice or SilentVoice(rate_hz), rate_hz)
        self._heard = bytearray()
        self._arrivals: list[tuple[int, float]] = []
        self._ear: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._event_ssrc = secrets.randbits(32)
        self._event_sequence = secrets.randbits(15)
        self._event_timestamp = secrets.randbits(32)
        transceiver = self._pc.addTransceiver(self._track)
        capabilities = RTCRtpSender.getCapabilities("audio").codecs
        wanted = [c for name in codecs for c in capabilities if c.name.lower() == name.lower()]
        transceiver.setCodecPreferences(wanted)
        self._pc.on("track", self._listen)
        self._pc.on("connectionstatechange", self._changed.set)

    @property
    def heard(self) -> bytes:
        """Everything that was heard so far, s16 mono at the client's rate."""
        return bytes(self._heard)

    @property
    def arrivals(self) -> tuple[tuple[int, float], ...]:
        """For each piece of `heard`: the index of its first sample, and when it came (monotonic seconds)."""
        return tuple(self._arrivals)

    @property
    def state(self) -> str:
        """The connection's state in the words of W3C WebRTC."""
        return str(self._pc.connectionState)

    async def offer(self) -> str:
        """Return an offer with all candidates and telephone-event."""
        await self._pc.setLocalDescription(await self._pc.createOffer())
        lines = str(self._pc.localDescription.sdp).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("m=audio"))
        lines[at] += f" {_EVENT_PAYLOAD_TYPE}"
        lines.append(f"a=rtpmap:{_EVENT_PAYLOAD_TYPE} telephone-event/8000")
        return "".join(f"{line}\r\n" for line in lines)

    async def accept(self, answer_sdp: str) -> None:
        """Take the answer and begin to connect."""
        await self._pc.setRemoteDescription(RTCSessionDescription(answer_sdp, "answer"))

    async def connected(self, timeout_s: float = 10.0) -> None:
        """Wait until media flows.

        Raises:
            MediaError: it failed, or did not connect in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.state != "connected":
                    if self.state in ("failed", "closed"):
                        raise MediaError(f"the WebRTC connection {self.state}")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise MediaError(f"no WebRTC connection within {timeout_s:g} s") from None

    async def press(self, digit: str, length_s: float = 0.1) -> None:
        """Press one key: an RFC 4733 event in a stream of its own.

        Raises:
            MediaError: no DTMF digit, or the connection is closed.
        """
        if digit not in telephone_event.DIGITS or len(digit) != 1:
            raise MediaError(f"{digit!r} is no DTMF digit: use one of {telephone_event.DIGITS}")
        sender = self._pc.getSenders()[0]
        self._event_timestamp = (self._event_timestamp + 2 * RATE_HZ) & 0xFFFFFFFF
        packets = max(1, round(length_s / FRAME_S))
        for payload in telephone_event.payloads(digit, packets, FRAME_SAMPLES):
            header = rtp.HEADER.pack(
                rtp.VERSION_BYTE,
                _EVENT_PAYLOAD_TYPE,
                self._event_sequence & 0xFFFF,
                self._event_timestamp,
                self._event_ssrc,
            )
            self._event_sequence += 1
            await send_by_aiortc(sender, header + payload)
            await asyncio.sleep(FRAME_S)

    def say(self, voice: Voice) -> None:
        """Say something else from now on."""
        self._track.voice = voice

    def forget(self) -> None:
        """Drop what was heard so far."""
        self._heard.clear()
        self._arrivals.clear()

    def save(self, path: Path) -> None:
        """Write what was heard to a WAV file, 16 bit mono."""
        write_wav(path, self.heard, self._rate_hz)

    async def close(self) -> None:
        """Hang up; idempotent."""
        if self._ear is not None:
            self._ear.cancel()
            await asyncio.gather(self._ear, return_exceptions=True)
        await self._pc.close()

    def _listen(self, track: MediaStreamTrack) -> None:
        if self._ear is None:
            self._ear = asyncio.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=self._rate_hz)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, AudioFrame)
            came = time.monotonic()
            for part in resampler.resample(frame):
                self._arrivals.append((len(self._heard) // 2, came))
                self._heard += bytes(part.planes[0])[: 2 * part.samples]


class _VoiceTrack(AudioStreamTrack):
    """Paces a voice in real time."""

    def __init__(self, voice: Voice, rate_hz: int) -> None:
        super().__init__()
        self.voice = voice
        self._rate_hz = rate_hz
        self._started_s: float | None = None
        self._sent = 0

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._started_s is None:
            self._started_s = time.monotonic()
        await asyncio.sleep(self._started_s + self._sent * FRAME_S - time.monotonic())
        # Two equal channels: from one, aiortc's Opus path makes two that are 3 dB softer.
        count = self._rate_hz // 50
        frame = AudioFrame(format="s16", layout="stereo", samples=count)
        frame.planes[0].update(samples.stereo(self.voice.next()))
        frame.sample_rate = self._rate_hz
        frame.time_base = fractions.Fraction(1, self._rate_hz)
        frame.pts = self._sent * count
        self._sent += 1
        return frame


def read_wav(path: Path) -> bytes:
    """Return a WAV file's sound as s16 mono at 8 kHz.

    Raises:
        MediaError: it cannot be read or is no 16-bit PCM with one or two channels.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise MediaError(f"{path} is no WAV file that can be read: {error}") from error
    if width != 2 or channels > 2:
        raise MediaError(f"{path} must be 16-bit PCM with one or two channels")
    return samples.resampled(samples.mono(data, channels), rate_hz, RATE_HZ)


def write_wav(path: Path, pcm: bytes, rate_hz: int = RATE_HZ) -> None:
    """Write s16 mono samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
